/** `hairpin whatsapp-sim`: Meta and its customers on this machine, so that calls can be tried without either. */
import { randomBytes } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { Customers, controlPlugin, Simulator, WebhookSender } from '@hairpin/whatsapp-simulator'
import { optionsOf, UsageError } from './options.ts'
import { Prompt, promptHelp } from './whatsapp-sim/prompt.ts'
import { report } from './whatsapp-sim/reports.ts'
import { Terminal } from './whatsapp-sim/terminal.ts'

export const whatsappSimHelp = `usage: hairpin whatsapp-sim [options]

  Stands in for WhatsApp: the Graph API, signed webhooks, and customers with phones. Start the stack with the variables that
  it prints, open the agents' page, and type "call" here (docs/WHATSAPP.md).

  --webhook URL            where the stack takes events   [http://127.0.0.1:8080/call-events]
  --port N, --host IP      of the Graph API, and of the phones' media   [8090, 127.0.0.1]
  --auto SECONDS           a customer calls by itself, this long after the last call
  --ring-for SECONDS       that customers let it ring when the business calls   [3]
  --app-secret, --verify-token, --access-token, --phone-number-id
                           what stack and simulator have in common; the defaults are of the demo
  --control-token TOKEN    of the JSON control API; a new one each time without it

At its prompt:
${promptHelp}`

const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** Between two attempts to reach the webhook. */
const RETRY = 1000

/** Runs until Ctrl-C. @throws UsageError */
export async function whatsappSim(args: readonly string[]): Promise<string> {
  const options = readOptions(args)
  if (options.help) return whatsappSimHelp
  const terminal = new Terminal()
  const say = (line: string) => terminal.say(line)
  const sender = new WebhookSender({
    url: options.webhook,
    onAttempt: (status, attempt) => {
      if (status !== 200) say(`webhook, attempt ${attempt}: ${status === undefined ? 'no answer' : `HTTP ${status}`}`)
    },
  })
  const { phoneNumberId, accessToken, appSecret, host } = options
  const deliver = (body: Buffer, signature: string) => sender.deliver(body, signature)
  const simulator = new Simulator({ phoneNumberId, accessToken, appSecret, deliver })
  const customers = new Customers({
    simulator,
    host,
    behaviour: { ringFor: options.ringFor },
    onDigit: (call, digit) => say(`the agent pressed ${digit} in the call of ${call.name ?? `+${call.number}`}`),
    onError: (error) => say(`! a phone failed: ${(error as Error).message}`),
  })
  report(simulator, say)
  await simulator.app.register(controlPlugin, { simulator, customers, token: options.controlToken })
  const graphUrl = await listen(simulator, host, options.port)
  say(banner(options, graphUrl))

  const ending = new AbortController()
  const quit = () => ending.abort()
  // The second signal does not wait.
  const end = () => (ending.signal.aborted ? process.exit(1) : quit())
  for (const signal of endings) process.on(signal, end)
  try {
    if (await handshake(sender, options, ending.signal, say)) {
      const prompt = new Prompt({ simulator, customers, quit })
      terminal.open((line) => prompt.line(line), quit)
      const call = () => prompt.line('call').then(say, (error: Error) => say(`! ${error.message}`))
      if (options.auto !== undefined) void callNowAndThen(call, customers, options.auto, ending.signal)
      await aborted(ending.signal)
      terminal.close()
    }
  } finally {
    await customers.close()
    await sender.close()
    await simulator.close()
    for (const signal of endings) process.off(signal, end)
  }
  return 'whatsapp-sim has ended'
}

function readOptions(args: readonly string[]) {
  const read = optionsOf(args, {
    webhook: { type: 'string', default: 'http://127.0.0.1:8080/call-events' },
    port: { type: 'string', default: '8090' },
    host: { type: 'string', default: '127.0.0.1' },
    auto: { type: 'string' },
    'ring-for': { type: 'string', default: '3' },
    'app-secret': { type: 'string', default: 'simulated-app-secret' },
    'verify-token': { type: 'string', default: 'simulated-verify-token' },
    'access-token': { type: 'string', default: 'simulated-access-token' },
    'phone-number-id': { type: 'string', default: '106540352242922' },
    'control-token': { type: 'string', default: randomBytes(12).toString('base64url') },
    help: { type: 'boolean', short: 'h', default: false },
  })
  if (!URL.canParse(read.webhook) || !/^https?:$/.test(new URL(read.webhook).protocol))
    throw new UsageError('--webhook is a URL like http://127.0.0.1:8080/call-events')
  if (!/^\d{1,32}$/.test(read['phone-number-id'])) throw new UsageError('--phone-number-id is digits')
  return {
    help: read.help,
    webhook: read.webhook,
    host: read.host,
    port: wholeNumber('--port', read.port, 65_535),
    auto: read.auto === undefined ? undefined : 1000 * Math.max(1, wholeNumber('--auto', read.auto, 86_400)),
    ringFor: 1000 * wholeNumber('--ring-for', read['ring-for'], 600),
    appSecret: read['app-secret'],
    verifyToken: read['verify-token'],
    accessToken: read['access-token'],
    phoneNumberId: read['phone-number-id'],
    controlToken: read['control-token'],
  }
}

type Options = ReturnType<typeof readOptions>

function wholeNumber(option: string, text: string, max: number): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) > max) throw new UsageError(`${option} is a whole number up to ${max}`)
  return Number(text)
}

async function listen(simulator: Simulator, host: string, port: number): Promise<string> {
  try {
    return await simulator.listen(host, port)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new UsageError(`port ${port} is taken: choose another with --port`)
    if (code === 'EADDRNOTAVAIL' || code === 'EACCES')
      throw new UsageError(`cannot listen on ${host}:${port} (${code})`)
    throw error
  }
}

function banner(
  { verifyToken, appSecret, accessToken, phoneNumberId, controlToken }: Options,
  graphUrl: string,
): string {
  return `WhatsApp is simulated at ${graphUrl}. Start the stack with these variables:

HAIRPIN_WHATSAPP_VERIFY_TOKEN=${verifyToken} \\
HAIRPIN_WHATSAPP_APP_SECRET=${appSecret} \\
HAIRPIN_WHATSAPP_ACCESS_TOKEN=${accessToken} \\
HAIRPIN_WHATSAPP_PHONE_NUMBER_ID=${phoneNumberId} \\
HAIRPIN_WHATSAPP_GRAPH_URL=${graphUrl} \\
HAIRPIN_WHATSAPP_GUEST_AGENTS=1 \\
npm start

control API: ${new URL('/control', graphUrl)}, Authorization: Bearer ${controlToken}
`
}

/** Meta sends no event to an address that has not shown to be the business's. @returns false when it was ended before */
async function handshake(
  sender: WebhookSender,
  { webhook, verifyToken }: Options,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<boolean> {
  let told = ''
  while (!signal.aborted) {
    const result = await sender.verify(verifyToken)
    if (result === 'verified') {
      say(`${webhook} is verified. Type "call" for a customer's call, "help" for more.`)
      return true
    }
    const state = result === 'unreachable' ? `waiting for ${webhook}` : `${webhook} refuses: ${result.refused}; waiting`
    if (state !== told) say(state)
    told = state
    await after(RETRY, undefined, { signal }).catch(() => {})
  }
  return false
}

async function callNowAndThen(
  call: () => Promise<void>,
  customers: Customers,
  every: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    if (customers.live.length === 0) await call()
    while (customers.live.length > 0 && !signal.aborted) await after(500)
    await after(every, undefined, { signal }).catch(() => {})
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
