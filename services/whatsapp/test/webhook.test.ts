import { type App, createApp, createLogger } from '@hairpin/http'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CallUpdate } from '../src/core/updates.ts'
import { Intake } from '../src/webhook/intake.ts'
import { callEvents } from '../src/webhook/plugin.ts'
import { appSecret, connectCall, envelope, phoneNumberId, sign, terminateCall } from './support/payloads.ts'

const now = 1_700_000_000_000
let app: App
let intake: Intake
let updates: CallUpdate[]
let faults: unknown[]
let stale: CallUpdate[]
let nameless: (string | undefined)[]

async function start(options: { limit?: number; onUpdate?: (update: CallUpdate) => void } = {}): Promise<void> {
  updates = []
  faults = []
  stale = []
  nameless = []
  intake = new Intake({
    phoneNumberId,
    now: () => now,
    onUpdate: (update) => updates.push(update),
    onFault: (error) => faults.push(error),
    onStale: (update) => stale.push(update),
    onNameless: ({ userId }) => nameless.push(userId),
    ...options,
  })
  app = createApp({ logger: createLogger('silent') })
  app.post('/json', async (request) => request.body)
  await app.register(callEvents, { verifyToken: 'let me in', appSecret, intake })
}

beforeEach(() => start())
afterEach(async () => {
  intake.close()
  await app.close()
})

const post = (payload: string | Buffer, signature = sign(payload)) =>
  app.inject({
    method: 'POST',
    url: '/call-events',
    payload,
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature },
  })
const deliver = (value: Record<string, unknown>) => post(JSON.stringify(envelope(value)))
async function handled(): Promise<void> {
  while (intake.waiting > 0) await new Promise(setImmediate)
}

it('gives the bare challenge to who knows the verify token, and 403 to others', async () => {
  const ask = (query: Record<string, string>) => app.inject({ method: 'GET', url: '/call-events', query })
  const right = { 'hub.mode': 'subscribe', 'hub.challenge': '1158201444', 'hub.verify_token': 'let me in' }
  const reply = await ask(right)
  expect([reply.statusCode, reply.body]).toEqual([200, '1158201444'])
  expect(reply.headers['content-type']).toContain('text/plain')
  const wrong = await ask({ ...right, 'hub.verify_token': 'let me' })
  expect([wrong.statusCode, wrong.json().error.code]).toEqual([403, 'WHATSAPP_VERIFY_TOKEN_WRONG'])
  expect((await ask({ 'hub.mode': 'subscribe' })).statusCode).toBe(400)
  expect((await ask({ ...right, 'hub.challenge': '<script>' })).statusCode).toBe(400)
})

it('takes a signed event, answers first and works afterwards', async () => {
  const reply = await deliver({ calls: [connectCall('wacid.A', now)] })
  expect([reply.statusCode, reply.body]).toEqual([200, ''])
  await handled()
  expect(updates.map(({ id }) => id)).toEqual(['wacid.A'])
})

it('refuses with 401 whatever byte is flipped, and whatever is no signature', async () => {
  const body = Buffer.from(JSON.stringify(envelope({ calls: [connectCall('wacid.A', now)] })))
  const signature = sign(body)
  for (let at = 0; at < body.length; at += 37) {
    const flipped = Buffer.from(body)
    flipped[at]! ^= 1
    const reply = await post(flipped, signature)
    expect([reply.statusCode, reply.json().error.code]).toEqual([401, 'WHATSAPP_SIGNATURE_INVALID'])
  }
  const bare = signature.slice('sha256='.length)
  for (const odd of ['', 'sha256=', bare, `sha1=${bare}`, `${signature}00`, signature.slice(0, -2)])
    expect((await post(body, odd)).statusCode).toBe(401)
  expect((await app.inject({ method: 'POST', url: '/call-events' })).statusCode).toBe(401)
  await handled()
  expect(updates).toEqual([])
})

