import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { RequestResult } from '../src/core/call.ts'
import { Desk } from './support/desk.ts'

const agents = ['Anna', 'Ben', 'Cem', 'Dora', 'Emil']
const results: readonly RequestResult[] = [
  { ok: true },
  { ok: false, reason: 'bad-request', uncertain: false },
  { ok: false, reason: 'unreachable', uncertain: true },
]

const call = fc.nat(49)
const agent = fc.constantFrom(...agents)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('connect' as const), call }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('terminate' as const), call }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('describe' as const), call }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('reply' as const), nth: fc.nat(), failure: fc.nat(9) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), call, agent }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('decline' as const), call, agent }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hang-up' as const), call, agent }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('arrive' as const), agent }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), agent }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('page-lost', 'page-back', 'offers'), agent }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('dial' as const), call, agent }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('talk' as const), call, agent }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('transfer' as const), call, agent, to: agent }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('joins' as const), call }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('status' as const),
      call,
      to: fc.constantFrom('RINGING', 'ACCEPTED', 'REJECTED'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), call }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hear' as const), call }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('agent-hear' as const), call }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hold' as const), call, agent, on: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(30_000) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Customers' calls are `c…`; Meta's ids of the business's calls `m…` go with our keys `out-…`. */
class World {
  readonly desk = new Desk({ newKey: () => `out-${++this.#dialed}` })
  /** Calls of which Meta said that they are over. */
  readonly ended = new Set<string>()
  readonly accepted = new Set<string>()
  #dialed = 0

  take(step: Step): void {
    const { desk } = this
    switch (step.do) {
      case 'connect':
        desk.connect(`c${step.call}`)
        break
      case 'terminate': {
        const id = step.call % 3 === 0 ? `m${step.call % 8}` : `c${step.call}`
        this.ended.add(id)
        desk.terminate(id)
        break
      }
      case 'describe':
        for (const key of [`c${step.call}`, `out-${step.call % 8}`]) if (desk.legs.has(key)) desk.describe(key)
        break
      case 'reply': {
        const keys = [...desk.pending.keys()]
        const key = keys[step.nth % Math.max(1, keys.length)]
        if (key !== undefined) this.reply(key, results[step.failure] ?? { ok: true })
        break
      }
      case 'answer':
        desk.do((calls) => calls.answer(step.agent, `c${step.call}`))
        break
      case 'decline':
        desk.do((calls, now) => calls.decline(step.agent, `c${step.call}`, now))
        break
      case 'hang-up':
        for (const key of [`c${step.call}`, `out-${step.call % 8}`])
          desk.do((calls, now) => calls.hangUp(step.agent, key, now))
        break
      case 'arrive':
        desk.do((calls) => calls.arrive(step.agent))
        break
      case 'leave':
        desk.do((calls, now) => calls.leave(step.agent, now))
        break
      case 'page-lost':
        desk.do((calls, now) => calls.lose(step.agent, now))
        break
      case 'page-back':
        desk.do((calls) => calls.regain(step.agent))
        break
      case 'offers':
        desk.do((calls, now) => calls.agentOffers(step.agent, now))
        break
      case 'dial':
        desk.do((calls, now) => calls.dial(step.agent, `49${step.call}`, now))
        break
      // The usual way, as far as it goes: else chance alone seldom comes so far.
      case 'talk': {
        const key = `c${step.call}`
        desk.do((calls) => calls.arrive(step.agent)).connect(key)
        if (desk.legs.has(key)) desk.describe(key)
        if (desk.pending.has(key)) this.reply(key, { ok: true })
        desk.do((calls) => calls.answer(step.agent, key))
        if (desk.pending.has(key)) this.reply(key, { ok: true })
        break
      }
      case 'transfer':
        for (const [key, { agent: from }] of desk.legs)
          if (from === step.agent) desk.do((calls) => calls.transfer(from, key, step.to))
        for (const { agent: to, call: key } of desk.told.slice(-1))
          if (step.call % 2 === 0) desk.do((calls) => calls.answer(to, key))
        break
      case 'joins':
        desk.joins(`m${step.call % 8}`)
        break
      case 'status':
        if (step.to === 'REJECTED') this.ended.add(`m${step.call % 8}`)
        desk.status(`m${step.call % 8}`, step.to as 'RINGING')
        break
      case 'lose':
        for (const key of [`c${step.call}`, `out-${step.call % 8}`])
          if (desk.legs.has(key)) desk.do((calls, now) => calls.legLost(key, now))
        break
      case 'hear':
        desk.do((calls, now) => calls.heard(`c${step.call}`, now))
        break
      case 'agent-hear':
        desk.do((calls, now) => calls.agentHeard(`c${step.call}`, now))
        break
      case 'hold':
        for (const key of [`c${step.call}`, `out-${step.call % 8}`])
          desk.do((calls, now) => calls.hold(step.agent, key, step.on, now))
        break
      case 'wait':
        desk.pass(step.ms)
    }
    this.check()
  }

