/**
 * Bytes per credential over all workers: what each has used, in shared memory.
 *
 * A worker draws a portion at a time and relays from that without looking here. So no credential ever relays more than its
 * limit; and while it has allocations in several workers, what the others have at hand is missing to one that runs out, at
 * most a portion each. What is left comes back when the worker's last allocation of the username ends.
 *
 * The table is fixed: a credential's slot is found by a 64-bit hash within a window, and is free again when the credential
 * has expired. In a full window the credential that used least is forgotten; one that is still live writes itself anew.
 */
import { createHash } from 'node:crypto'
import type { Credit, CreditPolicy } from '../../core/index.ts'

const SLOTS = 65_536
const WINDOW = 32
/** Float64 words of a slot: the hash, when the credential expires, bytes used. */
const SLOT = 3
const EXPIRES = 1
const USED = 2
/** Word of the lock; slots begin after it. */
const LOCK = 0
const FIRST = 1
/** Bytes drawn at once, at least and at most; in between a sixty-fourth of the limit. */
const PORTION = { min: 4096, max: 1024 * 1024 }

export interface SharedCreditsOptions {
  readonly shared: SharedArrayBuffer
  /** Number of this worker, from 0. */
  readonly worker: number
  /** Bytes. */
  readonly limit: number
}

/** A credential in this worker. */
interface Held extends Credit {
  readonly hash: Buffer
  readonly expiresAt: number
  holders: number
  /** Drawn in this worker so far. */
  drawn: number
  slot: number
}

export class SharedCredits implements CreditPolicy {
  readonly #locks: Int32Array
  readonly #hashes: Int32Array
  readonly #values: Float64Array
  readonly #mine: number
  readonly #held = new Map<string, Held>()
  #limit: number

  static readonly bytes = 8 * (FIRST + SLOTS * SLOT)

  constructor({ shared, worker, limit }: SharedCreditsOptions) {
    this.#locks = new Int32Array(shared, 0, 1)
    this.#hashes = new Int32Array(shared)
    this.#values = new Float64Array(shared)
    this.#mine = worker + 1
    this.#limit = limit
  }

  /** A new limit, in bytes: what is at hand stays, what was used stays counted. */
  limit(bytes: number): void {
    this.#limit = bytes
  }

  acquire(username: string, expiresAt: number, now: number): Credit | undefined {
    const held = this.#held.get(username) ?? this.#open(username, expiresAt, now)
    if (held.left <= 0 && this.#values[held.slot + USED]! >= this.#limit) {
      if (held.holders === 0) this.#held.delete(username)
      return undefined
    }
    held.holders++
    return held
  }

  /** Takes back the lock of this worker, which no longer runs. What it had at hand counts as used. */
  reclaim(): void {
    Atomics.compareExchange(this.#locks, LOCK, this.#mine, 0)
  }

  #open(username: string, expiresAt: number, now: number): Held {
    const hash = createHash('sha256').update(username).digest()
    const held: Held = {
      hash,
      expiresAt,
      left: 0,
      drawn: 0,
      holders: 0,
      slot: this.#locked(() => this.#find(hash, expiresAt, now)),
      extend: (bytes) => this.#draw(held, bytes),
      release: () => {
        if (--held.holders > 0) return
        this.#held.delete(username)
        this.#locked(() => {
          if (this.#isAt(held.hash, held.slot)) this.#values[held.slot + USED]! -= held.left
        })
      },
    }
    this.#held.set(username, held)
    return held
  }

  #draw(held: Held, bytes: number): boolean {
    const missing = bytes - held.left
    // A glance without the lock: a flood beyond the limit must not make the other workers wait.
    if (this.#isAt(held.hash, held.slot) && this.#limit - this.#values[held.slot + USED]! < missing) return false
    return this.#locked(() => {
      if (!this.#isAt(held.hash, held.slot)) {
        held.slot = this.#find(held.hash, held.expiresAt, 0)
        this.#values[held.slot + USED] = Math.max(this.#values[held.slot + USED]!, held.drawn)
      }
      const room = this.#limit - this.#values[held.slot + USED]!
      if (room < missing) return false
      const portion = Math.min(Math.max(this.#limit / 64, PORTION.min), PORTION.max)
      const drawn = Math.min(room, Math.max(missing, Math.floor(portion)))
      this.#values[held.slot + USED]! += drawn
      held.drawn += drawn
      held.left += drawn
      return true
    })
  }

  #isAt(hash: Buffer, slot: number): boolean {
    return this.#hashes[2 * slot] === hash.readInt32LE(0) && this.#hashes[2 * slot + 1] === hash.readInt32LE(4)
  }

  /** Index of the credential's first word; makes it one. */
  #find(hash: Buffer, expiresAt: number, now: number): number {
    const start = hash.readUInt32LE(8) % SLOTS
    let best = -1
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < WINDOW; i++) {
      const slot = FIRST + ((start + i) % SLOTS) * SLOT
      if (this.#isAt(hash, slot)) return slot
      const used = this.#values[slot + EXPIRES]! <= now ? -1 : this.#values[slot + USED]!
      if (used >= least) continue
      best = slot
      least = used
    }
    this.#hashes[2 * best] = hash.readInt32LE(0)
    this.#hashes[2 * best + 1] = hash.readInt32LE(4)
    this.#values[best + EXPIRES] = expiresAt
    this.#values[best + USED] = 0
    return best
  }

  /** Held for about a microsecond, once per portion: spinning is cheaper than sleeping. */
  #locked<T>(step: () => T): T {
    while (Atomics.compareExchange(this.#locks, LOCK, 0, this.#mine) !== 0) {
      // Another worker is inside.
    }
    try {
      return step()
    } finally {
      Atomics.store(this.#locks, LOCK, 0)
    }
  }
}
