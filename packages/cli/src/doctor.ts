import { setTimeout as sleep } from 'node:timers/promises'
import {
  closingText,
  headText,
  isLoopback,
  type LoopPlan,
  type Report,
  reportJson,
  runChecks,
  stepsFor,
  stepText,
  stunTarget,
} from '@hairpin/checks'
import { NodeDriver } from './doctor/driver.ts'
import { firewallText } from './doctor/firewall.ts'
import { type Here, isHere, originHere, serverHere } from './doctor/here.ts'
import { optionsOf, UsageError } from './options.ts'

export const doctorHelp = `usage: hairpin doctor [--url https://calls.example.com] [--api-key KEY | --token TOKEN] [--json]

  --url URL              the server's public origin; on the server itself it may be left out
  --api-key, --token     credentials by the HTTP API; without either as a guest of the demo, or on the server by its own key.
                         HAIRPIN_DOCTOR_KEY in the environment keeps a key out of the list of processes.
  --insecure             send the key even to a server that does not prove who it is
  --origin ORIGIN        play the part of a page of this origin towards the signaling service
  --stun HOST:PORT       a further STUN server, to tell how the NAT treats a second destination
  --log                  show the log of every step, not only of those that did not pass
  --json                 the report as JSON

Exit code: 0 all well, perhaps with warnings; 1 something failed; 2 called wrongly. See docs/CHECK.md.`

export interface DoctorResult {
  /** What is left to print. */
  readonly text: string
  readonly exitCode: number
}

export interface DoctorSurroundings {
  readonly environment: NodeJS.ProcessEnv
  /** Steps are printed as they end. */
  readonly print: (text: string) => void
  readonly loop?: LoopPlan
  /** Milliseconds in which the relay has to answer a request. */
  readonly answerLimit?: number
}

/**
 * `hairpin doctor`: the connectivity check from this machine; on the server itself also what its firewall must let in.
 * @throws UsageError, ConfigError
 */
export async function doctor(
  args: readonly string[],
  { environment, print, loop, answerLimit }: DoctorSurroundings = { environment: process.env, print: console.log },
): Promise<DoctorResult> {
  const options = optionsOf(args, {
    url: { type: 'string' },
    'api-key': { type: 'string' },
    token: { type: 'string' },
    insecure: { type: 'boolean', default: false },
    origin: { type: 'string' },
    stun: { type: 'string' },
    log: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  })
  if (options.help) return { text: doctorHelp, exitCode: 0 }
  if (options['api-key'] !== undefined && options.token !== undefined)
    throw new UsageError('--api-key or --token, not both')
  const { origin, here } = await whatToCheck(options.url, environment)
  const bearer = checkedBearer(options['api-key'] ?? options.token ?? environment.HAIRPIN_DOCTOR_KEY ?? here?.key)
  const driver = new NodeDriver({
    origin,
    bearer,
    page: options.origin === undefined ? undefined : originOf(options.origin, '--origin'),
    // To itself this machine has nothing to prove.
    insecure: options.insecure || here !== undefined,
    answerLimit,
  })
  const shown = new Set<string>()
  const show = (report: Report) => {
    if (shown.size === 0) print(`${headText(report)}\n`)
    shown.add('')
    for (const step of report.steps) {
      if (step.state === 'waiting' || step.state === 'running') return
      if (!shown.has(step.id)) print(stepText(step, { logs: options.log ? 'all' : 'bad' }))
      shown.add(step.id)
    }
  }
  const report = await runChecks(stepsFor('node', bearer === undefined ? 'guest' : 'api'), driver, {
    clock: { now: () => performance.now(), date: Date.now, sleep },
    ...(loop ? { loop } : {}),
    ...(options.stun === undefined ? {} : { extraStun: [stunOf(options.stun)] }),
    ...(options.json ? {} : { onChange: show }),
  })
  const exitCode = report.verdict === 'failed' ? 1 : 0
  if (options.json) return { text: reportJson(report), exitCode }
  const advice = here ? [firewallText(here.config), fromOutside(report, here)] : []
  return { text: ['', closingText(report), ...advice.flatMap((text) => ['', text])].join('\n'), exitCode }
}

async function whatToCheck(url: string | undefined, environment: NodeJS.ProcessEnv) {
  if (url !== undefined) {
    const origin = originOf(url, '--url')
    // Its settings are of no matter elsewhere, and neither is what is wrong with them.
    const here = tryServerHere(environment)
    return { origin, here: here && (await isHere(new URL(origin).hostname, here.config)) ? here : undefined }
  }
  const here = serverHere(environment)
  if (!here)
    throw new UsageError(`name the server with --url, or set HAIRPIN_DATA_DIR on the server itself\n\n${doctorHelp}`)
  return { origin: originHere(here.config), here }
}

function tryServerHere(environment: NodeJS.ProcessEnv): Here | undefined {
  try {
    return serverHere(environment)
  } catch {
    return undefined
  }
}

function originOf(text: string, option: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '')
    throw new UsageError(`${option} is an address like https://calls.example.com`)
  if (url.username !== '' || url.password !== '') throw new UsageError(`${option} takes no user name or password`)
  if (url.pathname !== '/' || url.search !== '')
    throw new UsageError(`${option} takes no path: ${url.origin} is enough`)
  return url.origin
}

function stunOf(text: string) {
  const [, host = '', port = ''] = /^(?:stun:)?(\[[\da-f:.]+\]|[^:\s]+):(\d{1,5})$/i.exec(text) ?? []
  if (host === '' || Number(port) < 1 || Number(port) > 65535) throw new UsageError('--stun is HOST:PORT')
  return stunTarget(host.replace(/^\[|\]$/g, ''), Number(port))
}

/** What cannot stand in a header would come back as an error that shows it. */
function checkedBearer(bearer: string | undefined): string | undefined {
  if (bearer !== undefined && !/^[\x21-\x7e]+$/.test(bearer))
    throw new UsageError('the key or token has characters that none has: copy it again')
  return bearer
}

const insideOnly = ['server', 'websocket', 'stun', 'nat', 'turn-udp', 'turn-tcp', 'turn-tls', 'ipv6', 'ports']

/** From the server itself its own firewall is not passed. */
function fromOutside({ steps, origin }: Report, { config }: Here): string {
  const titles = steps.filter(({ id }) => insideOnly.includes(id)).map(({ title }) => title)
  const { protocol, hostname, port } = new URL(origin)
  const outside = config.turn.host ?? config.turn.externalIps?.map((ip) => ip.public).find((ip) => !isLoopback(ip))
  const address = isLoopback(hostname) ? `${protocol}//${outside ?? '<public address>'}${port && `:${port}`}` : origin
  return [
    'This ran on the server itself, so no firewall was passed. From outside these count:',
    `  ${titles.join(', ')}.`,
    `  Open ${address}/check in a browser in another network (a phone without Wi-Fi), or run there:`,
    `  npx hairpin doctor --url ${address}`,
  ].join('\n')
}
