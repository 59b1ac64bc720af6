import type { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE } from '../../src/ledger/calendar.ts'
import { Meter } from '../../src/ledger/meter.ts'
import { RollUp } from '../../src/ledger/rollup.ts'
import { openLedgerDatabase } from '../../src/ledger/schema.ts'
import { LedgerStore } from '../../src/ledger/store.ts'
import { batch, counters, snapshot, T0 } from './helpers.ts'

let db: DatabaseSync
let rollUp: RollUp

const retention = { minutes: HOUR, hours: DAY, days: 30 * DAY, calls: 2 * DAY }
const rows = (sql: string) =>
  db
    .prepare(sql)
    .all()
    .map((row) => Object.values(row))
const all = (table: string) => rows(`SELECT start, to_client_payload FROM ${table} ORDER BY start`)
const seconds = (ms: number) => (T0 + ms) / 1000

/** One call of 10 minutes from T0 on, 100 bytes a minute. */
beforeEach(() => {
  db = openLedgerDatabase(':memory:')
  const store = new LedgerStore(db)
  const meter = new Meter()
  for (let minute = 0; minute < 10; minute++) {
    const at = T0 + minute * MINUTE
    const closed = minute === 9 ? { closedAt: at } : {}
    const call = snapshot({ counters: counters({ toClientPayload: (minute + 1) * 100 }), ...closed })
    store.apply(Map.groupBy(meter.observe(batch([call], { at })), (entry) => entry.minute))
  }
  store.settle(T0 + 10 * MINUTE)
  rollUp = new RollUp(db, retention)
})

const runAll = (now: number) => {
  while (rollUp.run(now) > 0);
}

describe('the roll-up', () => {
  it('leaves minutes alone until their whole hour is old', () => {
    runAll(T0 + 2 * HOUR - 1)
    expect(all('minute')).toHaveLength(10)
    runAll(T0 + 2 * HOUR)
    expect(all('minute')).toEqual([])
    expect(all('hour')).toEqual([[seconds(0), 1000]])
  })

  it('moves one bucket start at a time, so that a step is short', () => {
    expect(rollUp.run(T0 + 2 * HOUR, 3)).toBe(3)
    expect(all('minute')).toHaveLength(7)
    expect(all('hour')).toEqual([[seconds(0), 300]])
  })

  it('moves hours into days of UTC, and deletes what is past keeping', () => {
    runAll(T0 + 2 * DAY)
    expect(all('hour')).toEqual([])
    expect(all('day')).toEqual([[seconds(-12 * HOUR), 1000]])
    runAll(T0 + 31 * DAY)
    expect(all('day')).toEqual([])
    // What bills read stays.
    expect(all('app_day')).toEqual([[seconds(-12 * HOUR), 1000]])
  })

  it('deletes old calls, but none that still counts', () => {
    db.exec(`INSERT INTO call (id, epoch, allocation, series, opened) VALUES (50, 1, 50, 1, ${T0})`)
    db.exec('INSERT INTO settled (id) VALUES (50)')
    runAll(T0 + 2 * DAY)
    expect(rows('SELECT id FROM call')).toEqual([[1], [50]])
    runAll(T0 + 3 * DAY)
    expect(rows('SELECT id FROM call')).toEqual([[50]])
  })

  it('does nothing when there is nothing to do', () => {
    expect(rollUp.run(T0 + 20 * MINUTE)).toBe(0)
  })
})
