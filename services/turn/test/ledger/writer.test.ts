import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OVERFLOW_USER } from '../../src/ledger/buffer.ts'
import { slot } from '../../src/ledger/counters.ts'
import { openLedgerDatabase } from '../../src/ledger/schema.ts'
import { appDays } from '../../src/ledger/totals.ts'
import { LedgerWriter, type LedgerWriterOptions } from '../../src/ledger/writer.ts'
import { batch, counters, provider, snapshot, T0 } from './helpers.ts'

let folder: string
let path: string
let log: string[]
let writer: LedgerWriter

const logger = {
  warn: (details: object, message: string) => log.push(`warn ${(details as { code: string }).code} ${message}`),
  info: (details: object) => log.push(`info ${(details as { code: string }).code}`),
}

function make(options: Partial<LedgerWriterOptions> = {}): LedgerWriter {
  return new LedgerWriter({ open: () => openLedgerDatabase(path), price: provider(), log: logger, ...options })
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hairpin-ledger-'))
  path = join(folder, 'ledger.db')
  log = []
  writer = make()
})
afterEach(() => {
  writer.close(T0)
  rmSync(folder, { recursive: true, force: true })
})

const report = (ms: number, bytes: number, values = {}) =>
  batch([snapshot({ counters: counters({ toClientPayload: bytes, toClientFramed: bytes }), ...values })], {
    at: T0 + ms,
  })

function counted(): number {
  const db = new DatabaseSync(path, { readOnly: true })
  const sum = appDays(db, 0).reduce((total, { totals }) => total + totals[slot.to_client_payload]!, 0)
  db.close()
  return sum
}

const codes = () => log.map((line) => line.split(' ')[1])

describe('a locked database', () => {
  it('holds up nothing: usage waits, one line is logged, and all is written after', () => {
    writer.ingest(report(0, 100))
    expect(writer.flush(T0)).toBe(true)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    for (let second = 1; second <= 3; second++) {
      writer.ingest(report(second * 1000, 100 + second))
      expect(writer.flush(T0 + second * 1000)).toBe(false)
    }
    expect(writer.status()).toMatchObject({ state: 'failing', since: T0 + 1000, waiting: 1 })
    expect(codes()).toEqual(['LEDGER_FAILING'])
    other.exec('ROLLBACK')
    expect(writer.flush(T0 + 4000)).toBe(true)
    expect(writer.status()).toEqual({ state: 'ok', waiting: 0, merged: 0 })
    expect(codes()).toEqual(['LEDGER_FAILING', 'LEDGER_RECOVERED'])
    expect(counted()).toBe(103)
    other.close()
  })

  it('at the start is tried again with each flush', () => {
    openLedgerDatabase(path).close()
    const other = new DatabaseSync(path)
    other.exec('BEGIN EXCLUSIVE')
    writer.ingest(report(0, 100))
    expect(writer.flush(T0)).toBe(false)
    other.exec('ROLLBACK')
    expect(writer.flush(T0)).toBe(true)
    expect(counted()).toBe(100)
    other.close()
  })
})

it('keeps counting without a place to write to', () => {
  writer = make({ open: () => openLedgerDatabase('/dev/null/no/such/folder/ledger.db') })
  writer.ingest(report(0, 100))
  expect(writer.flush(T0)).toBe(false)
  expect(writer.rollUp(T0)).toBe(false)
  expect(writer.totals(T0).stack.month.totals[slot.to_client_payload]).toBe(100)
})

it('waits in memory while the disk is full and writes it all once there is room', () => {
  let db!: DatabaseSync
  writer = make({
    open: () => {
      db = openLedgerDatabase(path)
      return db
    },
  })
  writer.ingest(report(0, 1))
  writer.flush(T0)
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number }
  db.exec(`PRAGMA max_page_count = ${pages + 4}`)
  const calls = (second: number) =>
    batch(
      Array.from({ length: 200 }, (_, i) =>
        snapshot({ allocationId: second * 1000 + i, user: `u${i}`, counters: counters({ toClientPayload: 10 }) }),
      ),
      { at: T0 + second * 1000 },
    )
  for (let second = 1; second <= 5; second++) {
    writer.ingest(calls(second))
    expect(writer.flush(T0 + second * 1000)).toBe(false)
  }
  expect(writer.status()).toMatchObject({ state: 'failing', error: expect.stringContaining('full'), waiting: 1000 })
  expect(counted()).toBe(1)
  db.exec('PRAGMA max_page_count = 1000000')
  expect(writer.flush(T0 + 6000)).toBe(true)
  expect(counted()).toBe(1 + 5 * 200 * 10)
  expect(codes()).toEqual(['LEDGER_FAILING', 'LEDGER_RECOVERED'])
})

