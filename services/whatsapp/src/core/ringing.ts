import type { Agents } from './agents.ts'
import type { CallBook } from './book.ts'
import type { Call } from './call.ts'
import type { Outbox } from './outbox.ts'

/** Where calls ring: those of customers at every agent who is free, one that is handed over at one agent. */
export class Ringing {
  readonly #book: Pick<CallBook, 'all'>
  readonly #agents: Agents
  readonly #outbox: Outbox

  constructor(book: Pick<CallBook, 'all'>, agents: Agents, outbox: Outbox) {
    this.#book = book
    this.#agents = agents
    this.#outbox = outbox
  }

  /** A customer calls. */
  everywhere(call: Call): void {
    for (const agent of this.#agents.here()) this.#ring(call, agent)
  }

  /** The agent is free: what rings at others rings here, too. */
  allAt(agent: string): void {
    for (const call of this.#book.all()) this.#ring(call, agent)
  }

  /** Hands a call over. */
  offer(call: Call, to: string): void {
    this.withdraw(call)
    this.#begin(call, to)
  }

  /** The agent keeps the call that it wanted to hand over. */
  withdraw(call: Call): void {
    for (const other of call.ringing) this.#outbox.tell(other, call.key, { type: 'ring-stopped' })
    call.ringing.clear()
  }

  /** An agent has answered; it has left `ringing` by then. */
  answered(call: Call): void {
    for (const other of call.ringing) this.#outbox.tell(other, call.key, { type: 'answered-elsewhere' })
    call.ringing.clear()
  }

  /** The agent has a call now: no other rings there. */
  busy(agent: string): void {
    for (const call of this.#book.all()) {
      if (!call.ringing.delete(agent)) continue
      this.#outbox.tell(agent, call.key, { type: 'ring-stopped' })
      this.#outbox.tellAgent(call, { type: 'transfer-declined' })
    }
  }

  gone(agent: string): void {
    for (const call of this.#book.all())
      if (call.ringing.delete(agent)) this.#outbox.tellAgent(call, { type: 'transfer-declined' })
  }

  #ring(call: Call, agent: string): void {
    if (call.direction !== 'user' || call.agent !== undefined || call.ending) return
    if (!this.#agents.isFree(agent) || call.declined.has(agent) || call.ringing.has(agent)) return
    this.#begin(call, agent)
  }

  #begin(call: Call, agent: string): void {
    call.ringing.add(agent)
    const { name: callerName, number: callerNumber, agent: transferredBy, remoteSdp: sdp } = call
    this.#outbox.tell(agent, call.key, { type: 'call-is-coming', callerName, callerNumber, transferredBy, sdp })
  }
}