  reply(key: string, result: RequestResult): void {
    const request = this.desk.pending.get(key)!
    if (request.action === 'accept' && result.ok) this.accepted.add(key)
    this.desk.reply(
      key,
      request.action === 'connect' && result.ok ? { ok: true, id: key.replace('out-', 'm') } : result,
    )
  }

  check(): void {
    const talking = [...this.desk.legs].flatMap(([key, { agent }]) => (agent === undefined ? [] : [[key, agent]]))
    expect(new Set(talking.map(([, name]) => name)).size).toBe(talking.length)
    for (const [key = ''] of talking) if (key.startsWith('c')) expect(this.accepted.has(key)).toBe(true)
  }

  /** Everything gets its answer and its time. */
  finish(): void {
    for (let round = 0; this.desk.calls.size > 0 && round < 100; round++) {
      for (const key of [...this.desk.pending.keys()]) this.reply(key, { ok: true })
      this.desk.pass(60_000)
    }
    for (const key of [...this.desk.pending.keys()]) this.desk.reply(key)
  }
}

it('fifty calls in any order of events end once each, cleanly, with one winner and the farewell that is due', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 400 }), (steps) => {
      const world = new World()
      const { desk } = world
      for (const name of agents.slice(0, 3)) desk.do((calls) => calls.arrive(name))
      for (const taken of steps) world.take(taken)
      world.finish()

      expect([desk.calls.size, desk.wakes.size, desk.pending.size, desk.alive.size]).toEqual([0, 0, 0, 0])
      expect([...desk.legs].filter(([, { closed }]) => !closed)).toEqual([])
      const keys = desk.records.map(({ key }) => key)
      expect(new Set(keys).size).toBe(keys.length)
      for (const key of desk.legs.keys()) expect(keys).toContain(key)
      for (const [key, requests] of desk.requests) {
        const actions = requests.map(({ action }) => action).join(' ')
        expect(actions).toMatch(
          /^((pre_accept( accept)?)?( ?(reject|terminate))?|permission( connect( terminate)?)?|terminate)$/,
        )
        const descriptions = requests.flatMap((request) => ('sdp' in request ? [request.sdp] : []))
        expect(new Set(descriptions).size).toBeLessThanOrEqual(1)
        const id = key.replace('out-', 'm')
        const farewell = actions.endsWith('reject') || actions.endsWith('terminate')
        if (key.startsWith('c') && !world.ended.has(id)) expect(farewell).toBe(true)
        if (actions.endsWith('accept reject')) expect(world.accepted.has(key)).toBe(false)
      }
      const winners = desk.told.filter(({ event }) => event.type === 'call-state' && event.state === 'connected')
      expect(new Set(winners.map(({ call: key }) => key)).size).toBe(winners.length)
      for (const name of agents) {
        desk.do((calls) => calls.arrive(name))
        desk.do((calls, now) => expect(calls.dial(name, '4999', now)).toBeDefined())
      }
    }),
    { numRuns: 500 },
  )
})