describe('what waits is bounded', () => {
  const users = () => {
    const db = new DatabaseSync(path, { readOnly: true })
    const rows = db
      .prepare(
        `SELECT user, sum(to_client_payload) AS bytes, sum(allocations) AS calls FROM call JOIN series ON series.id = series
          GROUP BY user ORDER BY user`,
      )
      .all()
    db.close()
    return rows.map((row) => ({ ...row }))
  }

  it('by giving up minutes, then single closed calls, and no bytes', () => {
    let broken = true
    writer = make({
      bufferLimit: 10,
      open: () => {
        if (broken) throw new Error('disk full')
        return openLedgerDatabase(path)
      },
    })
    writer.ingest(report(0, 5, { allocationId: 900, user: 'live' }))
    for (let call = 1; call <= 100; call++) {
      const at = T0 + call * 10_000
      writer.ingest(report(call * 10_000, 5 + call, { allocationId: 900, user: 'live' }))
      writer.ingest(
        report(call * 10_000, 7, { allocationId: call, user: `u${call}`, openedAt: at - 2000, closedAt: at }),
      )
      writer.flush(at)
      expect(writer.status().waiting).toBeLessThanOrEqual(11)
    }
    const { merged } = writer.status()
    expect(merged).toBeGreaterThan(80)
    broken = false
    expect(writer.flush(T0 + 2_000_000)).toBe(true)
    expect(counted()).toBe(105 + 700)
    expect(users()).toContainEqual({ user: OVERFLOW_USER, bytes: merged * 7, calls: merged })
    expect(users()).toContainEqual({ user: 'live', bytes: 105, calls: 1 })
  })

  it('goes on merging into the same place in a second outage', () => {
    writer = make({ bufferLimit: 2 })
    const outage = (from: number) => {
      for (let call = from; call < from + 10; call++)
        writer.ingest(report(call * 1000, 3, { allocationId: call, closedAt: T0 + call * 1000 }))
    }
    for (const from of [1, 11]) {
      outage(from)
      expect(writer.flush(T0 + from * 1000)).toBe(true)
    }
    expect(counted()).toBe(60)
    expect(users().reduce((sum, { calls }) => sum + Number(calls), 0)).toBe(20)
  })
})

it('knows today and the month at once, with what an earlier life of the process counted', () => {
  writer.ingest(report(0, 2_000_000_000))
  expect(writer.totals(T0).stack.month).toMatchObject({ billableBytes: 2_000_000_000, cost: '0.020000' })
  writer.close(T0)

  const nextDay = 86_400_000
  writer = make()
  writer.flush(T0 + nextDay)
  writer.ingest({ ...report(nextDay, 1_000_000_000, { app: 'chat', openedAt: T0 + nextDay }), epoch: 'e2' })
  const totals = writer.totals(T0 + nextDay)
  expect(totals.apps.map(({ app, month, day }) => [app, month.cost, day.cost])).toEqual([
    ['chat', '0.010000', '0.010000'],
    ['shop', '0.020000', '0.000000'],
  ])
  expect(totals.stack.month.cost).toBe('0.030000')
  expect(totals.stack.day.cost).toBe('0.010000')
  // 10 March 12:00 + 1 day = 10.5 of 31 days: 0.03 x 31 / 10.5 = 0.0885714
  expect(totals.forecast).toBe('0.088571')
  // April begins with nothing
  expect(writer.totals(Date.UTC(2026, 3, 1)).stack.month.billableBytes).toBe(0)
})

it('closes what a dead worker left open', () => {
  writer.ingest(report(5000, 9))
  writer.endEpoch('e1', T0 + 6000)
  writer.flush(T0 + 6000)
  const db = new DatabaseSync(path, { readOnly: true })
  expect({ ...db.prepare('SELECT closed FROM call').get() }).toEqual({ closed: T0 + 5000 })
  db.close()
})

it('goes on where a writer before it stopped, though the allocation lives on', () => {
  writer.ingest(report(0, 1000))
  writer.close(T0)
  writer = make()
  writer.flush(T0)
  writer.ingest(report(1000, 1500))
  expect(writer.totals(T0).stack.month.totals.slice(3, 4)).toEqual([1500])
  expect(writer.totals(T0).stack.month.totals[slot.allocations]).toBe(1)
})
