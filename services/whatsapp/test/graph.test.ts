import { type SimulatedCall, Simulator } from '@hairpin/whatsapp-simulator'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { businessSdp } from '../../../packages/whatsapp-simulator/test/support/business.ts'
import { type CallReason, reasonOf, reasonTexts } from '../src/core/reasons.ts'
import { GraphClient } from '../src/graph/client.ts'

const phoneNumberId = '106540352242922'
const accessToken = 'EAAB-the-access-token'
const customer = '491701234567'
const answer = businessSdp('active')
const offer = businessSdp('actpass')
let now = 1_700_000_000_000
let simulator: Simulator
let client: GraphClient
let url: string

beforeEach(async () => {
  now = 1_700_000_000_000
  simulator = new Simulator({ phoneNumberId, accessToken, appSecret: 'x', deliver: () => {}, now: () => now })
  url = await simulator.listen()
  client = newClient()
})
afterEach(async () => {
  client.close()
  await simulator.close()
})

const newClient = (more: { url?: string; timeout?: number; accessToken?: () => string } = {}) =>
  new GraphClient({ url, phoneNumberId, accessToken: () => accessToken, retryDelay: 1, ...more })
const incoming = (): SimulatedCall => simulator.userCalls(customer, 'Maria', 'v=0\r\n')

describe('a call of a customer', () => {
  it('is pre-accepted, accepted with the same SDP and terminated', async () => {
    const call = incoming()
    for (const result of [
      await client.preAccept(call.id, answer),
      await client.accept(call.id, answer, 'our own id'),
      await client.terminate(call.id),
    ])
      expect(result).toEqual({ ok: true, value: undefined })
    expect(call.actions).toEqual(['pre_accept', 'accept', 'terminate'])
    expect(new Set(simulator.authorizations)).toEqual(new Set([`Bearer ${accessToken}`]))
  })

  it('is rejected', async () => {
    const call = incoming()
    expect((await client.reject(call.id)).ok).toBe(true)
    expect(call.ended).toBe(true)
  })

  it('tells why Meta refused: another SDP, too long data, no such call', async () => {
    const call = incoming()
    await client.preAccept(call.id, answer)
    const refused = { ok: false, code: 100, status: 400, reason: 'bad-request', trace: 'Abc', uncertain: false }
    expect(await client.accept(call.id, businessSdp('active', 78))).toMatchObject(refused)
    expect(await client.accept(call.id, answer, 'x'.repeat(513))).toMatchObject(refused)
    expect(await client.terminate('wacid.nobody')).toMatchObject(refused)
  })
})

describe('a call to a customer', () => {
  it('needs a permission, which is asked for and shown with its limits', async () => {
    expect(await client.connect(customer, offer)).toMatchObject({ ok: false, reason: 'no-permission', code: 138006 })
    expect(await client.permission(customer)).toEqual({
      ok: true,
      value: { status: 'no_permission', expiresAt: undefined, mayCall: false, mayAsk: true, mayCallAt: undefined },
    })
    expect((await client.requestPermission(customer, 'May we call you?')).ok).toBe(true)
    expect(await client.requestPermission(customer, 'Please?')).toMatchObject({ reason: 'permission-requests-limited' })
    simulator.permissions.grant(customer)
    const until = now + 168 * 3_600_000
    expect(await client.permission(customer)).toMatchObject({ value: { mayCall: true, expiresAt: until } })
    const result = await client.connect(customer, offer)
    expect(result.ok && simulator.calls.get(result.value)?.sdp).toBe(offer)
    expect(await client.connect(customer, offer)).toMatchObject({ reason: 'duplicate-call' })
  })

  it('may be made again when the limit of a day has passed, and not after four that nobody answered', async () => {
    simulator.permissions.grant(customer, true)
    for (let n = 0; n < 100; n++) simulator.permissions.called(customer, true)
    expect(await client.connect(customer, offer)).toMatchObject({ reason: 'daily-limit' })
    expect(await client.permission(customer)).toMatchObject({ value: { mayCall: false, mayCallAt: now + 86_400_000 } })
    now += 86_400_001
    expect(await client.permission(customer)).toMatchObject({ value: { mayCall: true, mayCallAt: undefined } })
    for (let n = 0; n < 4; n++) simulator.permissions.called(customer, false)
    expect(await client.connect(customer, offer)).toMatchObject({ reason: 'no-permission' })
  })
})

