/** WhatsApp calls through `npm start`: Meta's side simulated, agents on real WebSockets, media on the wire. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallsReport } from '@hairpin/whatsapp/records'
import { Phone, until } from '@hairpin/whatsapp-simulator'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Client } from '../../services/signaling/test/support/client.ts'
import { metric, type Standalone } from '../helpers/standalone.ts'
import {
  agentDevice,
  customerCalls,
  type Meta,
  startMeta,
  startWhatsapp,
  take,
  talk,
  verifyToken,
} from '../helpers/whatsapp.ts'

let meta: Meta
let stack: Standalone
const devices: Client[] = []
const phones: Phone[] = []

const agent = async (name: string) => {
  const device = await agentDevice(stack, name)
  devices.push(device)
  return device
}
const kept = <T extends Phone>(phone: T): T => {
  phones.push(phone)
  return phone
}

beforeAll(async () => {
  meta = await startMeta()
  stack = await startWhatsapp(meta)
})

afterEach(async () => {
  for (const device of devices.splice(0)) device.socket.close()
  for (const phone of phones.splice(0)) await phone.close()
})

afterAll(async () => {
  await stack?.stop()
  await meta?.close()
})

test('the webhook proves itself to Meta, and believes nobody else', async () => {
  const sender = meta.webhooksTo(`${stack.url}call-events`)
  expect(await sender.verify(verifyToken)).toBe('verified')
  expect(await sender.verify('another token')).toEqual({ refused: 'HTTP 403' })
  const forged = await fetch(`${stack.url}call-events`, {
    method: 'POST',
    headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` },
    body: '{}',
  })
  expect([forged.status, await forged.json()]).toEqual([
    401,
    { error: expect.objectContaining({ code: 'WHATSAPP_SIGNATURE_INVALID' }) },
  ])
  expect(stack.output()).not.toContain('the app secret')
})

test('a customer’s call rings at all agents, one takes it, both talk, and its end is recorded', async () => {
  const [anna, ben, bensPhone] = [await agent('anna'), await agent('ben'), await agent('ben')]
  const { call, phone } = await customerCalls(meta, '491701234567')
  kept(phone)
  for (const device of [anna, ben, bensPhone])
    expect(await device.next('call-is-coming')).toMatchObject({
      callId: call.id,
      callerName: 'Maria',
      callerNumber: '491701234567',
    })
  const browser = kept(await take(ben, call.id))
  for (const device of [anna, bensPhone])
    expect(await device.next('answered-elsewhere')).toMatchObject({ callId: call.id, name: 'Maria' })
  expect(await ben.next('call-state')).toMatchObject({
    state: 'connected',
    direction: 'user',
    held: false,
    resumed: false,
  })
  await anna.next('agent', ({ agents }) => agents.some(({ name, free }) => name === 'ben' && !free))
  await talk(phone, browser)
  expect(metric(await stack.metrics(), 'hairpin_whatsapp_calls')).toBe(1)

  meta.simulator.ends(call)
  expect(await ben.next('call-ended')).toMatchObject({ callId: call.id, name: 'Maria', reason: 'customer-hung-up' })
  await anna.next('agent', ({ agents }) => agents.every(({ free }) => free))
  expect(anna.received.some(({ type }) => type === 'call-ended')).toBe(false)
  expect(meta.simulator.violations).toEqual([])
  const text = await stack.metrics()
  expect(metric(text, 'hairpin_whatsapp_calls_total', { direction: 'user', outcome: 'completed' })).toBe(1)
  expect(metric(text, 'hairpin_whatsapp_requests_total', { action: 'accept', code: 'ok' })).toBe(1)
  expect(metric(text, 'hairpin_whatsapp_calls')).toBe(0)
})

test('an agent’s page that is loaded anew finds its call, and a second device may take it over', async () => {
  const first = await agent('ben')
  const { call, phone } = await customerCalls(meta, '491701234568')
  kept(phone)
  kept(await take(first, call.id))
  await first.next('call-state', ({ state }) => state === 'connected')
  first.socket.terminate()
  await first.closed

  const second = await agent('ben')
  expect(await second.next('call-state')).toMatchObject({
    callId: call.id,
    state: 'connected',
    callerNumber: '491701234568',
    answeredAt: expect.any(Number),
    resumed: true,
  })
  await talk(phone, kept(await take(second, call.id)))

  const third = await agent('ben')
  expect(await third.next('call-state')).toMatchObject({ callId: call.id, resumed: true })
  const browser = kept(await take(third, call.id))
  expect(await second.next('answered-elsewhere')).toMatchObject({ callId: call.id })
  await talk(phone, browser)

  third.socket.terminate()
  expect(await second.next('call-state')).toMatchObject({ callId: call.id, state: 'connected', resumed: true })
  await talk(phone, kept(await take(second, call.id)))
  second.send({ type: 'call-over', callId: call.id })
  expect(await second.next('call-ended')).toMatchObject({ reason: 'agent-hung-up' })
  await until(() => call.ended, 'Meta was told')
  expect(call.actions).toEqual(['pre_accept', 'accept', 'terminate'])
})

test('a call is held, handed over, and declined by all', async () => {
  const [anna, ben] = [await agent('anna'), await agent('ben')]
  const { call, phone } = await customerCalls(meta, '491701234569')
  kept(phone)
  kept(await take(anna, call.id))
  await anna.next('call-state', ({ state }) => state === 'connected')
  anna.send({ type: 'call-hold', callId: call.id, held: true })
  await anna.next('call-state', ({ held }) => held)
  await anna.next('agent', ({ agents }) => agents.some(({ name, free }) => name === 'ben' && free))
  anna.send({ type: 'call-transfer', callId: call.id, to: 'nobody' })
  expect(await anna.next('error')).toMatchObject({
    code: 'SIG_TARGET_UNKNOWN',
    about: 'call-transfer',
    callId: call.id,
  })
  anna.send({ type: 'call-transfer', callId: call.id, to: 'ben' })
  expect(await ben.next('call-is-coming', ({ transferredBy }) => transferredBy !== undefined)).toMatchObject({
    callId: call.id,
    transferredBy: 'anna',
    callerName: 'Maria',
  })
  const browser = kept(await take(ben, call.id))
  await anna.next('call-transferred')
  expect(await ben.next('call-state')).toMatchObject({ state: 'connected', held: false })
  await talk(phone, browser)
  anna.send({ type: 'call-over', callId: call.id })
  expect(await anna.next('error')).toMatchObject({ code: 'SIG_NO_CALL', about: 'call-over' })
  meta.simulator.ends(call)
  await ben.next('call-ended')

  const { call: unwanted } = await customerCalls(meta, '491701234570')
  for (const device of [anna, ben]) {
    await device.next('call-is-coming', ({ callId }) => callId === unwanted.id)
    device.send({ type: 'call-decline', callId: unwanted.id })
  }
  await until(() => unwanted.ended, 'Meta was told')
  expect(unwanted.actions).toEqual(['pre_accept', 'reject'])
})

test('an agent asks a customer for permission, and calls', async () => {
  const number = '491701234571'
  const [anna, ben] = [await agent('anna'), await agent('ben')]
  anna.send({ type: 'call-dial', number })
  await anna.next('call-state', ({ state }) => state === 'calling')
  expect(await anna.next('call-ended')).toMatchObject({ name: number, reason: 'failed', cause: 'no-permission' })
  anna.send({ type: 'call-permission', number: '+49 170 1234571' })
  expect(await anna.next('call-permission')).toMatchObject({ number, status: 'none', mayCall: false })
  anna.send({ type: 'call-permission', number, request: true })
  expect(await anna.next('call-permission')).toMatchObject({ number, mayCall: false, event: 'requested' })
  anna.send({ type: 'call-permission', number, request: true })
  expect(await anna.next('error')).toMatchObject({
    code: 'SIG_CALL_REFUSED',
    message: expect.stringContaining('too often'),
  })
  meta.simulator.answersRequest(number, { granted: true })
  for (const device of [anna, ben])
    expect(await device.next('call-permission')).toMatchObject({
      status: 'temporary',
      mayCall: true,
      event: 'accepted',
    })

  anna.send({ type: 'call-dial', number: '+49 170 1234571' })
  const { callId } = await anna.next('call-state', ({ state }) => state === 'calling')
  const called = () => [...meta.simulator.calls.values()].find((call) => call.number === number && !call.ended)
  await until(() => called() !== undefined, 'Meta was asked')
  const call = called()!
  const phone = kept(new Phone())
  meta.simulator.watch(call, phone)
  meta.simulator.phoneConnects(call, await phone.answer(call.sdp!))
  const browser = kept(await take(anna, callId))
  meta.simulator.status(call, 'RINGING')
  expect(await anna.next('call-state', ({ state }) => state === 'ringing')).not.toHaveProperty('answeredAt')
  meta.simulator.status(call, 'ACCEPTED')
  expect(await anna.next('call-state', ({ state }) => state === 'answered')).toMatchObject({
    direction: 'business',
    callerNumber: number,
    answeredAt: expect.any(Number),
  })
  await talk(phone, browser)
  anna.send({ type: 'call-dial', number: '4930555555' })
  expect(await anna.next('error')).toMatchObject({ code: 'SIG_AGENT_BUSY', about: 'call-dial' })
  anna.send({ type: 'call-over', callId })
  await anna.next('call-ended')
  await until(() => call.ended, 'Meta was told')
})

test('what Meta refuses and what cannot carry a call is told to the agent in words', async () => {
  const anna = await agent('anna')
  const { call } = await customerCalls(meta, '491701234572')
  await anna.next('call-is-coming')
  anna.send({ type: 'browser-offer', callId: call.id, sdp: 'v=0\r\n' })
  expect(await anna.next('error')).toMatchObject({
    code: 'SIG_BAD_SDP',
    message: expect.stringContaining('SDP_NOT_AUDIO'),
    callId: call.id,
  })
  meta.simulator.failNext('accept', [500])
  anna.send({ type: 'browser-offer', callId: call.id, sdp: await kept(new Phone({ lite: false })).offer() })
  expect(await anna.next('call-ended')).toMatchObject({
    reason: 'failed',
    cause: 'connection-error',
    text: expect.any(String),
  })
  await until(() => call.ended, 'Meta was told')
  expect(metric(await stack.metrics(), 'hairpin_whatsapp_requests_total', { action: 'accept', code: '500' })).toBe(1)
  anna.send({ type: 'browser-offer', callId: call.id, sdp: 'v=0\r\n' })
  expect(await anna.next('error')).toMatchObject({ code: 'SIG_NO_CALL' })
})

test('records tell of all of it, to the holder of a key', async () => {
  const { apiKeys } = JSON.parse(await readFile(join(stack.dataDir, 'secrets.json'), 'utf8'))
  const ask = async (bearer: string) => {
    const answer = await fetch(`${stack.url}api/v1/whatsapp/calls`, { headers: { authorization: `Bearer ${bearer}` } })
    return { status: answer.status, body: (await answer.json()) as CallsReport }
  }
  expect((await ask('wrong')).status).toBe(401)
  const { status, body } = await ask(apiKeys[0].key)
  expect(status).toBe(200)
  const first = body.calls.at(-1)!
  expect(first).toMatchObject({ direction: 'user', number: '…4567', agent: 'ben', outcome: 'completed' })
  expect(first.toAgent.packets).toBeGreaterThan(0)
  expect(first.toWhatsapp.bytes).toBeGreaterThan(0)
  const outcomes = body.calls.map(({ outcome }) => outcome)
  expect(outcomes).toEqual(['failed', 'completed', 'failed', 'declined', 'completed', 'completed', 'completed'])
  expect(JSON.stringify(body)).not.toContain('491701234567')
})

test('stopping ends the calls at Meta, and tells the agent', async () => {
  const anna = await agent('anna')
  const { call, phone } = await customerCalls(meta, '491701234573')
  kept(phone)
  kept(await take(anna, call.id))
  await anna.next('call-state', ({ state }) => state === 'connected')
  await stack.stop()
  expect(await anna.next('call-ended')).toMatchObject({ reason: 'stopped' })
  expect([call.ended, call.actions]).toEqual([true, ['pre_accept', 'accept', 'terminate']])
})
