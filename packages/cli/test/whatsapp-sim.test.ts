import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Customers, Simulator, signatureOf, until } from '@hairpin/whatsapp-simulator'
import { afterEach, describe, expect, it } from 'vitest'
import { Prompt } from '../src/whatsapp-sim/prompt.ts'
import { whatsappSim } from '../src/whatsapp-sim.ts'

let closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

/** A process that starts beside others has to wait its turn. */
const soon = (holds: () => boolean, what: string) => until(holds, what, 40_000)

interface Event {
  readonly event: string
  readonly id: string
  readonly signed: boolean
  readonly name: string | undefined
}

/** A business: verifies, and keeps what it is told. */
async function startBusiness(verifyToken = 'simulated-verify-token') {
  const business = { events: [] as Event[], port: 0, verifyToken }
  const server: Server = createServer(async (request, reply) => {
    const { searchParams } = new URL(request.url ?? '', 'http://business')
    if (request.method === 'GET') {
      const right = searchParams.get('hub.verify_token') === business.verifyToken
      reply.writeHead(right ? 200 : 403).end(searchParams.get('hub.challenge'))
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const { value } = JSON.parse(body.toString()).entry[0].changes[0]
    const signed = request.headers['x-hub-signature-256'] === signatureOf(body, 'simulated-app-secret')
    const [call] = value.calls
    business.events.push({ event: call.event, id: call.id, signed, name: value.contacts?.[0]?.profile.name })
    reply.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  business.port = (server.address() as AddressInfo).port
  return business
}

/** The command as a process; what it prints and how it ends. */
function startCommand(...args: string[]) {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const child: ChildProcess = spawn(process.execPath, [main, 'whatsapp-sim', '--port', '0', ...args])
  const made = { child, output: '', exit: undefined as number | null | undefined }
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      made.output += chunk.toString()
    })
  child.on('close', (code) => {
    made.exit = code
  })
  closing.push(() => child.kill('SIGKILL'))
  return made
}

describe('the process', { timeout: 90_000 }, () => {
  it('waits for the webhook, verifies it, lets a customer call, and ends the call when it is ended', async () => {
    const first = await startBusiness()
    const command = startCommand(
      '--webhook',
      `http://127.0.0.1:${first.port}/call-events`,
      '--control-token',
      'the token',
    )
    await soon(() => command.output.includes('is verified'), 'the webhook is verified')
    const url = /HAIRPIN_WHATSAPP_GRAPH_URL=(\S+)/.exec(command.output)?.[1] ?? ''
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v23\.0$/)
    for (const line of [
      'HAIRPIN_WHATSAPP_VERIFY_TOKEN=simulated-verify-token',
      'HAIRPIN_WHATSAPP_APP_SECRET=simulated-app-secret',
      'HAIRPIN_WHATSAPP_ACCESS_TOKEN=simulated-access-token',
      'HAIRPIN_WHATSAPP_PHONE_NUMBER_ID=106540352242922',
      'HAIRPIN_WHATSAPP_GUEST_AGENTS=1',
    ])
      expect(command.output).toContain(line)

    command.child.stdin?.write('call Ada Lovelace +491713920042\n')
    await soon(() => first.events.length === 1, 'the call is told')
    const [{ id = '' } = {}] = first.events
    const connect = { event: 'connect', id, signed: true, name: 'Ada Lovelace' }
    expect(first.events).toEqual([connect])
    const headers = { authorization: 'Bearer simulated-access-token', 'content-type': 'application/json' }
    const body = JSON.stringify({ messaging_product: 'whatsapp', action: 'accept', call_id: id })
    const refused = await fetch(`${url}/106540352242922/calls`, { method: 'POST', headers, body })
    expect(refused.status).toBe(400)
    await soon(() => command.output.includes('! the business broke a rule'), 'the person is told')
    const control = await fetch(`${new URL('/control/status', url)}`, {
      headers: { authorization: 'Bearer the token' },
    })
    expect(await control.json()).toMatchObject({ calls: [{ id }], violations: [{ rule: 'refused-accept' }] })

    command.child.kill('SIGINT')
    await soon(() => command.exit !== undefined, 'the process ends')
    expect([command.exit, first.events.map(({ event }) => event)]).toEqual([0, ['connect', 'terminate']])
    expect(command.output).toContain('whatsapp-sim has ended')
  })

  it('says what the webhook answers as long as that is wrong, and lets a customer call by itself once it is right', async () => {
    const business = await startBusiness('another token')
    const command = startCommand('--webhook', `http://127.0.0.1:${business.port}/call-events`, '--auto', '60')
    await soon(() => command.output.includes('refuses: HTTP 403'), 'the person is told')
    business.verifyToken = 'simulated-verify-token'
    await soon(() => business.events.length === 1, 'a customer calls')
    command.child.kill('SIGTERM')
    await soon(() => command.exit === 0, 'it ends')
    expect(business.events.map(({ event }) => event)).toEqual(['connect', 'terminate'])
  })
})

