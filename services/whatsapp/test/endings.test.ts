import { describe, expect, it } from 'vitest'
import { Desk } from './support/desk.ts'

const refused = { ok: false, reason: 'bad-request', uncertain: false } as const
/** HTTP status 500: Meta may have done it all the same. */
const failed = { ok: false, reason: 'connection-error', uncertain: true } as const
const key = 'out-1'

const desk = () => new Desk().do((calls) => calls.arrive('Anna')).do((calls) => calls.arrive('Ben'))
const answered = () => ringing().do((calls) => calls.answer('Anna', 'c'))
const ringing = () => desk().connect('c').describe('c').reply('c')
const talking = () => answered().reply('c')
const dialing = () => desk().do((calls, now) => calls.dial('Anna', '4900', now))
const taken = () => dialing().reply(key).describe(key).reply(key, { ok: true, id: 'm' })

interface State {
  readonly call: Desk
  /** What tells Meta that the call is over; undefined: Meta has no call yet. */
  readonly farewell: 'reject' | 'terminate' | undefined
}

/** A customer's call at each step. */
const incoming: Record<string, () => State> = {
  'has no SDP yet': () => ({ call: desk().connect('c'), farewell: 'reject' }),
  'is being pre-accepted': () => ({ call: desk().connect('c').describe('c'), farewell: 'reject' }),
  rings: () => ({ call: ringing(), farewell: 'reject' }),
  'is being accepted': () => ({ call: answered(), farewell: 'terminate' }),
  'is talked in': () => ({ call: talking(), farewell: 'terminate' }),
  'is on hold': () => ({
    call: talking().do((calls, now) => calls.hold('Anna', 'c', true, now)),
    farewell: 'terminate',
  }),
  'is handed over': () => ({
    call: talking().do((calls) => calls.transfer('Anna', 'c', 'Ben')),
    farewell: 'terminate',
  }),
  'has lost its agent': () => ({
    call: talking().do((calls, now) => calls.leave('Anna', now)),
    farewell: 'terminate',
  }),
}

/** A call of the business at each step. */
const outgoing: Record<string, () => State> = {
  'waits for the permission': () => ({ call: dialing(), farewell: undefined }),
  'has no SDP yet': () => ({ call: dialing().reply(key), farewell: undefined }),
  'is being connected': () => ({ call: dialing().reply(key).describe(key), farewell: 'terminate' }),
  'is taken by Meta': () => ({ call: taken(), farewell: 'terminate' }),
  rings: () => ({ call: taken().joins('m').status('m', 'RINGING'), farewell: 'terminate' }),
  'is talked in': () => ({ call: taken().joins('m').status('m', 'ACCEPTED'), farewell: 'terminate' }),
}

const isFarewell = (action: string) => action === 'reject' || action === 'terminate'

/** What is under way gets its answer, and nothing is left. */
function expectEnd({ call, farewell }: State, id: string, reason: string): void {
  for (let n = 0; n < 3 && call.pending.size > 0; n++)
    for (const request of [...call.pending.values()])
      call.reply(id, request.action === 'connect' ? { ok: true, id: 'm' } : { ok: true })
  expect(call.records.map(({ ending }) => ending.reason)).toEqual([reason])
  expect(call.actions(id).filter(isFarewell)).toEqual(farewell === undefined ? [] : [farewell])
  expect([call.calls.size, call.wakes.size, call.pending.size, call.alive.size]).toEqual([0, 0, 0, 0])
  expect([...call.legs.values()].every(({ closed }) => closed)).toBe(true)
  expect([call.calls.isFree('Ben'), call.calls.agentOf(id)]).toEqual([true, undefined])
  const told = call.told.filter(({ event }) => event.type === 'call-ended')
  expect(new Set(told.map(({ agent }) => agent)).size).toBe(told.length)
}

describe.each(Object.entries(incoming))("a customer's call that %s", (_name, state) => {
  it('ends without a word to Meta when the customer hangs up', () => {
    const { call } = state()
    expectEnd({ call: call.terminate('c'), farewell: undefined }, 'c', 'customer-hung-up')
  })

  it('ends with what is due when the service stops', () => {
    const { call, farewell } = state()
    call.do((calls, now) => calls.endAll(now))
    expectEnd({ call, farewell }, 'c', 'stopped')
  })

  it('ends with what is due when its media is lost', () => {
    const { call, farewell } = state()
    call.do((calls, now) => calls.legLost('c', now))
    expectEnd({ call, farewell }, 'c', 'no-media')
  })

  it('ends by time alone: nobody answers, nobody is heard, or the agent stays away', () => {
    const { call, farewell } = state()
    const [request] = call.pending.values()
    if (request?.action === 'accept') call.reply('c')
    const agent = call.calls.agentOf('c')
    const isHere = agent !== undefined && call.calls.isHere(agent)
    call.pass(agent === undefined ? 45_000 : 20_000)
    expectEnd({ call, farewell }, 'c', agent === undefined ? 'no-answer' : isHere ? 'no-media' : 'agent-lost')
  })
})

describe.each(Object.entries(outgoing))('a call of the business that %s', (_name, state) => {
  it('ends with what is due when its agent hangs up', () => {
    const { call, farewell } = state()
    call.do((calls, now) => calls.hangUp('Anna', key, now))
    expectEnd({ call, farewell }, key, 'agent-hung-up')
  })

  it('ends with what is due when the service stops', () => {
    const { call, farewell } = state()
    call.do((calls, now) => calls.endAll(now))
    expectEnd({ call, farewell }, key, 'stopped')
  })

  it('ends with what is due when its agent is lost', () => {
    const { call, farewell } = state()
    call.do((calls, now) => calls.leave('Anna', now)).pass(20_000)
    const ends = call.records[0]?.ending.reason
    expect(['agent-lost', 'no-media']).toContain(ends)
    expectEnd({ call, farewell }, key, ends!)
  })
})

describe('an answer with status 500', () => {
  it('to pre_accept does not end a call; to accept it does, with terminate, for Meta may have taken it', () => {
    const call = desk().connect('c').describe('c').reply('c', failed)
    expect(call.records).toEqual([])
    call.do((calls) => calls.answer('Anna', 'c')).reply('c', failed)
    expectEnd({ call, farewell: 'terminate' }, 'c', 'failed')
  })

  it.each(['reject', 'terminate'] as const)('to %s leaves nothing behind', (farewell) => {
    const call = farewell === 'reject' ? ringing() : talking()
    call.do((calls, now) => calls.endAll(now)).reply('c', failed)
    expectEnd({ call, farewell }, 'c', 'stopped')
  })

  it('to the question for the permission, or to connect, ends a call of the business', () => {
    expectEnd({ call: dialing().reply(key, failed), farewell: undefined }, key, 'failed')
    expectEnd({ call: dialing().reply(key).describe(key).reply(key, failed), farewell: undefined }, key, 'failed')
  })
})

it('ends what Meta refuses, each with the farewell of its state', () => {
  expectEnd({ call: desk().connect('c').describe('c').reply('c', refused), farewell: 'reject' }, 'c', 'failed')
  expectEnd({ call: answered().reply('c', refused), farewell: 'reject' }, 'c', 'failed')
})

it('ends after 30 s of silence in the middle of a call, on hold as well', () => {
  for (const held of [false, true]) {
    const call = talking().do((calls, now) => calls.heard('c', now))
    call.do((calls, now) => calls.hold('Anna', 'c', held, now)).pass(29_999)
    expect(call.records).toEqual([])
    expectEnd({ call: call.pass(1), farewell: 'terminate' }, 'c', 'no-media')
  }
})
