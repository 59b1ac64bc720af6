/**
 * Which worker has which client, in memory shared by all of them. The kernel spreads clients over the workers' sockets by
 * five-tuple; when the group of sockets changes, because a worker crashed and was started again, it sends some clients to
 * another worker than the one that has their allocation. That one looks here.
 *
 * A fixed table of buckets, each a cache line of words: 23 bits of a keyed hash of the five-tuple and the worker's number.
 * Every change is one compare-and-swap, so there is no lock. Two five-tuples may share a word, which a stranger without
 * the key cannot aim for: an answer is a good guess, and one that is wrong costs the packet a detour.
 */

import { HalfSipHash } from '../../core/half-siphash.ts'
import type { FlowDirectory, Listener } from '../../core/index.ts'
import { prefix, readPrefix } from '../../core/source-prefix.ts'
import type { Endpoint } from '../../core/types.ts'

/** Four for each port there is to relay on: a bucket overflows about once in a million. What does not fit is not found. */
const BUCKETS = 16_384
const WAYS = 16
/** The low bits of a word are the worker's number, from 1; 0 is a free word. */
const WORKER_BITS = 9
const WORKER = 2 ** WORKER_BITS - 1

export class FlowTable implements FlowDirectory {
  static readonly bytes = 4 * BUCKETS * WAYS
  readonly #words: Int32Array
  readonly #worker: number
  readonly #hash: HalfSipHash
  readonly #tuple = new Uint32Array(6)
  /** Of the five-tuple last hashed: the first word of its bucket, and its word but for the worker. */
  #bucket = 0
  #tag = 0

  /**
   * @param shared zeroed at first, `bytes` long
   * @param key 8 random bytes that all workers share
   * @param worker number of this worker, from 0, below 511
   */
  constructor(shared: SharedArrayBuffer, key: Uint8Array, worker: number) {
    this.#words = new Int32Array(shared)
    this.#hash = new HalfSipHash(key)
    this.#worker = worker + 1
  }

  add(listener: Listener, { address, port }: Endpoint): void {
    this.#locate(listener, address, port)
    for (let at = this.#bucket; at < this.#bucket + WAYS; at++) if (this.#swap(at, 0, this.#tag | this.#worker)) return
  }

  remove(listener: Listener, { address, port }: Endpoint): void {
    this.#locate(listener, address, port)
    for (let at = this.#bucket; at < this.#bucket + WAYS; at++) if (this.#swap(at, this.#tag | this.#worker, 0)) return
  }

  /** The other worker that has this client, as far as is known; -1 when none has. */
  ownerOf(listener: Listener, address: string, port: number): number {
    this.#locate(listener, address, port)
    for (let at = this.#bucket; at < this.#bucket + WAYS; at++) {
      const word = Atomics.load(this.#words, at)
      const worker = word & WORKER
      if ((word & ~WORKER) === this.#tag && worker !== 0 && worker !== this.#worker) return worker - 1
    }
    return -1
  }

  /** Takes back all entries of this worker, which no longer runs. */
  reclaim(): void {
    for (let at = 0; at < this.#words.length; at++) {
      const word = Atomics.load(this.#words, at)
      if ((word & WORKER) === this.#worker) this.#swap(at, word, 0)
    }
  }

  #locate(listener: Listener, address: string, port: number): void {
    const tuple = this.#tuple
    tuple[0] = readPrefix(address, 32, 128)
    for (let i = 0; i < 4; i++) tuple[i + 1] = prefix[i]!
    tuple[5] = port * 0x10000 + listener.id
    this.#hash.hash(tuple, 6)
    this.#bucket = (this.#hash.low % BUCKETS) * WAYS
    this.#tag = this.#hash.high & ~WORKER
  }

  #swap(at: number, before: number, after: number): boolean {
    return Atomics.compareExchange(this.#words, at, before, after) === before
  }
}
