/**
 * The pool of relayed ports, shared by all workers over one Int32Array (on a SharedArrayBuffer); EVEN-PORT and
 * RESERVATION-TOKEN are RFC 8656 sections 7.2 and 18.10.
 *
 * Each port is one word: three bits of state and the second it came about. Every change is one compare-and-swap, so workers
 * need no lock, and reservations and resting ports end by the clock alone: no timer, nothing to sweep.
 */
import { timingSafeEqual } from 'node:crypto'
import { hmac } from '@hairpin/stun'
import type { PortLease, PortPool, PortRequest, RelayTransport } from './policies.ts'

const FREE = 0
/** Reserved for an IPv4 or an IPv6 allocation to come; over UDP, as reservations are. */
const RESERVED_4 = 1
const RESERVED_6 = 2
/** The bit of the four live states: one for each family and transport. */
const LIVE = 4

/** Section 7.2: a reservation lasts at least 30 seconds. */
const RESERVATION_SECONDS = 30
const PROBES = 16

export interface RelayPortsOptions {
  /** First and last port, both included. */
  readonly min: number
  readonly max: number
  /** Zeroed at first; at least `RelayPorts.wordsFor(min, max)` long. Workers share the buffer below it. */
  readonly words: Int32Array
  /** Signs reservation tokens; the workers share it. At least 16 random bytes. */
  readonly tokenKey: Uint8Array
  readonly randomBytes: (size: number) => Uint8Array
  /** Seconds a released port rests before it is preferred again; default 60. When nothing else is left, the longest rested is taken. */
  readonly restSeconds?: number
}

export class RelayPorts implements PortPool {
  readonly #min: number
  readonly #count: number
  readonly #words: Int32Array
  readonly #tokenKey: Uint8Array
  readonly #randomBytes: (size: number) => Uint8Array
  readonly #rest: number

  static wordsFor(min: number, max: number): number {
    return max - min + 1
  }