it('checks the bytes and not the JSON: escapes and spaces count', async () => {
  const body = '{ "object":"whatsapp_business_account", "entry":[{"id":"\\u00e9\\/"}] }'
  expect((await post(body)).statusCode).toBe(200)
  expect((await post(JSON.stringify(JSON.parse(body)), sign(body))).statusCode).toBe(401)
  expect((await post('{"entry":')).json().error.code).toBe('INVALID_JSON')
})

it("leaves the other routes' JSON alone", async () => {
  const reply = await app.inject({ method: 'POST', url: '/json', payload: { a: 1 } })
  expect(reply.json()).toEqual({ a: 1 })
})

it('takes a batch of 1000 with SDPs, each update once, however often it is delivered', async () => {
  const sdp = 'a'.repeat(2000)
  const calls = Array.from({ length: 1000 }, (_, n) => connectCall(`wacid.${n}`, now, sdp))
  for (let time = 0; time < 3; time++) expect((await deliver({ calls })).statusCode).toBe(200)
  await handled()
  expect(updates.map(({ id }) => id)).toEqual(calls.map(({ id }) => id))
  expect(intake.counts).toMatchObject({ taken: 1000, duplicate: 2000 })
})

it('answers 503 when too many wait, takes none of them, and takes them when they come again', async () => {
  await start({ limit: 10 })
  const calls = Array.from({ length: 11 }, (_, n) => connectCall(`wacid.${n}`, now))
  const reply = await deliver({ calls })
  expect([reply.statusCode, reply.json().error.code, reply.headers['retry-after']]).toEqual([503, 'WHATSAPP_BUSY', '5'])
  await deliver({ calls: calls.slice(0, 10) })
  await handled()
  await deliver({ calls: calls.slice(10) })
  await handled()
  expect(updates).toHaveLength(11)
})

it('drops calls that rang a minute ago, but no terminate', async () => {
  const old = now - 61_000
  await deliver({
    calls: [connectCall('wacid.old', old), terminateCall('wacid.old', old), connectCall('wacid.new', now)],
  })
  await handled()
  expect(updates.map(({ kind, id }) => [kind, id])).toEqual([
    ['terminate', 'wacid.old'],
    ['connect', 'wacid.new'],
  ])
  expect(stale.map(({ id }) => id)).toEqual(['wacid.old'])
})

it('tells of a reply whose customer has no number, once', async () => {
  const call_permission_reply = { response: 'accept' }
  const interactive = { type: 'call_permission_reply', call_permission_reply }
  const message = { id: 'wamid.1', from_user_id: 'DE.1', timestamp: '1671644824', type: 'interactive', interactive }
  for (let time = 0; time < 2; time++) await deliver({ messages: [message] })
  await handled()
  expect([nameless, updates]).toEqual([['DE.1'], []])
  expect(intake.counts).toMatchObject({ taken: 0, duplicate: 1, nameless: 1, passedOver: 0 })
})

it('goes on after an update that could not be handled', async () => {
  const seen: string[] = []
  await start({
    onUpdate: ({ id }) => {
      seen.push(id)
      if (id === 'wacid.0') throw new Error('a fault of ours')
    },
  })
  await deliver({ calls: [connectCall('wacid.0', now), connectCall('wacid.1', now)] })
  await handled()
  expect([seen, faults.length]).toEqual([['wacid.0', 'wacid.1'], 1])
})

it('forgets the oldest of many ids', async () => {
  const calls = (from: number) => Array.from({ length: 1000 }, (_, n) => terminateCall(`wacid.${from + n}`, now))
  for (let from = 0; from < 21_000; from += 1000) {
    await deliver({ calls: calls(from) })
    await handled()
  }
  await deliver({ calls: [...calls(0).slice(0, 1), ...calls(20_000).slice(-1)] })
  await handled()
  expect(intake.counts).toMatchObject({ taken: 21_001, duplicate: 1 })
})
