/** The bridge for WhatsApp calls as a process of its own: what a kill leaves behind, and how signaling finds it again. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, loadSecrets } from '@hairpin/config'
import { type DeskBody, type RemoteDesk, remoteDesk } from '@hairpin/desk'
import { Phone, until } from '@hairpin/whatsapp-simulator'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until as asked, type Background, background } from '../helpers/exec.ts'
import { metric } from '../helpers/standalone.ts'
import { customerCalls, type Meta, startMeta, talk, verifyToken } from '../helpers/whatsapp.ts'

const entry = join(import.meta.dirname, '../../services/whatsapp/src/main.ts')

interface Bridge {
  readonly child: Background
  readonly webhook: string
  readonly admin: string
}

let meta: Meta
let folder: string
let relay: Server
let desk: RemoteDesk
let bridge: Bridge | undefined
const phones: Phone[] = []
/** What signaling heard: `up`, `down`, and what agents are told. */
const heard: (DeskBody | 'up' | 'down')[] = []

const told = <T extends DeskBody['type']>(type: T) =>
  heard.filter((body): body is Extract<DeskBody, { type: T }> => typeof body === 'object' && body.type === type)

function settings(): Record<string, string> {
  return {
    ...meta.env,
    HAIRPIN_DATA_DIR: folder,
    HAIRPIN_HTTP_HOST: '127.0.0.1',
    HAIRPIN_HTTP_PORT: '0',
    HAIRPIN_ADMIN_PORT: '0',
    HAIRPIN_TURN_API: `unix:${join(folder, 'relay.sock')}`,
    HAIRPIN_WHATSAPP_DESK: `unix:${join(folder, 'desk.sock')}`,
  }
}

async function startBridge(): Promise<Bridge> {
  const child = background(process.execPath, [entry], settings())
  const started = await asked(
    'the bridge listens',
    async () => {
      if (child.process.exitCode !== null) throw new Error(child.output())
      const [, webhook] = /webhook at (http:[\d.:/]+)/.exec(child.output()) ?? []
      const [, admin] = /metrics at (http:[\d.:/]+)/.exec(child.output()) ?? []
      return webhook && admin ? { child, webhook: `${webhook}/call-events`, admin } : undefined
    },
    60,
  )
  bridge = started
  meta.webhooksTo(started.webhook)
  return started
}

/** In the place of the relay's API: no relay is needed here. */
async function relayApi(): Promise<Server> {
  const answer = { iceServers: [], ttl: 60, expiresAt: '2030-01-01T00:00:00.000Z' }
  const server = createServer((_request, response) => {
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  server.listen(join(folder, 'relay.sock'))
  await once(server, 'listening')
  return server
}

/** The agent's device, as signaling speaks for it. */
async function connects(callId: string): Promise<Phone> {
  const browser = new Phone({ lite: false })
  phones.push(browser)
  const before = told('browser-answer').length
  desk.request('anna', 'device', { type: 'browser-offer', callId, sdp: await browser.offer() })
  await until(() => told('browser-answer').length > before, 'the bridge answers')
  await browser.join(told('browser-answer').at(-1)!.sdp)
  return browser
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hairpin-wa-'))
  meta = await startMeta()
  relay = await relayApi()
  heard.length = 0
  const { internalKey: key } = loadSecrets(loadConfig({ HAIRPIN_DATA_DIR: folder }))
  desk = remoteDesk({ api: `unix:${join(folder, 'desk.sock')}`, key, log: { info() {}, warn() {} } })
  desk.attach({
    tell: (_agent, _devices, body) => heard.push(body),
    up: () => {
      heard.push('up')
      desk.arrive('anna', 'device')
    },
    down: () => heard.push('down'),
  })
})

afterEach(async () => {
  desk.close()
  await bridge?.child.stop()
  bridge = undefined
  for (const phone of phones.splice(0)) await phone.close()
  relay.close()
  await meta.close()
  await rm(folder, { recursive: true, force: true })
})

test('ends at Meta, after a kill, what it left behind there, and takes calls again', async () => {
  const first = await startBridge()
  expect(await meta.webhooksTo(first.webhook).verify(verifyToken)).toBe('verified')
  await until(() => told('agent').length > 0, 'the agent is here')
  const answered = await customerCalls(meta, '491701234567')
  phones.push(answered.phone)
  await until(() => told('call-is-coming').length === 1, 'it rings')
  const browser = await connects(answered.call.id)
  await until(() => told('call-state').some(({ state }) => state === 'connected'), 'Meta took the accept')
  await talk(answered.phone, browser)
  const ringing = await customerCalls(meta, '491701234568')
  phones.push(ringing.phone)
  first.child.process.kill('SIGKILL')
  await until(() => heard.at(-1) === 'down', 'signaling knows')
  expect([answered.call.ended, ringing.call.ended]).toEqual([false, false])

  const second = await startBridge()
  await until(() => answered.call.ended && ringing.call.ended, 'both are over')
  expect(answered.call.actions.at(-1)).toBe('terminate')
  await until(() => heard.lastIndexOf('up') > heard.indexOf('down') && told('agent').length > 1, 'the agent is back')
  expect(second.child.output()).toContain('WHATSAPP_LEFTOVERS')
  const { call, phone } = await customerCalls(meta, '491701234569')
  phones.push(phone)
  await until(() => told('call-is-coming').some(({ callId }) => callId === call.id), 'it rings')
  await talk(phone, await connects(call.id))
  const metrics = await (await fetch(`${second.admin}/metrics`)).text()
  expect(metric(metrics, 'hairpin_whatsapp_calls')).toBe(1)
  expect(metric(metrics, 'hairpin_whatsapp_requests_total', { action: 'terminate' })).toBeGreaterThan(1)

  await second.child.stop()
  expect([second.child.process.exitCode, call.ended]).toEqual([0, true])
  expect(told('call-ended').at(-1)).toMatchObject({ callId: call.id, reason: 'stopped' })
  // Nothing is left behind by a stop.
  const third = await startBridge()
  expect(third.child.output()).not.toContain('WHATSAPP_LEFTOVERS')
})

test('says in one line what is missing, and never what is secret', async () => {
  const start = async (changes: Record<string, string>) => {
    const child = background(process.execPath, [entry], { ...settings(), ...changes })
    if (child.process.exitCode === null) await once(child.process, 'exit')
    expect(child.process.exitCode).toBe(1)
    expect(child.output()).not.toContain('EAAB')
    return child.output().trim()
  }
  const faults = await Promise.all([
    start({ HAIRPIN_WHATSAPP_APP_SECRET: '', HAIRPIN_WHATSAPP_VERIFY_TOKEN: '' }),
    start({ HAIRPIN_WHATSAPP_DESK: '' }),
    start({ HAIRPIN_TURN_API: '' }),
  ])
  expect(faults).toEqual([
    expect.stringMatching(/^hairpin: HAIRPIN_WHATSAPP_VERIFY_TOKEN, HAIRPIN_WHATSAPP_APP_SECRET: missing.*$/),
    expect.stringMatching(/^hairpin: HAIRPIN_WHATSAPP_DESK: .*$/),
    expect.stringMatching(/^hairpin: HAIRPIN_TURN_API: .*$/),
  ])
})