  constructor(options: RelayPortsOptions) {
    this.#min = options.min
    this.#count = RelayPorts.wordsFor(options.min, options.max)
    this.#words = options.words
    this.#tokenKey = options.tokenKey
    this.#randomBytes = options.randomBytes
    this.#rest = options.restSeconds ?? 60
    if (this.#words.length < this.#count) throw new RangeError('the port array is smaller than the port range')
  }

  acquire(request: PortRequest, family: 4 | 6, transport: RelayTransport, now: number): PortLease | undefined {
    const second = secondOf(now)
    const use: Use = { request, family, live: liveState(family, transport) }
    return this.#acquireRested(use, second) ?? this.#acquireLongestRested(use, second)
  }

  claim(token: Uint8Array, now: number): PortLease | undefined {
    const index = this.#reservedIndex(token)
    if (index === undefined) return undefined
    const word = Atomics.load(this.#words, index)
    if (age(word, secondOf(now)) >= RESERVATION_SECONDS) return undefined
    const family = stateOf(word) === RESERVED_6 ? 6 : 4
    if (!this.#swap(index, word, liveState(family, 'udp'), secondOf(now))) return undefined
    return { port: this.#min + index, family }
  }

  cancel(token: Uint8Array, now: number): void {
    const index = this.#reservedIndex(token)
    if (index !== undefined) this.#swap(index, Atomics.load(this.#words, index), FREE, secondOf(now))
  }

  release(port: number, now: number): void {
    const index = this.#indexOf(port)
    if (index === undefined) return
    const word = Atomics.load(this.#words, index)
    if (isLiveState(stateOf(word))) this.#swap(index, word, FREE, secondOf(now))
  }

  isLive(port: number, family: 4 | 6, transport: RelayTransport): boolean {
    const index = this.#indexOf(port)
    return index !== undefined && stateOf(Atomics.load(this.#words, index)) === liveState(family, transport)
  }

  /** Ports that are live now. Scans: for metrics, not for packets. */
  get liveCount(): number {
    let live = 0
    for (let i = 0; i < this.#count; i++) if (isLiveState(stateOf(Atomics.load(this.#words, i)))) live++
    return live
  }

  /** Random probes first; where the pool is nearly full, one walk from a random place. */
  #acquireRested(use: Use, second: number): PortLease | undefined {
    for (let probe = 0; probe < PROBES; probe++) {
      const lease = this.#take(this.#randomIndex(), use, second, this.#rest)
      if (lease) return lease
    }
    const start = this.#randomIndex()
    for (let step = 0; step < this.#count; step++) {
      const lease = this.#take((start + step) % this.#count, use, second, this.#rest)
      if (lease) return lease
    }
    return undefined
  }

  /** Better a port that rested less than none at all; but never one released in this very second. */
  #acquireLongestRested(use: Use, second: number): PortLease | undefined {
    for (let attempt = 0; attempt < PROBES; attempt++) {
      let best = -1
      let bestAge = 0
      for (let i = 0; i < this.#count; i++) {
        const word = Atomics.load(this.#words, i)
        if (!this.#fits(i, use.request, second, 1) || stateOf(word) !== FREE) continue
        if (age(word, second) > bestAge) {
          best = i
          bestAge = age(word, second)
        }
      }
      if (best < 0) return undefined
      const lease = this.#take(best, use, second, 1)
      if (lease) return lease
    }
    return undefined
  }

  #fits(index: number, request: PortRequest, second: number, rest: number): boolean {
    if (!this.#available(index, second, rest)) return false
    if (request === 'any') return true
    if ((this.#min + index) % 2 !== 0) return false
    return request === 'even' || this.#available(index + 1, second, rest)
  }

  #available(index: number, second: number, rest: number): boolean {
    if (index >= this.#count) return false
    const word = Atomics.load(this.#words, index)
    if (word === 0) return true
    const state = stateOf(word)
    if (isLiveState(state)) return false
    return age(word, second) >= (isReserved(state) ? RESERVATION_SECONDS : rest)
  }

  #take(index: number, { request, family, live }: Use, second: number, rest: number): PortLease | undefined {
    if (!this.#fits(index, request, second, rest)) return undefined
    const before = Atomics.load(this.#words, index)
    if (isLiveState(stateOf(before)) || !this.#swap(index, before, live, second)) return undefined
    const port = this.#min + index
    if (request !== 'even-reserve-next') return { port, family }
    const reserved = family === 4 ? RESERVED_4 : RESERVED_6
    const next = Atomics.load(this.#words, index + 1)
    if (!isLiveState(stateOf(next)) && this.#available(index + 1, second, rest)) {
      if (this.#swap(index + 1, next, reserved, second))
        return { port, family, token: this.#token(index + 1, pack(reserved, second)) }
    }
    // Another worker took the neighbour in between: the even port goes back as it was, for it was never used.
    Atomics.compareExchange(this.#words, index, pack(live, second), before)
    return undefined
  }

  /** Two bytes of port and six of HMAC over port and word: the second in the word is the reservation's generation. */
  #token(index: number, word: number): Uint8Array {
    const token = new Uint8Array(8)
    const view = new DataView(token.buffer)
    view.setUint16(0, this.#min + index)
    const covered = new Uint8Array(6)
    covered.set(token.subarray(0, 2))
    new DataView(covered.buffer).setInt32(2, word)
    token.set(hmac('sha256', this.#tokenKey, covered).subarray(0, 6), 2)
    return token
  }

  /** Where the token's port is, if that port is reserved and the token is the one given for this reservation. */
  #reservedIndex(token: Uint8Array): number | undefined {
    if (token.length !== 8) return undefined
    const index = this.#indexOf((token[0]! << 8) | token[1]!)
    if (index === undefined) return undefined
    const word = Atomics.load(this.#words, index)
    if (!isReserved(stateOf(word))) return undefined
    return timingSafeEqual(this.#token(index, word), token) ? index : undefined
  }

  #swap(index: number, before: number, state: number, second: number): boolean {
    return Atomics.compareExchange(this.#words, index, before, pack(state, second)) === before
  }

  #indexOf(port: number): number | undefined {
    const index = port - this.#min
    return index >= 0 && index < this.#count ? index : undefined
  }

  #randomIndex(): number {
    const [a, b, c, d] = this.#randomBytes(4) as unknown as [number, number, number, number]
    return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % this.#count
  }
}

/** What a port is wanted for; `live` is the state that it will be in. */
interface Use {
  readonly request: PortRequest
  readonly family: 4 | 6
  readonly live: number
}

function liveState(family: 4 | 6, transport: RelayTransport): number {
  return LIVE | (transport === 'tcp' ? 2 : 0) | (family === 6 ? 1 : 0)
}

function isLiveState(state: number): boolean {
  return state >= LIVE
}

/** 29 bits of seconds in a word: they wrap every 17 years. One is added so that no used word is 0. */
const WRAP = 0x1fffffff

function secondOf(now: number): number {
  return (Math.floor(now / 1000) + 1) & WRAP
}

function pack(state: number, second: number): number {
  return (second << 3) | state
}

function stateOf(word: number): number {
  return word & 7
}

function isReserved(state: number): boolean {
  return state === RESERVED_4 || state === RESERVED_6
}

function age(word: number, second: number): number {
  return (second - (word >>> 3)) & WRAP
}
