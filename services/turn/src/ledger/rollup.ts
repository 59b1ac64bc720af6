import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { DAY, HOUR } from './calendar.ts'
import { columns } from './counters.ts'
import { transaction } from './schema.ts'
import { addExcluded } from './store.ts'

/** How long each resolution is kept, milliseconds. What is older moves to the next coarser one; days are deleted. */
export interface Retention {
  readonly minutes: number
  readonly hours: number
  readonly days: number
  /** Single calls; what they relayed stays in the buckets. */
  readonly calls: number
}

export const defaultRetention: Retention = { minutes: 3 * HOUR, hours: 35 * DAY, days: 1827 * DAY, calls: 35 * DAY }

/** Calls deleted in one step. */
const CALLS_PER_STEP = 5_000

/**
 * Keeps the file small in small steps: each moves one bucket start of one resolution, or deletes some old rows, in a
 * transaction of its own, so that no step holds up the next flush for long and each byte stays counted once.
 */
export class RollUp {
  readonly #db: DatabaseSync
  readonly #retention: Retention
  readonly #moves: readonly Move[]
  readonly #deleteDays: StatementSync
  readonly #deleteCalls: StatementSync

  constructor(db: DatabaseSync, retention: Retention = defaultRetention) {
    this.#db = db
    this.#retention = retention
    this.#moves = [move(db, 'minute', 'hour', HOUR, retention.minutes), move(db, 'hour', 'day', DAY, retention.hours)]
    this.#deleteDays = db.prepare('DELETE FROM day WHERE start < ?')
    this.#deleteCalls = db.prepare(
      `DELETE FROM call WHERE id IN (SELECT id FROM call WHERE opened < ? AND closed < ?
        AND id NOT IN (SELECT id FROM settled) ORDER BY opened LIMIT ${CALLS_PER_STEP})`,
    )
  }

  /**
   * Does at most `steps` steps; the number done says whether more may wait. Nothing is moved before its whole coarser
   * bucket is old enough.
   * @throws SQLite's error; the step then did not happen
   */
  run(now: number, steps = 4): number {
    let done = 0
    while (done < steps && this.#step(now)) done++
    return done
  }

  #step(now: number): boolean {
    for (const { next, add, remove, width, keep } of this.#moves) {
      const limit = now - keep
      const start = (next.get() as { start: number | null }).start
      if (start === null || start >= (limit - (limit % width)) / 1000) continue
      transaction(this.#db, () => {
        add.run(start)
        remove.run(start)
      })
      return true
    }
    const days = this.#deleteDays.run((now - this.#retention.days) / 1000).changes
    const old = now - this.#retention.calls
    return days > 0 || this.#deleteCalls.run(old, old).changes > 0
  }
}

interface Move {
  readonly next: StatementSync
  readonly add: StatementSync
  readonly remove: StatementSync
  readonly width: number
  readonly keep: number
}

function move(db: DatabaseSync, from: string, to: string, width: number, keep: number): Move {
  const list = columns.join(', ')
  const seconds = width / 1000
  return {
    next: db.prepare(`SELECT min(start) AS start FROM ${from}`),
    add: db.prepare(
      `INSERT INTO ${to} (start, series, ${list}) SELECT start - start % ${seconds}, series, ${list} FROM ${from}
        WHERE start = ? ON CONFLICT DO UPDATE SET ${addExcluded}`,
    ),
    remove: db.prepare(`DELETE FROM ${from} WHERE start = ?`),
    width,
    keep,
  }
}
