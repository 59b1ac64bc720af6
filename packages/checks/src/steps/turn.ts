import { addressOf, isIpv6, isLocalHost } from '../addresses.ts'
import type { Context } from '../context.ts'
import type { AllocateFacts, Driver } from '../driver.ts'
import { type RelayTarget, relayTargets, type Transport } from '../servers.ts'
import { troubleOutcomes } from '../trouble.ts'
import type { Finding, Outcome, Step } from '../types.ts'

/** STUN errors of Allocate: RFC 8656 section 7.3. */
export const relayRefusals: Readonly<Record<string, Outcome>> = {
  unauthorized: {
    verdict: 'failed',
    means:
      'The relay answers but does not accept the credentials (401): they were made with another secret, have ended, or were revoked.',
    todo: 'Relay and credentials API must have the same HAIRPIN_TURN_SECRETS or data folder; compare the clocks, and check that the URL leads to the relay of this server.',
  },
  quota: {
    verdict: 'failed',
    means: 'This user has as many allocations as it may (486).',
    todo: 'Close other calls and wait ten minutes, or raise HAIRPIN_USER_QUOTA or the app’s quota.',
  },
  capacity: {
    verdict: 'failed',
    means: 'The relay has no room for another allocation (508), or is about to stop.',
    todo: 'Check again later; raise HAIRPIN_TOTAL_QUOTA or HAIRPIN_RELAY_PORTS, or look at the app’s budget.',
  },
  forbidden: {
    verdict: 'failed',
    means: 'The relay forbids it (403): a budget of the app is used up, or a policy refuses.',
    todo: 'Look at the dashboard of the operator, and at the log of the relay.',
  },
  error: {
    verdict: 'failed',
    means: 'The relay answered with an error.',
    todo: 'Its number and words are in the log of this step; look at the log of the relay.',
  },
}

export function refusalOf(code: number): string {
  return { 401: 'unauthorized', 403: 'forbidden', 486: 'quota', 508: 'capacity' }[code] ?? 'error'
}

/** Words that depend on the way. */
const ways: Readonly<Record<Transport, { title: string; firewall: string; without: string; none: string }>> = {
  udp: {
    title: 'TURN over UDP',
    firewall:
      'Check from another network. If it fails there too, open UDP on the relay’s port (3478) in the firewall of the server and of its provider. If it works there, this network blocks UDP: calls go over TCP or TLS, with more delay.',
    without: 'Calls can still go over TCP or TLS where those steps pass.',
    none: 'The server offers no TURN over UDP.',
  },
  tcp: {
    title: 'TURN over TCP',
    firewall:
      'Open TCP on the relay’s port (3478) in the firewall of the server and of its provider; clients in networks without UDP need it.',
    without: 'Clients in networks without UDP depend on it.',
    none: 'The server offers no TURN over TCP (the node-turn engine has none).',
  },
  tls: {
    title: 'TURN over TLS',
    firewall:
      'Open TCP on HAIRPIN_TURNS_PORT (5349) in the firewall of the server and of its provider. A browser also refuses without a word when the certificate is not of a known authority for the very name in the URL: npx hairpin doctor looks at it.',
    without: 'Clients in networks that let only TLS out depend on it.',
    none: 'The server offers no TURN over TLS: it needs HAIRPIN_TLS_CERT, HAIRPIN_TLS_KEY and a HAIRPIN_TURN_HOST. Most clients do without.',
  },
}

function turnStep(transport: Transport): Step {
  const { title, firewall, without, none } = ways[transport]
  const troubles = troubleOutcomes('the relay', firewall)
  const timeout = `No answer came from the relay over ${transport.toUpperCase()}: a firewall of the server, of its provider or of this network drops it. ${without}`
  return {
    id: `turn-${transport}`,
    title,
    on: ['browser', 'node'],
    needs: ['credentials'],
    outcomes: {
      relayed: {
        verdict: 'passed',
        means: `The relay gave an address, reached over ${transport.toUpperCase()} and nothing else.`,
      },
      local: {
        verdict: 'warning',
        means: 'The relay works but relays from an address of its own network: peers elsewhere cannot reach it.',
        todo: 'Set HAIRPIN_EXTERNAL_IP to the public address of the server (public/private behind 1:1 NAT).',
      },
      partly: {
        verdict: 'warning',
        means: 'One of the server’s URLs works and another does not.',
        todo: `Look in the log which. ${firewall}`,
      },
      other: {
        verdict: 'failed',
        means: `An address was given, but not over ${transport.toUpperCase()}.`,
        todo: firewall,
      },
      none: { verdict: 'skipped', means: none },
      ...relayRefusals,
      ...troubles,
      timeout: { ...troubles.timeout, means: timeout },
    },
    async run(driver, context) {
      const all = relayTargets(context.servers!).filter((target) => target.transport === transport)
      // IPv6 has a step of its own, unless there is nothing else.
      const targets = all.filter(({ host }) => !isIpv6(host))
      return await tryTargets(driver, context, targets.length > 0 ? targets : all)
    },
  }
}

export const turnUdp = turnStep('udp')
export const turnTcp = turnStep('tcp')
export const turnTls = turnStep('tls')

async function tryTargets(driver: Driver, context: Context, targets: readonly RelayTarget[]): Promise<Finding> {
  if (targets.length === 0) return { outcome: 'none' }
  const findings: Finding[] = []
  for (const target of targets) {
    const family = await familyFor(driver, target)
    const facts = await tryTarget(driver, context, family === undefined ? target : { ...target, family })
    findings.push(facts)
  }
  const good = findings.find(({ outcome }) => outcome === 'relayed' || outcome === 'local')
  const bad = findings.find((finding) => finding.outcome !== 'relayed' && finding.outcome !== 'local')
  if (good && bad) return { ...good, outcome: 'partly' }
  return good ?? bad!
}

/** IPv4 where the host has it. */
async function familyFor(driver: Driver, { host }: RelayTarget): Promise<4 | 6 | undefined> {
  const addresses = await driver.addressesOf(host)
  if (!addresses) return undefined
  return addresses[4].length === 0 && addresses[6].length > 0 ? 6 : 4
}

/** What came of one URL; of one that works, later steps hear. */
export async function tryTarget(driver: Driver, context: Context, target: RelayTarget): Promise<Finding> {
  const { log } = context
  log(`${target.url}${target.family ? ` over IPv${target.family}` : ''}`)
  const facts = await driver.allocate(target, log)
  const finding = judge(facts, target, driver)
  if (facts.state === 'allocated' && finding.outcome !== 'other') {
    if (facts.certificate) context.certificates.turns = facts.certificate
    context.reached.push(target)
  }
  return finding
}

function judge(facts: AllocateFacts, target: RelayTarget, driver: Driver): Finding {
  if (facts.state === 'trouble') return { outcome: facts.trouble.kind, detail: facts.trouble.text }
  if (facts.state === 'refused')
    return { outcome: refusalOf(facts.code), detail: `${facts.code} ${facts.reason}`, facts: { code: facts.code } }
  const { ms, relayed, server, transport } = facts
  const detail = `relayed address ${relayed ?? 'hidden by the browser'}, in ${Math.round(ms)} ms`
  const values = { relayed, server, transport, url: target.url, ms: Math.round(ms) }
  if (transport !== target.transport) return { outcome: 'other', detail: `over ${transport}`, facts: values }
  const useless =
    relayed !== undefined && isLocalHost(addressOf(relayed)) && !isLocalHost(new URL(driver.origin).hostname)
  return { outcome: useless ? 'local' : 'relayed', detail, facts: values }
}
