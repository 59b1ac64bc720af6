/**
 * Allocations per user, per app and in all, over all workers: counters in shared memory.
 *
 * A user's or app's slot is found by a 64-bit hash within a window of a fixed table, and a slot nobody counts on is given to the
 * next user who needs one: nothing grows. Should a window be full of active users, a further one of them is let in
 * uncounted; with 65,536 slots that takes more simultaneous users than the host has relayed ports. Each worker counts for
 * itself and reads the sum, so what a crashed worker held is taken back by zeroing its counters.
 */
import { createHash } from 'node:crypto'
import type { Principal, QuotaPolicy } from '../../core/index.ts'

const SLOTS = 65_536
const WINDOW = 32
/** Words of a slot before the counters: the user's hash. */
const KEY_WORDS = 2
/** Words at the start: the lock, then the total of each worker. */
const LOCK = 0

/** Allocations; 0 = no limit. */
export interface QuotaLimits {
  readonly perUser: number
  readonly total: number
}

/** The same for one app: each of its users, and all of them together. */
export interface AppQuotas {
  readonly userAllocations?: number
  readonly allocations?: number
}

export interface SharedQuotaOptions extends QuotaLimits {
  /** Of an app that has limits of its own: asked at each allocation. */
  readonly limitsOf?: (app: string) => AppQuotas | undefined
  readonly shared: SharedArrayBuffer
  readonly workers: number
  /** Number of this worker, from 0. */
  readonly worker: number
}

export class SharedQuota implements QuotaPolicy {
  readonly #words: Int32Array
  readonly #options: SharedQuotaOptions
  readonly #slotWords: number
  #limits: QuotaLimits

  static bytesFor(workers: number): number {
    return 4 * (1 + workers + SLOTS * (KEY_WORDS + workers))
  }

  constructor(options: SharedQuotaOptions) {
    this.#options = options
    this.#limits = options
    this.#words = new Int32Array(options.shared)
    this.#slotWords = KEY_WORDS + options.workers
  }

  /** New limits from the next allocation on. What is allocated stays counted, without a limit too. */
  limit(limits: QuotaLimits): void {
    this.#limits = limits
  }

  acquire(principal: Principal): boolean {
    const { worker, limitsOf } = this.#options
    const { perUser, total } = this.#limits
    const { userAllocations = 0, allocations = 0 } = limitsOf?.(principal.app) ?? {}
    return this.#locked(() => {
      if (total > 0 && this.#sum(1) >= total) return false
      if (!this.#count(userName(principal), least(perUser, userAllocations))) return false
      if (!this.#count(principal.app, allocations)) {
        this.#uncount(userName(principal))
        return false
      }
      this.#words[1 + worker]!++
      return true
    })
  }

  release(principal: Principal): void {
    const { worker } = this.#options
    this.#locked(() => {
      this.#uncount(userName(principal))
      this.#uncount(principal.app)
      if (this.#words[1 + worker]! > 0) this.#words[1 + worker]!--
    })
  }

  /** Takes back all that this worker, which no longer runs, has counted, and its lock. */
  reclaim(): void {
    const { worker } = this.#options
    Atomics.compareExchange(this.#words, LOCK, worker + 1, 0)
    this.#locked(() => {
      this.#words[1 + worker] = 0
      for (let slot = this.#first(); slot < this.#words.length; slot += this.#slotWords)
        this.#words[slot + KEY_WORDS + worker] = 0
    })
  }

  /** One more of that name, unless there are `limit` of them; 0 = no limit. */
  #count(name: string, limit: number): boolean {
    const slot = this.#slot(name, true)
    if (slot === undefined) return true
    if (limit > 0 && this.#sum(slot + KEY_WORDS) >= limit) return false
    this.#words[slot + KEY_WORDS + this.#options.worker]!++
    return true
  }

  #uncount(name: string): void {
    const slot = this.#slot(name, false)
    if (slot === undefined) return
    const at = slot + KEY_WORDS + this.#options.worker
    if (this.#words[at]! > 0) this.#words[at]!--
  }

  #first(): number {
    return 1 + this.#options.workers
  }

  #sum(at: number): number {
    let sum = 0
    for (let i = 0; i < this.#options.workers; i++) sum += this.#words[at + i]!
    return sum
  }

  /** Index of the name's first word; with `take` a free slot becomes that name's. */
  #slot(name: string, take: boolean): number | undefined {
    const hash = createHash('sha256').update(name).digest()
    const [low, high] = [hash.readInt32LE(0), hash.readInt32LE(4)]
    const start = hash.readUInt32LE(8) % SLOTS
    let free: number | undefined
    for (let i = 0; i < WINDOW; i++) {
      const slot = this.#first() + ((start + i) % SLOTS) * this.#slotWords
      if (this.#words[slot] === low && this.#words[slot + 1] === high) return slot
      if (take && free === undefined && this.#sum(slot + KEY_WORDS) === 0) free = slot
    }
    if (free !== undefined) {
      this.#words[free] = low
      this.#words[free + 1] = high
    }
    return free
  }

  /** Held for well under a microsecond, once per allocation: spinning is cheaper than sleeping. */
  #locked<T>(step: () => T): T {
    const mine = this.#options.worker + 1
    while (Atomics.compareExchange(this.#words, LOCK, 0, mine) !== 0) {
      // Another worker is inside.
    }
    try {
      return step()
    } finally {
      Atomics.store(this.#words, LOCK, 0)
    }
  }
}

/** No app's name has a slash, so no user is taken for an app. */
function userName({ app, user }: Principal): string {
  return `${app}/${user}`
}

/** The smaller limit; 0 is none. */
function least(a: number, b: number): number {
  return a > 0 && b > 0 ? Math.min(a, b) : a + b
}
