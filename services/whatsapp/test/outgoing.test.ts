import { expect, it } from 'vitest'
import { Desk } from './support/desk.ts'

const number = '491701234567'
const key = 'out-1'

function dialing(): Desk {
  const made = new Desk()
  made.do((calls) => calls.arrive('Anna'))
  return made.do((calls, now) => calls.dial('Anna', number, now))
}

/** Meta has taken the call. */
const taken = () => dialing().reply(key).describe(key).reply(key, { ok: true, id: 'm' })
const ends = (made: Desk) => made.records.map(({ ending }) => ending.reason)

function expectClean(made: Desk): void {
  expect([made.calls.size, made.wakes.size, made.pending.size]).toEqual([0, 0, 0])
  expect([...made.legs.values()].every(({ closed }) => closed)).toBe(true)
}

it('asks for the permission, offers media, calls, and shows ringing and answered as they happen', () => {
  const made = dialing()
  expect([made.actions(key), made.legs.size]).toEqual([['permission'], 0])
  made.reply(key)
  expect(made.legs.get(key)?.offer).toBeUndefined()
  made.describe(key).reply(key, { ok: true, id: 'm' })
  expect(made.requests.get(key)?.at(-1)).toEqual({ action: 'connect', number, sdp: `sdp of ${key}` })
  made.joins('m')
  expect(made.legs.get(key)).toMatchObject({ answer: 'answer of m', agent: 'Anna' })
  expect(made.heardBy('Anna', key)).toEqual(['calling'])
  made.status('m', 'RINGING').status('m', 'RINGING').status('m', 'ACCEPTED').status('m', 'RINGING')
  expect(made.heardBy('Anna', key)).toEqual(['calling', 'ringing', 'answered'])
  made.do((calls, now) => calls.hangUp('Anna', key, now))
  expect(made.requests.get(key)?.at(-1)).toEqual({ action: 'terminate', id: 'm' })
  expectClean(made.reply(key))
  expect(made.records).toMatchObject([{ id: 'm', agent: 'Anna', direction: 'business', answeredAt: made.now }])
})

it('notes the id from the answer to connect until Meta knows that it is over', () => {
  expect([...dialing().reply(key).describe(key).alive]).toEqual([])
  const made = taken()
  expect([...made.alive]).toEqual(['m'])
  made.do((calls, now) => calls.hangUp('Anna', key, now))
  expect([...made.alive]).toEqual(['m'])
  expect([...made.reply(key).alive]).toEqual([])
  expect([...taken().terminate('m').alive]).toEqual([])
})

it('says why it may not call, and calls nobody', () => {
  const made = dialing().reply(key, { ok: false, reason: 'no-permission', uncertain: false })
  expect(made.actions(key)).toEqual(['permission'])
  expect(made.told.at(-1)?.event).toEqual({ type: 'call-ended', reason: 'failed', cause: 'no-permission' })
  expectClean(made)
})

it('believes webhooks that come before the answer to connect, in any order', () => {
  for (const order of [
    ['joins', 'RINGING', 'ACCEPTED'],
    ['ACCEPTED', 'RINGING', 'joins'],
  ] as const) {
    const made = dialing().reply(key).describe(key)
    for (const what of order) {
      if (what === 'joins') made.joins('m')
      else made.status('m', what)
    }
    made.reply(key, { ok: true, id: 'm' })
    expect(made.heardBy('Anna', key).at(-1)).toBe('answered')
    expect(made.legs.get(key)?.answer).toBe('answer of m')
  }
})

it('is over when terminate came before the answer to connect', () => {
  const made = dialing().reply(key).describe(key).joins('m').terminate('m').reply(key, { ok: true, id: 'm' })
  expect([made.actions(key), ends(made)]).toEqual([['permission', 'connect'], ['customer-hung-up']])
  expectClean(made)
})

it('sends no terminate when the customer declines', () => {
  const made = taken().joins('m').status('m', 'RINGING').status('m', 'REJECTED').terminate('m')
  expect([made.actions(key), ends(made)]).toEqual([['permission', 'connect'], ['rejected']])
  expectClean(made)
})

it('was answered, says its record, when Meta tells of a duration and ACCEPTED never came', () => {
  const made = taken().joins('m').pass(50_000).terminate('m', undefined, 40)
  expect(made.records[0]?.answeredAt).toBe(made.now - 40_000)
  expectClean(made)
})

it('rings for a minute, whatever the media does', () => {
  const made = taken().joins('m').status('m', 'RINGING')
  made.do((calls, now) => calls.heard(key, now)).pass(59_999)
  expect(made.records).toEqual([])
  expect(ends(made.pass(1))).toEqual(['no-answer'])
  expect(made.actions(key).at(-1)).toBe('terminate')
  expectClean(made.reply(key))
})

it('terminates a call that its agent gave up before Meta had answered', () => {
  const made = dialing().reply(key).describe(key)
  made.do((calls, now) => calls.hangUp('Anna', key, now))
  expect(made.actions(key)).toEqual(['permission', 'connect'])
  made.reply(key, { ok: true, id: 'm' })
  expect(made.requests.get(key)?.at(-1)).toEqual({ action: 'terminate', id: 'm' })
  expectClean(made.reply(key))
})

it('terminates a call whose id was lost with the answer to connect, and none of a stranger', () => {
  const made = dialing().reply(key).describe(key)
  made.reply(key, { ok: false, reason: 'unreachable', uncertain: true })
  expectClean(made)
  made.joins('stranger', '4900')
  expect(made.requests.has('stranger')).toBe(false)
  made.joins('m')
  expect(made.requests.get('m')).toEqual([{ action: 'terminate', id: 'm' }])
  made.reply('m').joins('m')
  expect(made.actions('m')).toEqual(['terminate'])
})

it('lets an agent make one call at a time, and no call ring there meanwhile', () => {
  const made = dialing()
  made.do((calls, now) => expect(calls.dial('Anna', '4900', now)).toBeUndefined())
  made.do((calls, now) => expect(calls.dial('nobody', '4900', now)).toBeUndefined())
  expect(made.connect('c').heardBy('Anna', 'c')).toEqual([])
})

it('takes a call off the agent when silence lasts after the answer', () => {
  const made = taken().joins('m').status('m', 'ACCEPTED').pass(20_000)
  expect(ends(made)).toEqual(['no-media'])
  expectClean(made.reply(key))
})
