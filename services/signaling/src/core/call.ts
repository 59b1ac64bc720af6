import type { EndReason } from '@hairpin/protocol'

/**
 * The calls of this server: idle → ringing (offer) → connected (answer) → ended. Pure: ids and the clock are passed in.
 *
 * Invariant: a party is in at most one call, a call has two different parties, both are indexed, and every call that
 * began ends exactly once (by `hangUp`, `reject`, `disconnect`, `expire`, or an
 * offer to somebody else).
 */
export interface Call {
  readonly id: string
  readonly caller: string
  readonly callee: string
  /** ms, when the offer came. */
  readonly offeredAt: number
  answered: boolean
}

export interface EndedCall {
  readonly call: Call
  readonly reason: EndReason
  /** Who ended it; undefined when time did. */
  readonly by: string | undefined
}

export type OfferResult =
  /** A new call: the callee's client should ring. */
  | { readonly kind: 'ring'; readonly call: Call; readonly left: EndedCall | undefined }
  /** Another offer within the call of these two: renegotiation, or the caller's newer offer while it rings. */
  | { readonly kind: 'renegotiate'; readonly call: Call }
  /** The callee is in another call and must not be disturbed. */
  | { readonly kind: 'busy'; readonly left: EndedCall | undefined }
  /** The other side's offer came first and still rings: that call stands. */
  | { readonly kind: 'glare'; readonly call: Call }

export class CallBook {
  readonly #byParty = new Map<string, Call>()
  /** In the order of their offers, which is the order of their deadlines: all ring equally long. */
  readonly #ringing = new Set<Call>()
  readonly #ringMs: number
  readonly #newId: () => string

  constructor(ringMs: number, newId: () => string) {
    this.#ringMs = ringMs
    this.#newId = newId
  }

  /**
   * The two must differ. A caller that is in a call with somebody else leaves it (`left`): the tutorial's client drops
   * a call whose connection failed without a word, and its next offer is the first that the server hears of it.
   */
  offer(from: string, to: string, now: number): OfferResult {
    const own = this.#byParty.get(from)
    if (own !== undefined && other(own, from) === to)
      return { kind: own.answered || own.caller === from ? 'renegotiate' : 'glare', call: own }
    const left = this.hangUp(from)
    if (this.#byParty.has(to)) return { kind: 'busy', left }
    const call: Call = { id: this.#newId(), caller: from, callee: to, offeredAt: now, answered: false }
    this.#byParty.set(from, call).set(to, call)
    this.#ringing.add(call)
    return { kind: 'ring', call, left }
  }

  /**
   * Connects a ringing call, or answers a renegotiation within a connected one (then `setupMs` is undefined).
   * Undefined when these two have no call, or when the caller would answer its own offer.
   */
  answer(from: string, to: string, now: number): { call: Call; setupMs: number | undefined } | undefined {
    const call = this.between(from, to)
    if (call === undefined) return undefined
    if (call.answered) return { call, setupMs: undefined }
    if (call.callee !== from) return undefined
    call.answered = true
    this.#ringing.delete(call)
    return { call, setupMs: now - call.offeredAt }
  }

  /** The call of these two, whichever of them called. */
  between(from: string, to: string): Call | undefined {
    const call = this.#byParty.get(from)
    return call !== undefined && other(call, from) === to ? call : undefined
  }

  of(party: string): Call | undefined {
    return this.#byParty.get(party)
  }

  /** Ends the party's call; when `to` is given and is not the other side, nothing happens: that call is over already. */
  hangUp(from: string, to?: string): EndedCall | undefined {
    const call = this.#byParty.get(from)
    if (call === undefined || (to !== undefined && other(call, from) !== to)) return undefined
    const reason = call.answered ? 'hang-up' : call.caller === from ? 'cancelled' : 'rejected'
    return this.#end(call, reason, from)
  }

  /** The callee declines while it rings. */
  reject(from: string, to: string): EndedCall | undefined {
    const call = this.between(from, to)
    if (call === undefined || call.answered || call.callee !== from) return undefined
    return this.#end(call, 'rejected', from)
  }

  /** The party is gone. */
  disconnect(party: string): EndedCall | undefined {
    const call = this.#byParty.get(party)
    return call && this.#end(call, 'disconnected', party)
  }

  /** Ends what has rung too long. */
  expire(now: number): EndedCall[] {
    const ended: EndedCall[] = []
    for (const call of this.#ringing) {
      if (call.offeredAt + this.#ringMs > now) break
      ended.push(this.#end(call, 'no-answer', undefined))
    }
    return ended
  }

  /** When `expire` has work next. */
  nextDeadline(): number | undefined {
    const [first] = this.#ringing
    return first && first.offeredAt + this.#ringMs
  }

  count(): { ringing: number; connected: number } {
    return { ringing: this.#ringing.size, connected: this.#byParty.size / 2 - this.#ringing.size }
  }

  #end(call: Call, reason: EndReason, by: string | undefined): EndedCall {
    this.#byParty.delete(call.caller)
    this.#byParty.delete(call.callee)
    this.#ringing.delete(call)
    return { call, reason, by }
  }
}

/** The other side of a call that the party is in. */
export function other(call: Call, party: string): string {
  return call.caller === party ? call.callee : call.caller
}
