/**
 * What may be answered to senders whom nobody has authenticated, per source prefix: bounds what a flood with forged source
 * addresses can reflect at anyone (RFC 8489 section 16.1.2, RFC 8656 section 21.1), and what it costs here.
 *
 * One fixed table, made once: sets of eight entries, found by a keyed hash of the prefix. In a full set the entry that was
 * silent longest gives way. Nobody can aim at an entry without the key, so to drive a busy prefix out (and let it start
 * with a full bucket) a flood must come from about as many prefixes as the table has entries.
 */
import { HalfSipHash } from './half-siphash.ts'
import type { ChallengeBudget } from './policies.ts'
import { prefix, readPrefix } from './source-prefix.ts'
import type { Endpoint } from './types.ts'

/** Answers per second, and how many at once after a silence. */
export interface Rate {
  readonly rate: number
  readonly burst: number
}

export interface SourceBudgetOptions {
  /** At least 8 random bytes. Workers may share it or not: each counts for itself. */
  readonly key: Uint8Array
  /** Error answers without authentication: 401, 438, 400, 420. Default 100 a second, 400 at once, for each prefix. */
  readonly challenge?: Rate | undefined
  /** Binding answers. Default 200 a second, 800 at once, for each prefix. */
  readonly binding?: Rate | undefined
  /** Bits of a prefix; default 24 and 48. An office or a carrier's NAT shares one. */
  readonly prefix4?: number | undefined
  readonly prefix6?: number | undefined
  /** Prefixes remembered, rounded up to a power of two; default 32768. Each takes 20 bytes. */
  readonly entries?: number | undefined
}

export const DEFAULT_CHALLENGE_RATE: Rate = { rate: 100, burst: 400 }
export const DEFAULT_BINDING_RATE: Rate = { rate: 200, burst: 800 }

const WAYS = 8

export class SourceBudget implements ChallengeBudget {
  readonly #hash: HalfSipHash
  readonly #challenge: Rate
  readonly #binding: Rate
  readonly #prefix4: number
  readonly #prefix6: number
  readonly #mask: number
  readonly #low: Uint32Array
  readonly #high: Uint32Array
  /** Tokens left. */
  readonly #challenges: Float32Array
  readonly #bindings: Float32Array
  /** Milliseconds since the first call, plus one: 0 is an entry never used. */
  readonly #seen: Uint32Array
  readonly #words = new Uint32Array(5)
  #start = -1

  constructor(options: SourceBudgetOptions) {
    const sets = 2 ** Math.ceil(Math.log2(Math.max(1, (options.entries ?? 32_768) / WAYS)))
    this.#hash = new HalfSipHash(options.key)
    this.#challenge = options.challenge ?? DEFAULT_CHALLENGE_RATE
    this.#binding = options.binding ?? DEFAULT_BINDING_RATE
    this.#prefix4 = options.prefix4 ?? 24
    this.#prefix6 = options.prefix6 ?? 48
    this.#mask = sets - 1
    this.#low = new Uint32Array(sets * WAYS)
    this.#high = new Uint32Array(sets * WAYS)
    this.#challenges = new Float32Array(sets * WAYS)
    this.#bindings = new Float32Array(sets * WAYS)
    this.#seen = new Uint32Array(sets * WAYS)
  }

  /** Bytes of the table: all it will ever take. */
  get bytes(): number {
    return this.#seen.length * 20
  }

  take(from: Endpoint, kind: 'challenge' | 'binding', now: number): boolean {
    const words = this.#words
    words[0] = readPrefix(from.address, this.#prefix4, this.#prefix6)
    for (let i = 0; i < 4; i++) words[i + 1] = prefix[i]!
    this.#hash.hash(words, 5)
    const at = this.#entry(this.#hash.low, this.#hash.high, this.#time(now))
    const tokens = kind === 'challenge' ? this.#challenges : this.#bindings
    if (tokens[at]! < 1) return false
    tokens[at]! -= 1
    return true
  }

  /** The prefix's entry, brought up to `time`; a new one is full. */
  #entry(low: number, high: number, time: number): number {
    const first = (low & this.#mask) * WAYS
    let oldest = first
    for (let at = first; at < first + WAYS; at++) {
      if (this.#low[at] === low && this.#high[at] === high && this.#seen[at] !== 0) {
        this.#refill(at, time)
        return at
      }
      if (this.#seen[at]! < this.#seen[oldest]!) oldest = at
    }
    this.#low[oldest] = low
    this.#high[oldest] = high
    this.#challenges[oldest] = this.#challenge.burst
    this.#bindings[oldest] = this.#binding.burst
    this.#seen[oldest] = time
    return oldest
  }

  #refill(at: number, time: number): void {
    const seconds = (time - this.#seen[at]!) / 1000
    if (seconds <= 0) return
    this.#challenges[at] = Math.min(this.#challenge.burst, this.#challenges[at]! + seconds * this.#challenge.rate)
    this.#bindings[at] = Math.min(this.#binding.burst, this.#bindings[at]! + seconds * this.#binding.rate)
    this.#seen[at] = time
  }

  /** Thirty-two bits hold 49 days: then all is forgotten once, which gives every prefix one more burst. */
  #time(now: number): number {
    if (this.#start < 0) this.#start = now
    if (now - this.#start >= 0xffffffff) {
      this.#start = now
      this.#seen.fill(0)
    }
    return Math.max(0, Math.floor(now - this.#start)) + 1
  }
}
