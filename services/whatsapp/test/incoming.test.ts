import { describe, expect, it } from 'vitest'
import { Desk } from './support/desk.ts'

const refused = { ok: false, reason: 'connection-error', uncertain: false } as const
const lostAnswer = { ok: false, reason: 'unreachable', uncertain: true } as const

function desk(...agents: string[]): Desk {
  const made = new Desk()
  for (const agent of agents) made.do((calls) => calls.arrive(agent))
  return made
}

/** A call that `agent` talks in. */
function talking(agent = 'Anna', ...others: string[]): Desk {
  return desk(agent, ...others)
    .connect('c')
    .describe('c')
    .reply('c')
    .do((calls) => calls.answer(agent, 'c'))
    .reply('c')
}

function expectClean(made: Desk): void {
  expect([made.calls.size, made.wakes.size, made.pending.size]).toEqual([0, 0, 0])
  expect([...made.legs.values()].every(({ closed }) => closed)).toBe(true)
}

const ends = (made: Desk) => made.records.map(({ ending }) => ending.reason)

it('pre-accepts at once, while all agents ring, and accepts with the same SDP when one answers', () => {
  const made = desk('Anna', 'Ben', 'Cem').connect('c')
  expect(made.legs.get('c')?.offer).toBe('offer of c')
  for (const agent of ['Anna', 'Ben', 'Cem']) expect(made.heardBy(agent, 'c')).toEqual(['call-is-coming'])
  made.describe('c')
  expect([made.actions('c'), made.legs.get('c')?.started]).toEqual([['pre_accept'], false])
  made.reply('c')
  expect(made.legs.get('c')?.started).toBe(true)
  made.do((calls) => expect(calls.answer('Ben', 'c')).toBe('won'))
  expect(made.requests.get('c')).toEqual([
    { action: 'pre_accept', id: 'c', sdp: 'sdp of c' },
    { action: 'accept', id: 'c', sdp: 'sdp of c' },
  ])
  for (const agent of ['Anna', 'Cem'])
    expect(made.heardBy(agent, 'c')).toEqual(['call-is-coming', 'answered-elsewhere'])
  made.do((calls) => expect(calls.answer('Anna', 'c')).toBe('lost'))
  made.do((calls) => expect(calls.answer('Ben', 'c')).toBe('lost'))
})

it('opens the media only after the 200 to accept', () => {
  const made = desk('Anna').connect('c').describe('c').reply('c')
  made.do((calls) => calls.answer('Anna', 'c'))
  expect(made.legs.get('c')?.agent).toBeUndefined()
  made.reply('c')
  expect(made.legs.get('c')?.agent).toBe('Anna')
  expect(made.heardBy('Anna', 'c')).toEqual(['call-is-coming', 'connected'])
})

it('waits with accept for pre_accept and with pre_accept for the SDP, when an agent is quick', () => {
  const made = desk('Anna').connect('c')
  made.do((calls) => calls.answer('Anna', 'c'))
  expect(made.actions('c')).toEqual([])
  made.describe('c')
  expect(made.actions('c')).toEqual(['pre_accept'])
  made.reply('c')
  expect(made.actions('c')).toEqual(['pre_accept', 'accept'])
})

it('rings at an agent who comes late or becomes free, and at nobody who talks', () => {
  const made = talking('Anna').connect('d')
  expect(made.heardBy('Anna', 'd')).toEqual([])
  made.do((calls) => calls.arrive('Ben'))
  expect(made.heardBy('Ben', 'd')).toEqual(['call-is-coming'])
  made.do((calls, now) => calls.hangUp('Anna', 'c', now))
  expect(made.heardBy('Anna', 'd')).toEqual(['call-is-coming'])
})

it('stops the other calls that ring at an agent who answers one', () => {
  const made = desk('Anna').connect('c').connect('d')
  made.do((calls) => calls.answer('Anna', 'c'))
  expect(made.heardBy('Anna', 'd')).toEqual(['call-is-coming', 'ring-stopped'])
  made.do((calls) => expect(calls.answer('Anna', 'd')).toBe('lost'))
})

