/**
 * Connections without an allocation: what anyone can open. Their number is bounded for each source prefix and in all, and
 * each has a deadline. When there are too many in all, the one that waited longest gives way: a client that means to
 * allocate needs a few round trips only.
 */
import { prefix, readPrefix } from '../../core/source-prefix.ts'

export interface StrangerLimits {
  /** Connections without an allocation, in all and from one prefix (IPv4 /24, IPv6 /48), for each worker. */
  readonly total: number
  readonly perPrefix: number
  /** Milliseconds until the first STUN message; a TLS handshake comes on top of the plain one. */
  readonly greeting: number
  readonly handshake: number
  /** Milliseconds a connection may have no allocation. */
  readonly unallocated: number
}

export const DEFAULT_STRANGER_LIMITS: StrangerLimits = {
  total: 2048,
  perPrefix: 128,
  greeting: 5_000,
  handshake: 5_000,
  unallocated: 30_000,
}

export interface Stranger {
  /** As by `prefixOf`; undefined: not counted, its real source is not known yet. */
  readonly prefix: string | undefined
  /** Milliseconds on the clock given to `expire`. */
  readonly deadline: number
  /** Its time is over, or it must make room. */
  dismiss(why: 'timeout' | 'crowded-out'): void
}

export class Strangers {
  readonly #limits: StrangerLimits
  /** In the order of arrival. */
  readonly #all = new Set<Stranger>()
  readonly #byPrefix = new Map<string, number>()

  constructor(limits: StrangerLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#all.size
  }

  /** Whether one more of this prefix may come in. */
  admits(prefix: string): boolean {
    return (this.#byPrefix.get(prefix) ?? 0) < this.#limits.perPrefix
  }

  add(stranger: Stranger): void {
    if (this.#all.has(stranger)) return
    if (this.#all.size >= this.#limits.total)
      for (const oldest of this.#all) {
        oldest.dismiss('crowded-out')
        this.delete(oldest)
        break
      }
    this.#all.add(stranger)
    this.#count(stranger, 1)
  }

  delete(stranger: Stranger): void {
    if (this.#all.delete(stranger)) this.#count(stranger, -1)
  }

  expire(now: number): void {
    for (const stranger of this.#all)
      if (stranger.deadline <= now) {
        stranger.dismiss('timeout')
        this.delete(stranger)
      }
  }

  #count({ prefix }: Stranger, change: number): void {
    if (prefix === undefined) return
    const count = (this.#byPrefix.get(prefix) ?? 0) + change
    if (count > 0) this.#byPrefix.set(prefix, count)
    else this.#byPrefix.delete(prefix)
  }
}

export function prefixOf(address: string): string {
  return `${readPrefix(address, 24, 48)} ${prefix.join()}`
}