describe('the prompt', () => {
  async function start() {
    const options = { phoneNumberId: '1', accessToken: 'a', appSecret: 'b', deliver: () => {} }
    const simulator = new Simulator(options)
    const customers = new Customers({ simulator, host: '127.0.0.1' })
    let ended = false
    const prompt = new Prompt({
      simulator,
      customers,
      quit: () => {
        ended = true
      },
    })
    closing.push(() => customers.close())
    return { simulator, customers, say: (line: string) => prompt.line(line), ended: () => ended }
  }

  it('lets customers call, with names and numbers of their own or given ones, and hang up', async () => {
    const { customers, say } = await start()
    for (const line of ['call', 'call', 'call Ada Lovelace 4917012345', '  call  Grace  '])
      expect(await say(line)).toMatch(/^\w.* \(\+\d+\) calls$/)
    expect(customers.live.map(({ name, number }) => `${name} ${number}`)).toEqual([
      'Maria 491713920000',
      'Ahmed 491713920001',
      'Ada Lovelace 4917012345',
      'Grace 491713920003',
    ])
    expect(await say('status')).toContain('4 calls:')
    for (let n = 0; n < 4; n++) await say('hangup')
    expect(customers.live).toEqual([])
    expect(await say('hangup')).toBe('there is no call')
  })

  it('changes what customers do and allow', async () => {
    const { simulator, customers, say } = await start()
    await say('reject')
    await say('permission always')
    expect(customers.behaviour).toMatchObject({ answer: 'reject', permission: 'accept-permanently' })
    await say('permission accept 4917012345')
    expect(simulator.permissions.granted('4917012345')).toBe(true)
    await say('permission reject 4917012345')
    expect(simulator.permissions.granted('4917012345')).toBe(false)
  })

  it('says what it does not understand, and quits', async () => {
    const { say, ended } = await start()
    expect(await say('dance')).toContain('call [name] [number]')
    expect(await say('dtmf x')).toContain('0-9')
    expect(await say('dtmf 1')).toBe('nobody has answered a call')
    expect(await say('permission constructor')).toContain('accept')
    expect(ended()).toBe(false)
    await say('quit')
    expect(ended()).toBe(true)
  })
})

it.each([
  [['--port', 'x'], /--port/],
  [['--port', '70000'], /--port/],
  [['--webhook', 'ftp://x'], /--webhook/],
  [['--auto', 'soon'], /--auto/],
  [['--phone-number-id', 'x'], /--phone-number-id/],
  [['call'], /call/],
])('says what is wrong with %j', async (args, message) => {
  await expect(whatsappSim(args)).rejects.toThrow(message)
})

it('says that the port is taken', async () => {
  const { port } = await startBusiness()
  await expect(whatsappSim(['--port', String(port)])).rejects.toThrow(`port ${port} is taken`)
})