it('ends with terminate when the agent hangs up, and without it when the customer does', () => {
  const byAgent = talking().do((calls, now) => calls.hangUp('Anna', 'c', now))
  expect(byAgent.actions('c')).toEqual(['pre_accept', 'accept', 'terminate'])
  expectClean(byAgent.reply('c'))
  const byCustomer = talking().terminate('c')
  expect(byCustomer.actions('c')).toEqual(['pre_accept', 'accept'])
  expect(byCustomer.heardBy('Anna', 'c').at(-1)).toBe('call-ended customer-hung-up')
  expectClean(byCustomer)
  expect([...ends(byAgent), ...ends(byCustomer)]).toEqual(['agent-hung-up', 'customer-hung-up'])
})

it('lets nobody but its agent hang up', () => {
  const made = talking('Anna', 'Ben').do((calls, now) => calls.hangUp('Ben', 'c', now))
  expect(made.records).toEqual([])
})

it('rejects when all agents decline, and rings on while one has not', () => {
  const made = desk('Anna', 'Ben').connect('c').describe('c').reply('c')
  made.do((calls, now) => calls.decline('Anna', 'c', now))
  expect(made.records).toEqual([])
  made.do((calls, now) => calls.decline('Ben', 'c', now))
  expect(made.actions('c')).toEqual(['pre_accept', 'reject'])
  expectClean(made.reply('c'))
  expect(ends(made)).toEqual(['declined'])
})

it('rejects after 45 s that nobody answers, also when no agent is there', () => {
  for (const made of [desk('Anna'), desk()]) {
    made.connect('c').describe('c').reply('c').pass(44_999)
    expect(made.records).toEqual([])
    made.pass(1)
    expect(made.actions('c')).toEqual(['pre_accept', 'reject'])
    expectClean(made.reply('c'))
    expect(ends(made)).toEqual(['no-answer'])
  }
})

it('ends after 20 s without media at the beginning, and 30 s later on', () => {
  const atFirst = talking().pass(19_999)
  expect(atFirst.records).toEqual([])
  expect(ends(atFirst.pass(1))).toEqual(['no-media'])
  expect(atFirst.actions('c').at(-1)).toBe('terminate')
  const later = talking().pass(19_999)
  later
    .do((calls, now) => calls.heard('c', now))
    .do((calls, now) => calls.agentHeard('c', now))
    .pass(29_999)
  expect(later.records).toEqual([])
  expect(ends(later.pass(1))).toEqual(['no-media'])
  expectClean(later.reply('c'))
})

it('keeps the customer and the media while the page of the agent is gone, and ends after 20 s', () => {
  const made = talking().do((calls, now) => calls.leave('Anna', now))
  made.do((calls, now) => calls.heard('c', now))
  expect(made.legs.get('c')?.agent).toBe('Anna')
  made.pass(19_999).do((calls) => calls.arrive('Anna'))
  expect([made.legs.get('c')?.agent, made.heardBy('Anna', 'c').at(-1)]).toEqual(['Anna', 'call-resumed'])
  made.do((calls, now) => calls.heard('c', now)).do((calls, now) => calls.leave('Anna', now))
  expect(made.pass(19_999).records).toEqual([])
  expect(ends(made.pass(1))).toEqual(['agent-lost'])
  expect(made.actions('c').at(-1)).toBe('terminate')
  expectClean(made.reply('c'))
})

it('goes on without signaling for as long as the agent is heard, and 20 s longer', () => {
  const made = talking().do((calls, now) => calls.leave('Anna', now))
  for (let second = 0; second < 120; second++) {
    made.pass(1000).do((calls, now) => calls.heard('c', now))
    made.do((calls, now) => calls.agentHeard('c', now))
  }
  made.pass(19_999)
  expect(made.records).toEqual([])
  expect(ends(made.pass(1))).toEqual(['agent-lost'])
  expectClean(made.reply('c'))
})

