import type { EndReason, ServerBody } from '@hairpin/protocol'

/** A device of a user: one session. A guest is a user with one device. */
export interface Caller {
  readonly device: string
  readonly user: string
  readonly name: string
}

export interface Callee {
  readonly user: string
  readonly name: string
  /** Those that are here; all of them ring. None: the caller of `offer` says with `awaited` that some are on their way. */
  readonly devices: readonly string[]
}

/** idle → ringing (offer) → connected (answer) → ended. */
export interface Call {
  readonly id: string
  readonly caller: Caller
  readonly callee: { readonly user: string; readonly name: string }
  /** ms, when the offer came. */
  readonly offeredAt: number
  /** The callee's devices that ring; empty once one has answered, and while devices are being woken. */
  readonly ringing: Set<string>
  answeredBy: string | undefined
  /** Devices of the callee are being woken: that none rings is no end. */
  awaited: boolean
  /** While it rings: what a device of the callee that comes late has to hear. */
  offer: ServerBody | undefined
  /** While it rings, by device: candidates that the other side gets with the answer. */
  readonly held: Map<string, ServerBody[]>
}

export interface EndedCall {
  readonly call: Call
  readonly reason: EndReason
  /** The device that ended it; undefined when time did. */
  readonly by: string | undefined
  /** The devices that were in it. */
  readonly devices: readonly string[]
}

export type OfferResult =
  /** A new call: the callee's clients should ring. */
  | { readonly kind: 'ring'; readonly call: Call; readonly left: EndedCall | undefined }
  /** Another offer within the call of these two: renegotiation, or the caller's newer offer while it rings. */
  | { readonly kind: 'renegotiate'; readonly call: Call }
  /** The callee is in another call, on whatever device, and must not be disturbed. */
  | { readonly kind: 'busy'; readonly left: EndedCall | undefined }
  /** The other side's offer came first and still rings: that call stands. */
  | { readonly kind: 'glare'; readonly call: Call }

export interface Answered {
  readonly call: Call
  /** ms from the offer; undefined when this answers a renegotiation. */
  readonly setupMs: number | undefined
  /** The callee's other devices: for them the call is over. */
  readonly elsewhere: readonly string[]
}

/**
 * The calls of this server. Pure: ids and the clock are passed in.
 *
 * Invariant: a device is in at most one call; a call has two different users; it rings on at least one device of the
 * callee, or waits for one that is being woken, or is answered by exactly one; and every call that began ends exactly once (by `hangUp`, `reject`,
 * `disconnect`, `expire`, or an offer to somebody else).
 */
export class CallBook {
  readonly #byDevice = new Map<string, Call>()
  readonly #byUser = new Map<string, Set<Call>>()
  /** In the order of their offers, which is the order of their deadlines: all ring equally long. */
  readonly #ringing = new Set<Call>()
  #count = 0
  readonly #ringMs: number
  readonly #newId: () => string

  constructor(ringMs: number, newId: () => string) {
    this.#ringMs = ringMs
    this.#newId = newId
  }

