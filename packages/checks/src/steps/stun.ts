import { addressOf } from '../addresses.ts'
import { natOf } from '../nat.ts'
import { stunTargets } from '../servers.ts'
import type { Step } from '../types.ts'

export const stun: Step = {
  id: 'stun',
  title: 'STUN',
  on: ['browser', 'node'],
  needs: ['credentials'],
  outcomes: {
    answered: { verdict: 'passed', means: 'UDP gets through, and this machine knows by which address others see it.' },
    unseen: {
      verdict: 'passed',
      means: 'UDP gets through, and the server sees this machine by an address of its own: there is no NAT in between.',
    },
    partly: {
      verdict: 'warning',
      means: 'Some STUN servers answer and some do not.',
      todo: 'Look in the log which; check their names and that the firewall lets UDP in on their port.',
    },
    silent: {
      verdict: 'failed',
      means:
        'No STUN server answers over UDP: this network lets no UDP out, or the firewall of the server lets none in. Calls will go over TCP, if at all.',
      todo: 'Check from another network. If it fails there too, open UDP on the relay’s port (3478) in the firewall of the server and of its provider. If it works there, this network blocks UDP.',
    },
    none: { verdict: 'skipped', means: 'The server names no STUN server.' },
  },
  async run(driver, context) {
    const targets = [...stunTargets(context.servers!), ...context.extraStun]
    if (targets.length === 0) return { outcome: 'none' }
    const { answers, filtering } = await driver.bindings(targets, context.log)
    context.bindings = answers
    if (filtering) context.filtering = filtering
    const good = answers.filter(({ problem }) => problem === undefined)
    const seen = [...new Set(good.flatMap(({ mapped }) => (mapped === undefined ? [] : [addressOf(mapped)])))]
    const facts = { seenAs: seen, answered: good.length, asked: answers.length }
    if (good.length === 0) return { outcome: 'silent', facts }
    const detail = seen.length > 0 ? `seen as ${seen.join(', ')}` : 'no other address than its own'
    if (good.length < answers.length) return { outcome: 'partly', detail, facts }
    return { outcome: seen.length > 0 ? 'answered' : 'unseen', detail, facts }
  },
}

/** RFC 4787's words, and what they mean for a call. */
export const nat: Step = {
  id: 'nat',
  title: 'NAT',
  on: ['browser', 'node'],
  needs: ['stun'],
  outcomes: {
    none: { verdict: 'passed', means: 'No NAT: the server sees the very address and port that this machine uses.' },
    'endpoint-independent': {
      verdict: 'passed',
      means:
        'The NAT keeps one outside port for all destinations (endpoint-independent mapping): most calls connect directly.',
    },
    'not-port-dependent': {
      verdict: 'passed',
      means:
        'The NAT keeps one outside port for two ports of a destination; how it treats other addresses cannot be told with one server.',
    },
    dependent: {
      verdict: 'warning',
      means:
        'The NAT takes another outside port for each destination (“symmetric”): calls with others behind such a NAT need the relay.',
      todo: 'Nothing has to be mended: that is what the relay is for. In a router of your own, look for “full cone” or “endpoint-independent” NAT.',
    },
    unknown: {
      verdict: 'skipped',
      means:
        'It takes two destinations to tell: a second STUN address, or a server with HAIRPIN_DISCOVERY_IPS (RFC 5780, command line only).',
    },
  },
  async run(_, { bindings = [], filtering, log }) {
    const kind = natOf(bindings, filtering)
    log(`mapping: ${kind.mapping}, by ${kind.destinations} destination(s); filtering: ${kind.filtering ?? 'not told'}`)
    const outcome = kind.mapping.includes('dependent') && !outcomesAsIs.has(kind.mapping) ? 'dependent' : kind.mapping
    const detail = [`mapping ${kind.mapping}`, ...(kind.filtering ? [`filtering ${kind.filtering}`] : [])].join(', ')
    const facts = { mapping: kind.mapping, filtering: kind.filtering, destinations: kind.destinations }
    return kind.mapping === 'none' || kind.mapping === 'unknown' ? { outcome, facts } : { outcome, detail, facts }
  },
}

const outcomesAsIs: ReadonlySet<string> = new Set(['endpoint-independent', 'not-port-dependent'])