it('reads and changes the settings of calls', async () => {
  expect(await client.settings()).toMatchObject({ ok: true, value: { status: 'ENABLED' } })
  expect((await client.changeSettings({ status: 'DISABLED' })).ok).toBe(true)
  expect(await client.settings()).toMatchObject({ value: { status: 'DISABLED', sip: { status: 'DISABLED' } } })
})

describe('trouble', () => {
  it('repeats what changes nothing when repeated, once', async () => {
    const call = incoming()
    simulator.failNext('call_permissions', 'drop')
    simulator.failNext('reject', [500, 138004], [500, 138004], [500, 138004])
    expect((await client.permission(customer)).ok).toBe(true)
    expect(await client.reject(call.id)).toMatchObject({ reason: 'connection-error', code: 138004, uncertain: true })
    expect(simulator.requests).toEqual(['call_permissions', 'call_permissions', 'reject', 'reject'])
  })

  it('never repeats an accept or a call that may have arrived', async () => {
    const call = incoming()
    await client.preAccept(call.id, answer)
    simulator.permissions.grant(customer)
    simulator.failNext('accept', 'drop-after')
    expect(await client.accept(call.id, answer)).toMatchObject({ ok: false, reason: 'unreachable', uncertain: true })
    simulator.ends(call)
    simulator.failNext('connect', [500])
    expect(await client.connect(customer, offer)).toMatchObject({ reason: 'connection-error', uncertain: true })
    expect(simulator.requests).toEqual(['pre_accept', 'accept', 'connect'])
  })

  it('is certain that nothing happened when nobody listens', async () => {
    const { port } = new URL(url)
    await simulator.close()
    const deaf = newClient({ url: `http://127.0.0.1:${port}/v23.0` })
    expect(await deaf.accept('wacid.1', answer)).toMatchObject({ reason: 'unreachable', uncertain: false })
  })

  it('waits no longer than it was told, and not at all once it is closed', async () => {
    simulator.failNext('accept', 'hang', 'hang')
    const hasty = newClient({ timeout: 30 })
    expect(await hasty.accept('wacid.1', answer)).toMatchObject({ message: 'no answer in time', uncertain: true })
    const slow = newClient({ timeout: 60_000 })
    const pending = slow.accept('wacid.1', answer)
    slow.close()
    expect(await pending).toMatchObject({ ok: false, reason: 'unreachable' })
  })

  it('takes no answer of another form than documented', async () => {
    simulator.failNext('settings', [200])
    expect(await client.settings()).toMatchObject({ ok: false, reason: 'unknown' })
  })

  it('tells of a wrong access token without showing it', async () => {
    const failure = await newClient({ accessToken: () => 'EAAB-wrong' }).terminate('wacid.1')
    expect(failure).toMatchObject({ ok: false, reason: 'access-denied', code: 190 })
    expect(JSON.stringify(failure)).not.toContain('EAAB')
  })
})

it("has a reason and a text for every code of Meta's table, and for what is in none", () => {
  const codes = [100, 613, 131044, 131055, 138000, 138001, 138002, 138003, 138004, 138005, 138006, 138007, 138009]
  const more = [138012, 138013, 138014, 138017, 138019, 138020, 138021, 138022, 138023, 190, 200, 4]
  const reasons = new Set<CallReason>([...codes, ...more].map((code) => reasonOf(code)))
  expect(reasons.has('unknown')).toBe(false)
  expect(reasonOf(undefined, 429)).toBe('rate-limited')
  expect(reasonOf(1, 502)).toBe('connection-error')
  expect(reasonOf(99_999, 400)).toBe('unknown')
  const covered = new Set([...reasons, 'unknown', 'unreachable'])
  expect(new Set(Object.keys(reasonTexts))).toEqual(covered)
})
