import { randomUUID } from 'node:crypto'
import { addTotals, type Totals, zeroTotals } from './counters.ts'
import type { MeterEntry } from './meter.ts'
import type { StoreEntry } from './store.ts'

/** The user that usage is booked on when so much waits for the disk that single calls can no longer be kept. */
export const OVERFLOW_USER = '(overflow)'

interface Waiting {
  entry: StoreEntry
  /** The part of `entry.total` that was not flushed yet. */
  readonly fresh: Totals
}

/**
 * What waits for the next flush. Bounded: it loses resolution, never bytes.
 * Past `limit` entries, minutes are merged into the newest; if that is not enough, closed calls are merged into one
 * call per (app, transport, family, relay) of the user `(overflow)`. What is left is one entry per live allocation.
 */
export class PendingBuffer {
  readonly #limit: number
  readonly #minutes = new Map<number, Map<string, Waiting>>()
  /** Merged calls are allocations of an epoch of their own: their totals only grow, as the store expects. */
  readonly #overflowEpoch = `overflow-${randomUUID()}`
  readonly #overflow = new Map<string, StoreEntry>()
  #size = 0
  #merged = 0

  /** @param limit entries, each about 500 bytes of memory */
  constructor(limit = 100_000) {
    this.#limit = limit
  }

  get size(): number {
    return this.#size
  }

  /** Calls whose record was given up for the user `(overflow)`, since start. */
  get merged(): number {
    return this.#merged
  }

  add(entries: Iterable<MeterEntry>): void {
    for (const entry of entries) this.#add(entry.minute, entry, entry.delta)
    if (this.#size > this.#limit) this.#mergeMinutes()
    if (this.#size > this.#limit) this.#mergeClosed()
  }

  /** Entries by minute, for `LedgerStore.apply`. They stay until `clear`. */
  pending(): Map<number, StoreEntry[]> {
    return new Map([...this.#minutes].map(([minute, waiting]) => [minute, [...waiting.values()].map((w) => w.entry)]))
  }

  /** Call it once `pending` is safely written. */
  clear(): void {
    this.#minutes.clear()
    this.#size = 0
  }

  #add(minute: number, entry: StoreEntry, fresh: Totals): void {
    let waiting = this.#minutes.get(minute)
    if (!waiting) {
      waiting = new Map()
      this.#minutes.set(minute, waiting)
    }
    const key = `${entry.epoch}/${entry.allocationId}`
    const present = waiting.get(key)
    if (present) {
      present.entry = entry
      addTotals(present.fresh, fresh)
    } else {
      waiting.set(key, { entry, fresh: fresh.slice() })
      this.#size++
    }
  }

  #mergeMinutes(): void {
    const minutes = [...this.#minutes].sort(([a], [b]) => a - b)
    const newest = minutes.at(-1)![0]
    this.clear()
    for (const [, waiting] of minutes) for (const { entry, fresh } of waiting.values()) this.#add(newest, entry, fresh)
  }

  #mergeClosed(): void {
    const [[minute, waiting]] = [...this.#minutes] as [[number, Map<string, Waiting>]]
    for (const [key, { entry, fresh }] of [...waiting]) {
      if (entry.closedAt === undefined || entry.epoch === this.#overflowEpoch) continue
      waiting.delete(key)
      this.#size--
      this.#merged++
      this.#add(minute, this.#overflowEntry(entry, fresh), zeroTotals())
    }
  }

  #overflowEntry(from: StoreEntry, fresh: Totals): StoreEntry {
    const { app, transport, family, relay, openedAt } = from
    const key = JSON.stringify([app, transport, family, relay])
    let entry = this.#overflow.get(key)
    if (!entry) {
      const identity = { epoch: this.#overflowEpoch, allocationId: this.#overflow.size, user: OVERFLOW_USER }
      entry = { ...identity, app, transport, family, relay, openedAt, total: zeroTotals() }
      this.#overflow.set(key, entry)
    }
    addTotals(entry.total, fresh)
    return entry
  }
}
