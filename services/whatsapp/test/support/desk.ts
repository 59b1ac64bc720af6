/** Calls with a driver that keeps what it was told: nothing happens but what a test does. */
import type { AgentEvent, CallOutput, CallRecord, CallRequest, RequestResult } from '../../src/core/call.ts'
import { Calls, type CallsOptions } from '../../src/core/calls.ts'

export interface Leg {
  offer: string | undefined
  answer: string | undefined
  closed: boolean
  agent: string | undefined
  started: boolean
}

export class Desk {
  now = 1_700_000_000_000
  readonly calls: Calls
  readonly legs = new Map<string, Leg>()
  readonly records: CallRecord[] = []
  /** Of each call, in order. */
  readonly requests = new Map<string, CallRequest[]>()
  readonly told: { agent: string; call: string; event: AgentEvent }[] = []
  readonly wakes = new Map<string, number>()
  /** Ids that Meta holds. */
  readonly alive = new Set<string>()
  readonly pending = new Map<string, CallRequest>()
  #count = 0

  constructor(options: Partial<CallsOptions> = {}) {
    this.calls = new Calls({ newKey: () => `out-${++this.#count}`, ...options })
  }

  do(act: (calls: Calls, now: number) => unknown): this {
    act(this.calls, this.now)
    for (const output of this.calls.drain()) this.#perform(output)
    return this
  }

  connect(id: string, sdp = `offer of ${id}`): this {
    const who = { number: '491701234567', name: 'Maria' }
    const update = { kind: 'connect', id, at: this.now, direction: 'user', ...who, sdpType: 'offer', sdp } as const
    return this.do((calls, now) => calls.connect(update, now))
  }

  joins(id: string, number = '491701234567'): this {
    const body = { number, name: undefined, sdpType: 'answer', sdp: `answer of ${id}` } as const
    const update = { kind: 'connect', id, at: this.now, direction: 'business', ...body } as const
    return this.do((calls, now) => calls.connect(update, now))
  }

  status(id: string, status: 'RINGING' | 'ACCEPTED' | 'REJECTED'): this {
    return this.do((calls, now) => calls.status({ kind: 'status', id, at: this.now, status }, now))
  }

  terminate(id: string, code?: number, duration?: number): this {
    const completed = code === undefined
    const update = { kind: 'terminate', id, at: this.now, completed, duration, code } as const
    return this.do((calls, now) => calls.terminate(update, now))
  }

  describe(key: string): this {
    return this.do((calls) => calls.described(key, `sdp of ${key}`))
  }

  /** The answer to the request that is under way. */
  reply(key: string, result: RequestResult = { ok: true }): this {
    const request = this.pending.get(key)
    if (!request) throw new Error(`no request of ${key} is under way`)
    this.pending.delete(key)
    return this.do((calls, now) => calls.result(key, request.action, result, now))
  }

  /** Lets time pass, with its deadlines. */
  pass(ms: number): this {
    const end = this.now + ms
    for (;;) {
      const [first] = [...this.wakes].filter(([, at]) => at <= end).sort((a, b) => a[1] - b[1])
      if (!first) break
      this.now = Math.max(this.now, first[1])
      this.wakes.delete(first[0])
      this.do((calls, now) => calls.wake(first[0], now))
    }
    this.now = end
    return this
  }

  actions(key: string): string[] {
    return (this.requests.get(key) ?? []).map(({ action }) => action)
  }

  /** What an agent heard of a call: types, with the state or the reason. */
  heardBy(agent: string, call: string): string[] {
    return this.told
      .filter((told) => told.agent === agent && told.call === call)
      .map(({ event }) =>
        'state' in event ? event.state : 'reason' in event ? `${event.type} ${event.reason}` : event.type,
      )
  }

  #perform(output: CallOutput): void {
    switch (output.do) {
      case 'open-leg':
        if (this.legs.has(output.call)) throw new Error('a second leg')
        this.legs.set(output.call, {
          offer: output.offer,
          answer: undefined,
          closed: false,
          agent: undefined,
          started: false,
        })
        break
      case 'start-leg':
        this.#leg(output.call).started = true
        break
      case 'join-leg':
        this.#leg(output.call).answer = output.answer
        break
      case 'close-leg':
        Object.assign(this.#leg(output.call), { closed: true, agent: undefined })
        break
      case 'media':
        this.#leg(output.call).agent = output.agent
        break
      case 'request':
        if (this.pending.has(output.call)) throw new Error('two requests at once')
        this.pending.set(output.call, output.request)
        this.requests.set(output.call, [...(this.requests.get(output.call) ?? []), output.request])
        break
      case 'wake':
        if (output.at === Number.POSITIVE_INFINITY) this.wakes.delete(output.call)
        else this.wakes.set(output.call, output.at)
        break
      case 'tell':
        this.told.push(output)
        break
      case 'note':
        if (output.alive === this.alive.has(output.id)) throw new Error(`${output.id} was noted already`)
        if (output.alive) this.alive.add(output.id)
        else this.alive.delete(output.id)
        break
      case 'record':
        this.records.push(output.record)
    }
  }

  #leg(call: string): Leg {
    const leg = this.legs.get(call)
    if (!leg || leg.closed) throw new Error(`${call} has no leg`)
    return leg
  }
}
