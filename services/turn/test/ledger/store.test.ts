import type { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { columns, slot } from '../../src/ledger/counters.ts'
import { Meter, type MeterEntry, type SnapshotBatch } from '../../src/ledger/meter.ts'
import { openLedgerDatabase } from '../../src/ledger/schema.ts'
import { LedgerStore, storeSql } from '../../src/ledger/store.ts'
import { appDays } from '../../src/ledger/totals.ts'
import { batch, counters, snapshot, T0 } from './helpers.ts'

let db: DatabaseSync
let store: LedgerStore
let meter: Meter

beforeEach(() => {
  db = openLedgerDatabase(':memory:')
  store = new LedgerStore(db)
  meter = new Meter()
})
afterEach(() => db.close())

const byMinute = (entries: MeterEntry[]) => Map.groupBy(entries, (entry) => entry.minute)
const report = (ms: number, toClientPayload: number, values = {}, of: Partial<SnapshotBatch> = {}) =>
  batch([snapshot({ counters: counters({ toClientPayload }), ...values })], { at: T0 + ms, ...of })
const take = (given: SnapshotBatch) => store.apply(byMinute(meter.observe(given)))
const rows = (sql: string) =>
  db
    .prepare(sql)
    .all()
    .map((row) => Object.values(row))
const minutes = () => rows('SELECT start, to_client_payload FROM minute ORDER BY start')
const counted = () => appDays(db, 0).reduce((sum, { totals }) => sum + totals[slot.to_client_payload]!, 0)

describe('the store', () => {
  it('knows what is counted before any bucket holds it', () => {
    take(report(0, 100))
    take(report(1000, 250))
    expect(minutes()).toEqual([])
    expect(counted()).toBe(250)
    expect(store.totalOf('e1', 1)?.[slot.to_client_payload]).toBe(250)
  })

  it('gives every minute what was read in it', () => {
    take(report(0, 100))
    take(report(59_000, 150))
    take(report(60_000, 175))
    take(report(120_000, 175))
    expect(minutes()).toEqual([
      [T0 / 1000, 150],
      [T0 / 1000 + 60, 25],
    ])
    expect(counted()).toBe(175)
  })

  it('applies a batch again without counting it twice', () => {
    const entries = byMinute(meter.observe(report(0, 100)))
    store.apply(entries)
    store.apply(entries)
    take(report(61_000, 130))
    store.apply(entries)
    store.settle(T0 + 61_000)
    store.apply(entries)
    expect(counted()).toBe(130)
    expect(rows('SELECT sum(to_client_payload), sum(allocations) FROM minute')).toEqual([[130, 1]])
  })

  it('applies a batch again that another process wrote', () => {
    const entries = byMinute(meter.observe(report(0, 100)))
    store.apply(entries)
    store = new LedgerStore(db)
    store.apply(entries)
    expect(counted()).toBe(100)
  })

  it('counts a closed call that reports again from where it was', () => {
    take(report(0, 100, { closedAt: T0 }))
    store.settle(T0)
    expect(rows('SELECT count(*) FROM settled')).toEqual([[0]])
    // As after a restart of the ledger's thread: the meter no longer knows it was closed.
    meter = new Meter()
    take(report(1000, 140))
    take(report(61_000, 145))
    store.settle(T0 + 61_000)
    expect(counted()).toBe(145)
    expect(rows('SELECT sum(to_client_payload), sum(allocations) FROM minute')).toEqual([[145, 1]])
  })

  it('keeps two lives of a worker apart', () => {
    take(report(0, 100))
    take(report(1000, 40, {}, { epoch: 'e2' }))
    expect(counted()).toBe(140)
    expect(rows('SELECT count(*) FROM call')).toEqual([[2]])
  })

  it('ends calls nobody reported for ten minutes, and takes them up again if they come back', () => {
    take(report(0, 100))
    take(report(700_000, 1, { allocationId: 2, openedAt: T0 + 700_000 }))
    take(report(760_000, 2, { allocationId: 2, openedAt: T0 + 700_000 }))
    expect(rows('SELECT allocation, closed FROM call')).toEqual([
      [1, T0],
      [2, null],
    ])
    take(report(765_000, 160))
    store.settle(T0 + 765_000)
    expect(counted()).toBe(162)
    expect(rows('SELECT allocation, closed FROM call WHERE allocation = 1')).toEqual([[1, null]])
  })

  it('keeps bytes in the present minute when the clock steps back', () => {
    take(report(120_000, 100))
    store.apply(byMinute(meter.observe(report(0, 110))))
    store.settle(T0 + 121_000)
    expect(minutes()).toEqual([[T0 / 1000 + 120, 110]])
  })

  it('books a day by the minute it was metered in, across midnight UTC', () => {
    const midnight = Date.UTC(2026, 2, 11)
    take(report(midnight - T0 - 1, 100))
    take(report(midnight - T0, 150))
    store.settle(midnight)
    expect(appDays(db, 0).map(({ day, totals }) => [day, totals[slot.to_client_payload]])).toEqual([
      [midnight - 86_400_000, 100],
      [midnight, 50],
    ])
  })

  it('keeps every column', () => {
    const all = {
      fromClientPayload: 1,
      fromClientFramed: 5,
      fromClientPackets: 1,
      localFromPeerPayload: 7,
      fromPeerPayload: 9,
    }
    const [entry] = meter.observe(batch([snapshot({ counters: counters(all) })], { at: T0 + 5 }))
    store.apply(new Map([[entry!.minute, [entry!]]]))
    store.settle(T0)
    const [row] = rows(`SELECT ${columns.join(', ')} FROM minute`)
    expect(row).toEqual([...entry!.total])
  })

  it('writes nothing of a batch that fails half-way', () => {
    take(report(0, 100))
    const good = meter.observe(report(61_000, 200))
    const bad = meter.observe(report(62_000, 1, { allocationId: 2, user: null as never }))
    expect(() => store.apply(byMinute([...good, ...bad]))).toThrow()
    expect(counted()).toBe(100)
    store.apply(byMinute(good))
    expect(counted()).toBe(200)
    expect(minutes()).toEqual([[T0 / 1000, 100]])
  })
})

it('never walks through all calls of the past to write those of now', () => {
  for (const [name, sql] of Object.entries(storeSql())) {
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(sql.match(/\?/g) ?? []).map(() => 1))
    expect(plan.map((row) => [name, row.detail])).not.toContainEqual([
      name,
      expect.stringMatching(/^SCAN (c|call|series)$/),
    ])
  }
})
