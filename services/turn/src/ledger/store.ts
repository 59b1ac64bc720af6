import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { DAY } from './calendar.ts'
import { columns, TOTALS_SIZE, type Totals, zeroTotals } from './counters.ts'
import type { MeterEntry } from './meter.ts'
import { transaction } from './schema.ts'

/** What the store keeps of an allocation: enough of a `MeterEntry` to replace its row. */
export type StoreEntry = Omit<MeterEntry, 'minute' | 'delta'>

/** Entries by the minute they were metered in (milliseconds since 1970). */
export type Pending = ReadonlyMap<number, Iterable<StoreEntry>>

/** An allocation that reported nothing for this long is over, its worker gone without a word. */
const STALE_MS = 600_000

const list = columns.join(', ')
const marks = columns.map(() => '?').join(', ')
/** `ON CONFLICT` action of every bucket table. */
export const addExcluded = columns.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')
const unsettled = columns.map((name) => `sum(c.${name} - s.${name})`).join(', ')

interface Live {
  readonly id: number
  readonly total: Totals
}

/**
 * The ledger on disk. Invariant: for every allocation, buckets and `app_day` hold exactly `settled`, or all of `call`
 * once it has no `settled` row; both move in one transaction. A report replaces `call`, so a repeated or late one adds
 * nothing, and a process killed at any point leaves the state before or after a flush.
 */
export class LedgerStore {
  readonly db: DatabaseSync
  /** By epoch, then by allocation. */
  readonly #calls = new Map<string, Map<number, Live>>()
  readonly #series = new Map<string, number>()
  readonly #epochs = new Map<string, number>()
  readonly #sql: Statements
  /** Start of the minute that unsettled bytes belong to, seconds; 0 before the first. */
  #minute: number

  constructor(db: DatabaseSync) {
    this.db = db
    this.#sql = prepare(db)
    this.#minute = this.#readMinute()
  }

  /**
   * Writes all entries in one transaction.
   * @throws SQLite's error (locked, full, I/O); then nothing of it is kept and the same call may be tried again.
   */
  apply(pending: Pending): void {
    try {
      transaction(this.db, () => {
        for (const minute of [...pending.keys()].sort((a, b) => a - b)) {
          this.#enter(minute)
          for (const entry of pending.get(minute)!) this.#put(entry)
        }
      })
    } catch (error) {
      this.#rolledBack()
      throw error
    }
  }

  /**
   * Moves what live allocations have counted into the bucket of the present minute, as a new minute does by itself.
   * @param now milliseconds since 1970
   */
  settle(now: number): void {
    try {
      transaction(this.db, () => this.#settle(now))
    } catch (error) {
      this.#rolledBack()
      throw error
    }
  }

  /** What the ledger has counted for an allocation; undefined when it never heard of it. */
  totalOf(epoch: string, allocationId: number): Totals | undefined {
    return this.#find({ epoch, allocationId })?.total
  }

  /** Keys of budget marks that were reached since `from`, milliseconds since 1970. */
  marks(from: number): string[] {
    return this.#sql.getMarks.all(from).map((row) => String(row.key))
  }

  /** Remembers reached budget marks, and forgets those of two months ago. */
  addMarks(keys: Iterable<string>, now: number): void {
    transaction(this.db, () => {
      for (const key of keys) this.#sql.addMark.run(key, now)
      this.#sql.dropMarks.run(now - 62 * DAY)
    })
  }

  close(): void {
    this.db.close()
  }

  #readMinute(): number {
    return (this.#sql.getMinute.get() as { value: number } | undefined)?.value ?? 0
  }

  /** What memory mirrors may be of the transaction that is gone. */
  #rolledBack(): void {
    this.#calls.clear()
    this.#series.clear()
    this.#epochs.clear()
    this.#minute = this.#readMinute()
  }

  #enter(minuteMs: number): void {
    const minute = Math.trunc(minuteMs / 1000)
    // A clock that steps back leaves bytes in the minute they would have had without it.
    if (minute <= this.#minute) return
    if (this.#minute > 0) this.#settle(minuteMs)
    this.#sql.setMinute.run(minute)
    this.#minute = minute
  }

  #settle(now: number): void {
    if (this.#minute === 0) return
    this.#sql.toMinute.run(this.#minute)
    this.#sql.toAppDay.run(this.#minute - (this.#minute % 86_400))
    if (this.#sql.endStale.run(now - STALE_MS).changes > 0) this.#calls.clear()
    this.#sql.dropClosed.run()
    this.#sql.markSettled.run()
  }

  #put(entry: StoreEntry): void {
    const { epoch, allocationId } = entry
    const cached = this.#calls.get(epoch)?.get(allocationId)
    const live = cached ?? this.#find(entry) ?? this.#open(entry)
    if (grown(live.total, entry.total)) {
      // A call that was over and counts again; no `settled` row means that buckets hold all of it.
      if (!cached) this.#sql.reopen.run(live.id)
      this.#sql.setTotal.run(...entry.total, live.id)
      for (let i = 0; i < TOTALS_SIZE; i++) live.total[i] = entry.total[i]!
      if (!cached) this.#remember(epoch, allocationId, live)
    }
    if (entry.closedAt === undefined) return
    this.#sql.setClosed.run(Math.trunc(entry.closedAt), live.id)
    this.#calls.get(epoch)?.delete(allocationId)
  }

  #remember(epoch: string, allocationId: number, live: Live): void {
    const calls = this.#calls.get(epoch)
    if (calls) calls.set(allocationId, live)
    else this.#calls.set(epoch, new Map([[allocationId, live]]))
  }