  /**
   * The two users must differ. A caller that is in a call with somebody else leaves it
   * (`left`): the tutorial's client drops a call whose connection failed without a word, and its next offer is the
   * first that the server hears of it.
   */
  offer(from: Caller, to: Callee, now: number): OfferResult {
    const own = this.between(from.device, to.user)
    if (own !== undefined) {
      const mine = own.answeredBy !== undefined || own.caller.device === from.device
      return { kind: mine ? 'renegotiate' : 'glare', call: own }
    }
    const left = this.hangUp(from.device)
    if (this.#byUser.has(to.user)) return { kind: 'busy', left }
    const call: Call = {
      id: this.#newId(),
      caller: from,
      callee: { user: to.user, name: to.name },
      offeredAt: now,
      ringing: new Set(to.devices),
      answeredBy: undefined,
      awaited: false,
      offer: undefined,
      held: new Map(),
    }
    for (const device of [from.device, ...to.devices]) this.#byDevice.set(device, call)
    for (const user of [from.user, to.user]) this.#byUser.set(user, (this.#byUser.get(user) ?? new Set()).add(call))
    this.#ringing.add(call)
    this.#count++
    return { kind: 'ring', call, left }
  }

  /** A further device of a user is here: the call that rings for the user rings there too. */
  join(device: string, user: string): Call | undefined {
    for (const call of this.#byUser.get(user) ?? []) {
      if (call.callee.user !== user || call.answeredBy !== undefined) continue
      call.ringing.add(device)
      this.#byDevice.set(device, call)
      return call
    }
    return undefined
  }

  /**
   * Connects a ringing call, or answers a renegotiation within a connected one. Undefined when these two have no call,
   * or when the caller would answer its own offer.
   */
  answer(device: string, user: string, now: number): Answered | undefined {
    const call = this.between(device, user)
    if (call === undefined) return undefined
    if (call.answeredBy !== undefined) return { call, setupMs: undefined, elsewhere: [] }
    if (!call.ringing.delete(device)) return undefined
    const elsewhere = [...call.ringing]
    for (const other of elsewhere) this.#byDevice.delete(other)
    call.ringing.clear()
    call.answeredBy = device
    call.offer = undefined
    this.#ringing.delete(call)
    return { call, setupMs: now - call.offeredAt, elsewhere }
  }

  /** The device's call, when the other side is this user. */
  between(device: string, user: string): Call | undefined {
    const call = this.#byDevice.get(device)
    return call !== undefined && otherSide(call, device).user === user ? call : undefined
  }

  of(device: string): Call | undefined {
    return this.#byDevice.get(device)
  }

  /** Ends the device's call; when `user` is given and is not the other side, nothing happens: that call is over already. */
  hangUp(device: string, user?: string): EndedCall | undefined {
    const call = user === undefined ? this.of(device) : this.between(device, user)
    if (call === undefined) return undefined
    const reason = call.answeredBy !== undefined ? 'hang-up' : call.caller.device === device ? 'cancelled' : 'rejected'
    return this.#end(call, reason, device)
  }

  /** The callee declines while it rings: on all devices. */
  reject(device: string, user: string): EndedCall | undefined {
    const call = this.between(device, user)
    return call?.ringing.has(device) ? this.#end(call, 'rejected', device) : undefined
  }

  /** The device is gone. A call that still rings on others goes on. */
  disconnect(device: string): EndedCall | undefined {
    const call = this.#byDevice.get(device)
    if (call === undefined) return undefined
    if ((call.ringing.size > 1 || call.awaited) && call.ringing.delete(device)) {
      call.held.delete(device)
      this.#byDevice.delete(device)
      return undefined
    }
    return this.#end(call, 'disconnected', device)
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
    return { ringing: this.#ringing.size, connected: this.#count - this.#ringing.size }
  }

  #end(call: Call, reason: EndReason, by: string | undefined): EndedCall {
    const devices = [call.caller.device, ...(call.answeredBy === undefined ? call.ringing : [call.answeredBy])]
    for (const device of devices) this.#byDevice.delete(device)
    for (const user of [call.caller.user, call.callee.user]) {
      const calls = this.#byUser.get(user)
      calls?.delete(call)
      if (calls?.size === 0) this.#byUser.delete(user)
    }
    this.#ringing.delete(call)
    this.#count--
    return { call, reason, by, devices }
  }
}

/** Who is on the other side, for a device that is in the call. */
export function otherSide(call: Call, device: string): { readonly user: string; readonly name: string } {
  return call.caller.device === device ? call.callee : call.caller
}

/** The devices that hear what this one says: the callee's all while it rings. */
export function peersOf(call: Call, device: string): readonly string[] {
  if (call.caller.device !== device) return [call.caller.device]
  return call.answeredBy === undefined ? [...call.ringing] : [call.answeredBy]
}
