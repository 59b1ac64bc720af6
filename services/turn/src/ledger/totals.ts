import type { DatabaseSync } from 'node:sqlite'
import { columns, type Totals } from './counters.ts'

const sums = columns.map((name) => `sum(${name}) AS ${name}`).join(', ')
const unsettled = columns.map((name) => `c.${name} - s.${name} AS ${name}`).join(', ')

/** The minute that unsettled bytes belong to, seconds since 1970. */
const presentMinute = `(SELECT value FROM meta WHERE key = 'minute')`

/** What live allocations have counted that no bucket holds yet, as rows like those of a bucket. */
export const unsettledRows = `SELECT ${presentMinute} AS start, c.series AS series, ${unsettled}
  FROM settled s CROSS JOIN call c USING (id)`

/** Totals of a result row that has a column for each count. */
export function totalsOfRow(row: Readonly<Record<string, unknown>>): Totals {
  return columns.map((name) => Number(row[name] ?? 0))
}

/**
 * Everything per app and day (UTC) from `from` on, to the last flush.
 * @param from milliseconds since 1970, start of a day
 * @param to exclusive
 */
export function appDays(
  db: DatabaseSync,
  from: number,
  to = Number.MAX_SAFE_INTEGER,
): { day: number; app: string; totals: Totals }[] {
  const rows = db
    .prepare(
      `SELECT start, app, ${sums} FROM (
        SELECT * FROM app_day
        UNION ALL SELECT ${presentMinute} - ${presentMinute} % 86400, app, ${unsettled}
          FROM settled s CROSS JOIN call c USING (id) JOIN series ON series.id = c.series
      ) WHERE start >= ? AND start < ? GROUP BY start, app ORDER BY start, app`,
    )
    .all(from / 1000, to / 1000) as Record<string, unknown>[]
  return rows.map((row) => ({ day: Number(row.start) * 1000, app: String(row.app), totals: totalsOfRow(row) }))
}
