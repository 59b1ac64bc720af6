import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Numbers } from '../src/core/numbers.ts'
import { readUpdates } from '../src/core/updates.ts'
import { connectCall, contacts, envelope, phoneNumberId, terminateCall } from './support/payloads.ts'

const at = 1_671_644_824_000
const read = (value: Record<string, unknown>, id?: string) => readUpdates(envelope(value, id), phoneNumberId)

it("reads a user's call, with the name and the number of the contact", () => {
  expect(read({ contacts, calls: [connectCall('wacid.A', at, 'v=0')] })).toEqual({
    updates: [
      {
        kind: 'connect',
        id: 'wacid.A',
        at,
        direction: 'user',
        number: '16315553602',
        name: 'Maria',
        sdpType: 'offer',
        sdp: 'v=0',
      },
    ],
    passedOver: 0,
  })
})

it('believes the contact where a sample swaps from and to, and does without contacts and numbers', () => {
  const swapped = { ...connectCall('wacid.A', at), from: '16315553601', to: '16315553602' }
  expect(read({ contacts, calls: [swapped] }).updates).toMatchObject([{ number: '16315553602' }])
  const { from, to, ...bare } = connectCall('wacid.A', at)
  expect(read({ calls: [bare] }).updates).toMatchObject([{ number: undefined, name: undefined }])
  expect([from, to]).toEqual(['16315553602', '16315553601'])
})

it('reads the answer of a call of the business, also where it is in the older place', () => {
  const { session, ...call } = connectCall('wacid.B', at)
  const answer = { ...call, direction: 'BUSINESS_INITIATED' }
  const places = [{ session: { ...session, sdp_type: 'answer' } }, { connection: { webrtc: { sdp: session.sdp } } }]
  for (const place of places)
    expect(read({ calls: [{ ...answer, ...place }] }).updates).toMatchObject([
      { direction: 'business', sdpType: 'answer', sdp: session.sdp },
    ])
})

it('reads how a call ended, in either spelling of the status, with the error beside or in it', () => {
  const ended = (more: Record<string, unknown>, errors?: unknown) =>
    read({ calls: [terminateCall('wacid.A', at, more)], errors: errors ?? [] }).updates[0]
  expect(ended({ status: 'Completed', duration: 120 })).toMatchObject({ completed: true, duration: 120 })
  expect(ended({ status: 'FAILED' }, [{ code: 138021, message: 'x' }])).toMatchObject({
    completed: false,
    code: 138021,
  })
  expect(ended({ status: 'FAILED', errors: [{ code: 138023 }] })).toMatchObject({ code: 138023 })
})

it('reads statuses of calls and replies to permission requests among other messages', () => {
  const reply = {
    id: 'wamid.1',
    from: '16315553602',
    timestamp: '1671644824',
    type: 'interactive',
    interactive: {
      type: 'call_permission_reply',
      call_permission_reply: { response: 'accept', expiration_timestamp: '1768550400', response_source: 'automatic' },
    },
  }
  const statuses = [
    { id: 'wacid.B', timestamp: '1671644824', type: 'call', status: 'RINGING', recipient_id: '1' },
    { id: 'wamid.9', timestamp: '1671644824', status: 'delivered', recipient_id: '1' },
  ]
  const { updates, passedOver } = read({ statuses, messages: [reply, { id: 'wamid.2', type: 'text' }] })
  expect(updates).toEqual([
    { kind: 'status', id: 'wacid.B', at, status: 'RINGING' },
    {
      kind: 'permission',
      id: 'wamid.1',
      at,
      number: '16315553602',
      granted: true,
      permanent: false,
      expiresAt: 1_768_550_400_000,
      automatic: true,
    },
  ])
  expect(passedOver).toBe(2)
})

describe('a reply of a customer with a username', () => {
  const reply = (more: Record<string, unknown>) => ({
    id: 'wamid.1',
    timestamp: '1671644824',
    type: 'interactive',
    interactive: { type: 'call_permission_reply', call_permission_reply: { response: 'reject' } },
    ...more,
  })
  const nameless = { kind: 'nameless-reply', userId: 'DE.1', granted: false }

  it('is of the number that a contact beside it has', () => {
    const messages = [reply({ from_user_id: 'DE.1' })]
    for (const contact of [{ wa_id: '49170', user_id: 'DE.1' }, { wa_id: '49170' }])
      expect(read({ contacts: [contact], messages }).updates).toMatchObject([{ kind: 'permission', number: '49170' }])
    for (const contacts of [[{ wa_id: '49170', user_id: 'DE.2' }], [{ wa_id: '49170' }, { wa_id: '49171' }]])
      expect(read({ contacts, messages }).updates).toMatchObject([nameless])
  })

  it('is of the number that an earlier webhook had for the id, whatever it was about', () => {
    const numbers = new Numbers()
    const later = (value: Record<string, unknown>) => readUpdates(envelope(value), phoneNumberId, numbers).updates[0]
    expect(later({ messages: [reply({ from_user_id: 'DE.1' })] })).toMatchObject(nameless)
    later({ contacts: [{ wa_id: '49170', user_id: 'DE.1' }], calls: [connectCall('wacid.A', at)] })
    expect(later({ messages: [reply({ from_user_id: 'DE.1' })] })).toMatchObject({
      kind: 'permission',
      number: '49170',
    })
    later({ messages: [reply({ from: '49171', from_user_id: 'DE.2' })] })
    const { from, ...call } = connectCall('wacid.B', at)
    expect(later({ calls: [{ ...call, from_user_id: 'DE.2' }] })).toMatchObject({ kind: 'connect', number: '49171' })
    expect(from).toBeDefined()
  })

  it('is kept apart when neither is known, also without any id', () => {
    expect(read({ messages: [reply({})] })).toMatchObject({ updates: [{ kind: 'nameless-reply' }], passedOver: 0 })
  })

  it('needs no more memory than for the last ones', () => {
    const numbers = new Numbers(2)
    for (const n of [1, 2, 1, 3]) numbers.learn(`u${n}`, `49${n}`)
    expect(['u1', 'u2', 'u3'].map((id) => numbers.of(id))).toEqual(['491', undefined, '493'])
  })
})

it("passes over another number's calls, and an offer where an answer belongs", () => {
  expect(read({ calls: [connectCall('wacid.A', at)] }, '1')).toEqual({ updates: [], passedOver: 1 })
  const wrong = { ...connectCall('wacid.A', at), direction: 'BUSINESS_INITIATED' }
  expect(read({ calls: [wrong] })).toEqual({ updates: [], passedOver: 1 })
})

it('never throws, whatever the JSON is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (anything, inside) => {
      readUpdates(anything, phoneNumberId)
      readUpdates({ entry: [{ changes: [inside] }, inside] }, phoneNumberId)
      readUpdates(
        envelope({ calls: [inside], statuses: [inside], messages: inside, contacts: [inside] }),
        phoneNumberId,
      )
    }),
  )
})
