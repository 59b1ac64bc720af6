import type { DatabaseSync } from 'node:sqlite'
import { PendingBuffer } from './buffer.ts'
import { monthStart } from './calendar.ts'
import type { Totals } from './counters.ts'
import { Meter, type MeterEntry, type SnapshotBatch } from './meter.ts'
import type { Provider } from './prices.ts'
import { defaultRetention, type Retention, RollUp } from './rollup.ts'
import { RunningSums, type RunningTotals } from './running.ts'
import { LedgerStore } from './store.ts'
import { appDays } from './totals.ts'
import { type LedgerLog, Trouble } from './trouble.ts'

export interface LedgerWriterOptions {
  /** Opens the database (`openLedgerDatabase`); called again with each flush until it succeeds. */
  readonly open: () => DatabaseSync
  /** The price that counts for running totals. */
  readonly price: Provider
  readonly log: LedgerLog
  readonly retention?: Retention
  /** Entries kept while the database cannot be written; see `PendingBuffer`. */
  readonly bufferLimit?: number
}

/** How the ledger is doing; for logs, readiness and metrics. */
export interface LedgerStatus {
  readonly state: 'ok' | 'failing'
  /** Since when it fails, milliseconds since 1970. */
  readonly since?: number
  /** SQLite's message. */
  readonly error?: string
  /** Entries that wait to be written. */
  readonly waiting: number
  /** Calls given up for the user `(overflow)` since start. */
  readonly merged: number
}

/**
 * Everything between the workers' counters and the file: meter, buffer, store, roll-up, running totals. No method
 * throws because of the database: what cannot be written waits, and one line is logged when that begins and when it
 * ends. The first `flush` opens the file: call it before the first `ingest`, so that what an earlier writer counted of
 * allocations that still live is known. Has no timer or thread of its own, so that it sits in a worker thread or the main one alike.
 */
export class LedgerWriter {
  readonly #options: LedgerWriterOptions
  readonly #meter = new Meter((epoch, allocationId) => this.#recall(epoch, allocationId))
  readonly #buffer: PendingBuffer
  readonly #sums: RunningSums
  #store: LedgerStore | undefined
  #rollUp: RollUp | undefined
  /** Keys of budget marks that are not written yet. */
  readonly #marks = new Set<string>()
  readonly #writing: Trouble
  readonly #tidying: Trouble

  constructor(options: LedgerWriterOptions) {
    this.#options = options
    this.#buffer = new PendingBuffer(options.bufferLimit)
    this.#sums = new RunningSums(options.price)
    this.#writing = new Trouble(options.log, 'writing (usage waits in memory)')
    this.#tidying = new Trouble(options.log, 'rolling up')
  }

  /** Takes a worker's report. Written with the next flush; the running totals know it at once. */
  ingest(batch: SnapshotBatch): void {
    this.#take(this.#meter.observe(batch))
  }

  /** A worker is gone: closes what it left open. */
  endEpoch(epoch: string, at: number): void {
    this.#take(this.#meter.endEpoch(epoch, at))
  }

  /** Writes what waits, in one transaction. Call it every second. False when it could not; the next call tries again. */
  flush(now: number): boolean {
    if (this.#buffer.size === 0 && this.#marks.size === 0 && this.#store) return this.#writing.now === undefined
    return this.#writing.run(now, () => {
      const store = this.#opened(now)
      if (this.#buffer.size > 0) store.apply(this.#buffer.pending())
      this.#buffer.clear()
      if (this.#marks.size > 0) store.addMarks(this.#marks, now)
      this.#marks.clear()
    })
  }

  /** Remembers that budget marks were reached (`BudgetEvent.key`), with the next flush. */
  addMarks(keys: Iterable<string>): void {
    for (const key of keys) this.#marks.add(key)
  }

  /** Keys given to `addMarks` this month and flushed; none while the file cannot be read. */
  firedMarks(now: number): string[] {
    let keys: string[] = []
    this.#writing.run(now, () => {
      keys = this.#opened(now).marks(monthStart(now))
    })
    return keys
  }

  /** Moves old buckets along, a few steps. Call it every few seconds. False when the database could not be written. */
  rollUp(now: number): boolean {
    return this.#tidying.run(now, () => {
      this.#opened(now)
      this.#rollUp!.run(now)
    })
  }

  /** Today and this month per app, with what still waits. */
  totals(now: number): RunningTotals {
    return this.#sums.read(now)
  }

  status(): LedgerStatus {
    const counts = { waiting: this.#buffer.size, merged: this.#buffer.merged }
    const trouble = this.#writing.now ?? this.#tidying.now
    return trouble ? { state: 'failing', ...trouble, ...counts } : { state: 'ok', ...counts }
  }

  /** Writes what waits and closes the file. */
  close(now: number): void {
    this.flush(now)
    this.#store?.close()
    this.#store = undefined
  }

  /** For allocations that a writer before this one began to count; one that cannot be read counts as new. */
  #recall(epoch: string, allocationId: number): Totals | undefined {
    try {
      return this.#store?.totalOf(epoch, allocationId)
    } catch {
      return undefined
    }
  }

  #take(entries: MeterEntry[]): void {
    this.#buffer.add(entries)
    this.#sums.add(entries)
  }

  #opened(now: number): LedgerStore {
    if (this.#store) return this.#store
    const db = this.#options.open()
    try {
      const store = new LedgerStore(db)
      this.#rollUp = new RollUp(db, this.#options.retention ?? defaultRetention)
      // Nothing of the buffer is in the file yet, so the two do not overlap.
      this.#sums.seed(appDays(db, monthStart(now)))
      this.#store = store
      return store
    } catch (error) {
      db.close()
      throw error
    }
  }
}