  #open(entry: StoreEntry): Live {
    const { lastInsertRowid } = this.#sql.addCall.run(
      this.#epochId(entry.epoch),
      entry.allocationId,
      this.#seriesId(entry),
      Math.trunc(entry.openedAt),
    )
    const id = Number(lastInsertRowid)
    this.#sql.addSettled.run(id)
    return { id, total: zeroTotals() }
  }

  #find({ epoch, allocationId }: { readonly epoch: string; readonly allocationId: number }): Live | undefined {
    const row = this.#sql.getCall.get(epoch, allocationId) as Record<string, number> | undefined
    if (!row) return undefined
    return { id: row.id!, total: columns.map((name) => row[name]!) }
  }

  #epochId(name: string): number {
    let id = this.#epochs.get(name)
    if (id === undefined) {
      id = (this.#sql.addEpoch.get(name) as { id: number }).id
      this.#epochs.set(name, id)
    }
    return id
  }

  #seriesId({ app, user, transport, family, relay }: StoreEntry): number {
    const key = JSON.stringify([app, user, transport, family, relay])
    let id = this.#series.get(key)
    if (id === undefined) {
      id = (this.#sql.addSeries.get(app, user, transport, family, relay) as { id: number }).id
      // Users come and go; what is not in use is looked up again.
      if (this.#series.size >= 100_000) this.#series.clear()
      this.#series.set(key, id)
    }
    return id
  }
}

function grown(before: Totals, after: Totals): boolean {
  for (let i = 0; i < TOTALS_SIZE; i++) if (after[i]! > before[i]!) return true
  return false
}

type Statements = Readonly<Record<keyof ReturnType<typeof storeSql>, StatementSync>>

function prepare(db: DatabaseSync): Statements {
  return Object.fromEntries(Object.entries(storeSql()).map(([name, text]) => [name, db.prepare(text)])) as Statements
}

/**
 * The store's statements. CROSS JOIN is SQLite's way to fix the order: from the few live allocations to their calls,
 * never through all calls.
 */
export function storeSql() {
  const nothingChanges = 'DO UPDATE SET id = id RETURNING id'
  return {
    getMinute: `SELECT value FROM meta WHERE key = 'minute'`,
    setMinute: `INSERT INTO meta VALUES ('minute', ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
    addEpoch: `INSERT INTO epoch (name) VALUES (?) ON CONFLICT ${nothingChanges}`,
    addSeries: `INSERT INTO series (app, user, transport, family, relay) VALUES (?, ?, ?, ?, ?) ON CONFLICT ${nothingChanges}`,
    getCall: `SELECT id, ${list} FROM call WHERE epoch = (SELECT id FROM epoch WHERE name = ?) AND allocation = ?`,
    addCall: 'INSERT INTO call (epoch, allocation, series, opened) VALUES (?, ?, ?, ?)',
    getMarks: 'SELECT key FROM budget_mark WHERE at >= ? ORDER BY key',
    addMark: 'INSERT OR IGNORE INTO budget_mark (key, at) VALUES (?, ?)',
    dropMarks: 'DELETE FROM budget_mark WHERE at < ?',
    addSettled: 'INSERT INTO settled (id) VALUES (?)',
    reopen: `INSERT OR IGNORE INTO settled (id, ${list}) SELECT id, ${list} FROM call WHERE id = ?`,
    setTotal: `UPDATE call SET closed = NULL, (${list}) = (${marks}) WHERE id = ?`,
    setClosed: 'UPDATE call SET closed = ? WHERE id = ?',
    // `WHERE true` keeps the parser from reading ON CONFLICT as a join's ON.
    toMinute: `INSERT INTO minute SELECT ?, c.series, ${unsettled} FROM settled s CROSS JOIN call c USING (id) WHERE true
      GROUP BY c.series ON CONFLICT DO UPDATE SET ${addExcluded}`,
    toAppDay: `INSERT INTO app_day SELECT ?, series.app, ${unsettled} FROM settled s CROSS JOIN call c USING (id)
      JOIN series ON series.id = c.series WHERE true GROUP BY series.app ON CONFLICT DO UPDATE SET ${addExcluded}`,
    endStale: `UPDATE call SET closed = opened + duration_ms
      WHERE id IN (SELECT id FROM settled) AND closed IS NULL AND opened + duration_ms < ?`,
    dropClosed:
      'DELETE FROM settled WHERE id IN (SELECT c.id FROM settled s CROSS JOIN call c USING (id) WHERE c.closed IS NOT NULL)',
    markSettled: `UPDATE settled SET (${list}) = (SELECT ${list} FROM call c WHERE c.id = settled.id)`,
  }
}
