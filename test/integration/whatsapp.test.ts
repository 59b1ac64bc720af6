/** WhatsApp calls through `npm start`: Meta's side simulated, agents on real WebSockets, media on the wire. */
import type { Phone } from '@hairpin/whatsapp-simulator'
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
