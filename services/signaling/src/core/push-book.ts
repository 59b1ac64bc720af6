import type { PushEndpoint } from '@hairpin/protocol'

/** A call that nobody heard ring. */
export interface MissedCall {
  readonly callId: string
  /** The caller. */
  readonly name: string
  /** ms since 1970. */
  readonly date: number
  readonly media?: string
}

/** What has to be remembered beyond the life of this process. */
export type PushChange =
  | { readonly kind: 'register'; readonly user: string; readonly endpoint: PushEndpoint }
  | { readonly kind: 'drop'; readonly address: string }
  | { readonly kind: 'missed'; readonly user: string; readonly call: MissedCall }
  | { readonly kind: 'told'; readonly user: string }

/** What was remembered. */
export interface PushRecords {
  readonly endpoints: readonly { readonly user: string; readonly endpoint: PushEndpoint }[]
  readonly missed: readonly { readonly user: string; readonly call: MissedCall }[]
}

export interface PushLimits {
  /** Of one user. */
  readonly pushEndpoints: number
  readonly missedCalls: number
  /** Of all users. */
  readonly pushTotal: number
}

/**
 * Which pushes wake whose devices, and which calls were missed meanwhile. Pure: it says what is to be remembered.
 *
 * Invariant: an address belongs to one user, the one who registered it last; no user has more than its limits, nor have
 * all together.
 */
export class PushBook {
  /** By address, the oldest first. */
  readonly #endpoints = new Map<string, Map<string, PushEndpoint>>()
  readonly #owners = new Map<string, string>()
  readonly #missed = new Map<string, MissedCall[]>()
  readonly #limits: PushLimits
  readonly #remember: (change: PushChange) => void

  constructor(limits: PushLimits, records: PushRecords | undefined, remember: (change: PushChange) => void) {
    this.#limits = limits
    this.#remember = () => undefined
    for (const { user, endpoint } of records?.endpoints ?? []) this.register(user, endpoint, limits.pushEndpoints)
    for (const { user, call } of records?.missed ?? []) this.miss(user, call)
    this.#remember = remember
  }

  /** @param most how many endpoints the user may have; the oldest go */
  register(user: string, endpoint: PushEndpoint, most: number): void {
    const { address } = endpoint
    if (this.#owners.has(address)) this.#forget(address)
    const endpoints = this.#endpoints.get(user) ?? new Map<string, PushEndpoint>()
    this.#endpoints.set(user, endpoints)
    endpoints.set(address, endpoint)
    this.#owners.set(address, user)
    this.#remember({ kind: 'register', user, endpoint })
    for (const oldest of endpoints.keys()) {
      if (endpoints.size <= most) break
      this.drop(oldest)
    }
    const [oldest] = this.#owners.keys()
    if (this.#owners.size > this.#limits.pushTotal && oldest !== undefined) this.drop(oldest)
  }

  owner(address: string): string | undefined {
    return this.#owners.get(address)
  }

  /** The endpoint is gone, or no longer wanted. */
  drop(address: string): void {
    if (this.#forget(address)) this.#remember({ kind: 'drop', address })
  }

  endpointsOf(user: string): readonly PushEndpoint[] {
    return [...(this.#endpoints.get(user)?.values() ?? [])]
  }

  miss(user: string, call: MissedCall): void {
    const missed = [...(this.#missed.get(user) ?? []), call]
    this.#missed.set(user, missed.slice(-this.#limits.missedCalls))
    this.#remember({ kind: 'missed', user, call })
  }

  /** What the user missed; it is told then. */
  takeMissed(user: string): readonly MissedCall[] {
    const missed = this.#missed.get(user)
    if (missed === undefined) return []
    this.#missed.delete(user)
    this.#remember({ kind: 'told', user })
    return missed
  }

  #forget(address: string): boolean {
    const user = this.#owners.get(address)
    if (user === undefined) return false
    this.#owners.delete(address)
    const endpoints = this.#endpoints.get(user)
    endpoints?.delete(address)
    if (endpoints?.size === 0) this.#endpoints.delete(user)
    return true
  }
}