it('counts the grace from the loss of signaling, when the media was lost before it', () => {
  const made = talking().do((calls, now) => calls.agentHeard('c', now))
  made.pass(15_000).do((calls, now) => calls.heard('c', now))
  made.do((calls, now) => calls.leave('Anna', now))
  expect(made.pass(19_999).records).toEqual([])
  expect(ends(made.pass(1))).toEqual(['agent-lost'])
})

describe('an agent whom signaling has while nothing is heard of its media', () => {
  /** The customer speaks all the time. */
  const listen = (made: Desk, seconds: number) => {
    for (let second = 0; second < seconds; second++) made.pass(1000).do((calls, now) => calls.heard('c', now))
    return made
  }
  const agentHeard = (made: Desk) => made.do((calls, now) => calls.agentHeard('c', now))

  it('loses the call after 40 s, whether its media never came or ended', () => {
    const never = listen(talking(), 39)
    expect(never.records).toEqual([])
    expect(ends(never.pass(1000))).toEqual(['agent-lost'])
    expectClean(never.reply('c'))
    const ended = listen(agentHeard(listen(talking(), 30)), 39)
    expect(ended.records).toEqual([])
    expect(ends(ended.pass(1000))).toEqual(['agent-lost'])
  })

  it('keeps it for as long as it is heard every now and then, or offers its media anew', () => {
    const heard = talking()
    for (let n = 0; n < 10; n++) agentHeard(listen(heard, 39))
    expect(heard.records).toEqual([])
    const anew = talking()
    for (let n = 0; n < 10; n++) listen(anew, 39).do((calls, now) => calls.agentOffers('Anna', now))
    expect(anew.records).toEqual([])
  })

  it('keeps it on hold, and has 40 s after it', () => {
    const made = talking().do((calls, now) => calls.hold('Anna', 'c', true, now))
    listen(made, 600).do((calls, now) => calls.hold('Anna', 'c', false, now))
    expect(listen(made, 39).records).toEqual([])
    expect(ends(made.pass(1000))).toEqual(['agent-lost'])
  })

  it('has 40 s for a call that it has taken over', () => {
    const made = talking('Anna', 'Ben').do((calls) => calls.transfer('Anna', 'c', 'Ben'))
    listen(agentHeard(listen(made, 35)), 10)
    made.do((calls) => calls.answer('Ben', 'c')).do((calls, now) => calls.agentOffers('Ben', now))
    expect(listen(made, 39).records).toEqual([])
    expect(ends(made.pass(1000))).toEqual(['agent-lost'])
  })

  it('has 20 s when the page with the media is gone, unless that or another one is back', () => {
    const lost = (made = agentHeard(talking())) => made.do((calls, now) => calls.lose('Anna', now))
    const gone = listen(lost(), 19)
    expect(gone.records).toEqual([])
    expect(ends(gone.pass(1000))).toEqual(['agent-lost'])
    const back = listen(lost(), 19).do((calls) => calls.regain('Anna'))
    expect(listen(back, 20).records).toEqual([])
    const elsewhere = listen(lost(), 19).do((calls, now) => calls.agentOffers('Anna', now))
    expect(listen(elsewhere, 39).records).toEqual([])
    const goesOn = lost()
    for (let n = 0; n < 10; n++) agentHeard(listen(goesOn, 19))
    expect(goesOn.records).toEqual([])
  })
})

it('gives an agent who answered and was lost before the accept its grace', () => {
  const made = desk('Anna').connect('c').describe('c').reply('c')
  made.do((calls) => calls.answer('Anna', 'c')).do((calls, now) => calls.leave('Anna', now))
  made.reply('c').pass(19_999)
  expect(made.records).toEqual([])
  expect(ends(made.pass(1))).toEqual(['agent-lost'])
  expectClean(made.reply('c'))
})

it('lets nobody speak while its agent holds it, until it is taken back', () => {
  const made = talking('Anna', 'Ben')
  made.do((calls, now) => expect(calls.hold('Ben', 'c', true, now)).toBe(false))
  made.do((calls, now) => expect(calls.hold('Anna', 'c', true, now)).toBe(true))
  expect(made.legs.get('c')?.agent).toBeUndefined()
  made.do((calls, now) => calls.leave('Anna', now)).do((calls) => calls.arrive('Anna'))
  expect(made.told.at(-1)?.event).toEqual({ type: 'call-resumed', held: true })
  expect(made.legs.get('c')?.agent).toBeUndefined()
  made.do((calls, now) => calls.hold('Anna', 'c', false, now))
  expect(made.legs.get('c')?.agent).toBe('Anna')
})

it('is held by nobody once another agent has taken it over', () => {
  const made = talking('Anna', 'Ben').do((calls, now) => calls.hold('Anna', 'c', true, now))
  made.do((calls) => calls.transfer('Anna', 'c', 'Ben'))
  expect(made.told.at(-1)?.event).toMatchObject({ type: 'call-is-coming', transferredBy: 'Anna' })
  made.do((calls) => calls.answer('Ben', 'c'))
  expect(made.legs.get('c')?.agent).toBe('Ben')
})

it('holds no call that has not begun or is over', () => {
  const made = desk('Anna').connect('c').describe('c').reply('c')
  made
    .do((calls) => calls.answer('Anna', 'c'))
    .do((calls, now) => expect(calls.hold('Anna', 'c', true, now)).toBe(false))
  made.reply('c').terminate('c')
  made.do((calls, now) => expect(calls.hold('Anna', 'c', true, now)).toBe(false))
})

it('notes an id from its connect until Meta knows that it is over', () => {
  const made = desk('Anna').connect('c').describe('c')
  expect([...made.alive]).toEqual(['c'])
  made.reply('c').do((calls, now) => calls.decline('Anna', 'c', now))
  expect([...made.alive]).toEqual(['c'])
  expect([...made.reply('c').alive]).toEqual([])
  expect([...made.terminate('d').connect('d').alive]).toEqual([])
})

it('rings once, however often connect comes, and makes one record', () => {
  const made = desk('Anna').connect('c').connect('c').describe('c').reply('c').connect('c')
  made.terminate('c').terminate('c').connect('c')
  expect(made.told.map(({ event }) => event.type)).toEqual(['call-is-coming', 'call-ended'])
  expect(made.records).toHaveLength(1)
  expectClean(made)
})

it('does not ring when terminate came before connect, but records the missed call once', () => {
  const made = desk('Anna').terminate('c').connect('c').connect('c')
  expect([made.told, ends(made)]).toEqual([[], ['customer-hung-up']])
  expectClean(made)
})

it('tells why WhatsApp lost a call', () => {
  const made = talking().terminate('c', 138021)
  expect(made.records[0]?.ending).toEqual({ reason: 'failed', cause: 'receive-timeout' })
  expectClean(made)
})

it('sends nothing while a request is under way: a call that ends then is ended after it', () => {
  const made = desk('Anna').connect('c').describe('c').reply('c')
  made.do((calls) => calls.answer('Anna', 'c')).do((calls, now) => calls.hangUp('Anna', 'c', now))
  expect(made.actions('c')).toEqual(['pre_accept', 'accept'])
  expect(made.legs.get('c')?.closed).toBe(true)
  expect(made.reply('c').actions('c')).toEqual(['pre_accept', 'accept', 'terminate'])
  expectClean(made.reply('c'))
})

it('sends no farewell when the customer hangs up while one of our requests is under way', () => {
  const made = desk('Anna').connect('c').describe('c').terminate('c')
  expect(made.calls.size).toBe(1)
  expectClean(made.reply('c'))
  expect(made.actions('c')).toEqual(['pre_accept'])
})

it('rejects after an accept that surely failed, terminates after one that may have arrived', () => {
  for (const [result, farewell] of [
    [refused, 'reject'],
    [lostAnswer, 'terminate'],
  ] as const) {
    const made = desk('Anna').connect('c').describe('c').reply('c')
    made.do((calls) => calls.answer('Anna', 'c')).reply('c', result)
    expect(made.actions('c')).toEqual(['pre_accept', 'accept', farewell])
    expect(made.records[0]?.ending).toEqual({ reason: 'failed', cause: result.reason })
    expectClean(made.reply('c', refused))
  }
})

it('goes on after a pre_accept whose answer was lost, and ends after one that was refused', () => {
  const lost = desk('Anna').connect('c').describe('c').reply('c', lostAnswer)
  lost.do((calls) => calls.answer('Anna', 'c'))
  expect(lost.actions('c')).toEqual(['pre_accept', 'accept'])
  const made = desk('Anna').connect('c').describe('c').reply('c', refused)
  expect(made.actions('c')).toEqual(['pre_accept', 'reject'])
  expectClean(made.reply('c'))
})

it('ends when the media cannot be made or is lost', () => {
  const early = desk('Anna')
    .connect('c')
    .do((calls, now) => calls.legLost('c', now))
  expect(early.actions('c')).toEqual(['reject'])
  const late = talking().do((calls, now) => calls.legLost('c', now))
  expect(late.actions('c').at(-1)).toBe('terminate')
  for (const made of [early, late]) expectClean(made.reply('c'))
})

it('rejects what is beyond its limit of calls, and ends every call when it is stopped', () => {
  const made = new Desk({ limit: 2 })
  made.connect('a').connect('b').connect('c')
  expect([made.actions('c'), ends(made)]).toEqual([['reject'], ['busy']])
  made.reply('c').do((calls, now) => calls.endAll(now))
  expect(ends(made)).toEqual(['busy', 'stopped', 'stopped'])
  expectClean(made.reply('a').reply('b'))
})

it('is handed over to another agent, who has it alone once it is answered there', () => {
  const made = talking('Anna', 'Ben').connect('d')
  made.do((calls) => expect(calls.transfer('Ben', 'c', 'Anna')).toBe(false))
  made.do((calls) => expect(calls.transfer('Anna', 'c', 'Ben')).toBe(true))
  expect([made.heardBy('Ben', 'c').at(-1), made.legs.get('c')?.agent]).toEqual(['call-is-coming', 'Anna'])
  made.do((calls) => expect(calls.answer('Ben', 'c')).toBe('won'))
  expect([made.heardBy('Anna', 'c').at(-1), made.legs.get('c')?.agent]).toEqual(['transferred', 'Ben'])
  expect(made.actions('c')).toEqual(['pre_accept', 'accept'])
  expect([made.heardBy('Anna', 'd'), made.heardBy('Ben', 'd').at(-1)]).toEqual([['call-is-coming'], 'ring-stopped'])
  made.do((calls, now) => calls.hangUp('Anna', 'c', now))
  expect(made.records).toEqual([])
  made.do((calls, now) => calls.hangUp('Ben', 'c', now)).reply('c')
  expect(made.records).toMatchObject([{ agent: 'Ben', ending: { reason: 'agent-hung-up' } }])
})

it('stays with its agent when the other one declines, goes away or takes another call, or the agent keeps it', () => {
  const offered = () => talking('Anna', 'Ben').do((calls) => calls.transfer('Anna', 'c', 'Ben'))
  for (const made of [
    offered().do((calls, now) => calls.decline('Ben', 'c', now)),
    offered().do((calls, now) => calls.leave('Ben', now)),
    offered().do((calls, now) => calls.dial('Ben', '4900', now)),
  ])
    expect(made.heardBy('Anna', 'c').at(-1)).toBe('transfer-declined')
  const kept = offered().do((calls) => calls.keep('Anna', 'c'))
  expect(kept.heardBy('Ben', 'c').at(-1)).toBe('ring-stopped')
  kept.do((calls) => expect(calls.answer('Ben', 'c')).toBe('lost'))
  expect(kept.legs.get('c')?.agent).toBe('Anna')
})

it('is saved by a transfer when the page of its agent is gone', () => {
  const made = talking('Anna', 'Ben').do((calls) => calls.transfer('Anna', 'c', 'Ben'))
  made.do((calls, now) => calls.leave('Anna', now)).do((calls) => calls.answer('Ben', 'c'))
  expect(made.legs.get('c')?.agent).toBe('Ben')
  made.pass(10_000).do((calls, now) => calls.heard('c', now))
  made.pass(15_000)
  expect(made.records).toEqual([])
})
