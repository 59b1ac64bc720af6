import type { DatabaseSync } from 'node:sqlite'
import { csvField } from '@hairpin/http'
import { beforeEach, describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE } from '../../src/ledger/calendar.ts'
import { usageCsv } from '../../src/ledger/csv.ts'
import { openLedgerDatabase } from '../../src/ledger/schema.ts'
import { compareUsage, type GroupKey, queryUsage, type UsageQuery } from '../../src/ledger/usage.ts'
import { LedgerWriter } from '../../src/ledger/writer.ts'
import { batch, counters, provider, snapshot } from './helpers.ts'

const MARCH = Date.UTC(2026, 2, 1)
// 10 GB free, then 1.00 per GB, to 30 GB; 0.50 after.
const price = provider({
  allowance: 10,
  tiers: [
    { upTo: 30, price: '1' },
    { upTo: null, price: '0.5' },
  ],
})

let db: DatabaseSync
let writer: LedgerWriter
let id = 0

/** A call of 60 seconds, all of it sent to the client, `gigabytes` on the wire. */
function call(at: number, app: string, user: string, gigabytes: number, transport: 'udp' | 'tcp' = 'udp'): void {
  const allocationId = ++id
  const of = { allocationId, app, user, transport, openedAt: at }
  writer.ingest(batch([snapshot({ ...of })], { at }))
  writer.flush(at)
  const framed = gigabytes * 1e9
  const end = { ...of, closedAt: at + MINUTE, counters: counters({ toClientPayload: framed, toClientFramed: framed }) }
  writer.ingest(batch([snapshot(end)], { at: at + MINUTE }))
  writer.flush(at + MINUTE)
}

const query = (groupBy: GroupKey[], values: Partial<UsageQuery> = {}) =>
  queryUsage(db, price, { from: MARCH, to: MARCH + 31 * DAY, groupBy, ...values })
const brief = (groupBy: GroupKey[], values: Partial<UsageQuery> = {}) =>
  query(groupBy, values).rows.map((row) => [...groupBy.map((key) => row[key]), row.bytes / 1e9, row.calls, row.cost])

beforeEach(() => {
  db = openLedgerDatabase(':memory:')
  writer = new LedgerWriter({ open: () => db, price, log: { warn: console.warn, info() {} } })
  // 1 March: 8 GB, free. 2 March: 8 GB, 2 free and 6 x 1. 3 March: 20 GB, 14 x 1 (to 30 GB) and 6 x 0.5 = 17.
  call(MARCH + HOUR, 'shop', 'ann', 8)
  call(MARCH + DAY + HOUR, 'shop', 'ann', 2)
  call(MARCH + DAY + 2 * HOUR, 'chat', 'bob', 6, 'tcp')
  call(MARCH + 2 * DAY + HOUR, 'shop', 'eve', 15)
  call(MARCH + 2 * DAY + HOUR, 'chat', 'ann', 5)
})

describe('usage', () => {
  it('in one sum: the bill of the stack', () => {
    // 0 + 6 + 17
    expect(brief([])).toEqual([[36, 5, '23.000000']])
    expect(query([]).total).toMatchObject({ calls: 5, seconds: 300, billableBytes: 36e9 })
  })

  it('by day, billed in the order of the month', () => {
    expect(brief(['day'])).toEqual([
      ['2026-03-01', 8, 1, '0.000000'],
      ['2026-03-02', 8, 2, '6.000000'],
      ['2026-03-03', 20, 2, '17.000000'],
    ])
  })

  it('by app, each day shared by bytes', () => {
    expect(brief(['app'])).toEqual([
      // 0 + 6 x 2/8 + 17 x 15/20 = 1.5 + 12.75
      ['shop', 25, 3, '14.250000'],
      // 6 x 6/8 + 17 x 5/20 = 4.5 + 4.25
      ['chat', 11, 2, '8.750000'],
    ])
  })

  it('by app and user, transport, hour and call', () => {
    expect(brief(['app', 'user'])).toEqual([
      ['shop', 'eve', 15, 1, '12.750000'],
      ['shop', 'ann', 10, 2, '1.500000'],
      ['chat', 'bob', 6, 1, '4.500000'],
      ['chat', 'ann', 5, 1, '4.250000'],
    ])
    expect(brief(['transport'])).toEqual([
      ['udp', 30, 4, '18.500000'],
      ['tcp', 6, 1, '4.500000'],
    ])
    expect(brief(['hour'], { app: 'chat' })).toEqual([
      ['2026-03-02T02:00:00.000Z', 6, 1, '4.500000'],
      ['2026-03-03T01:00:00.000Z', 5, 1, '4.250000'],
    ])
    expect(query(['call'], { user: 'bob' }).rows).toMatchObject([
      {
        opened: '2026-03-02T02:00:00.000Z',
        closed: '2026-03-02T02:01:00.000Z',
        bytes: 6e9,
        seconds: 60,
        cost: '4.500000',
      },
    ])
  })

  it('of a range that starts within the month knows what was used up before', () => {
    expect(brief(['day'], { from: MARCH + 2 * DAY })).toEqual([['2026-03-03', 20, 2, '17.000000']])
    expect(brief(['day'], { from: MARCH + DAY + 90 * MINUTE, to: MARCH + 2 * DAY })).toEqual([
      ['2026-03-02', 6, 1, '4.500000'],
    ])
  })

  it('of a part sees only the part', () => {
    expect(brief([], { app: 'chat' })).toEqual([[11, 2, '8.750000']])
    expect(brief(['app'], { user: 'ann' })).toEqual([
      ['shop', 10, 2, '1.500000'],
      ['chat', 5, 1, '4.250000'],
    ])
    expect(brief([], { app: 'none' })).toEqual([[0, 0, '0.000000']])
  })

  it('is the same before and after roll-ups', () => {
    const to = MARCH + 4 * DAY
    const reports = () => [query(['app'], { to }), query(['user', 'day'], { to }), query([], { to, user: 'ann' })]
    const rows = (table: string) =>
      db.prepare(`SELECT count(*) AS n FROM ${table} WHERE start < ${to / 1000}`).get()?.n as number
    const before = reports()
    for (const [table, later] of [['hour', 2 * DAY] as const, ['day', 36 * DAY] as const]) {
      const now = MARCH + 3 * DAY + later
      writer.ingest(batch([snapshot({ allocationId: ++id, app: 'x', openedAt: now })], { at: now }))
      writer.flush(now)
      for (let i = 0; i < 20; i++) writer.rollUp(now)
      expect(reports()).toEqual(before)
      for (const other of ['minute', 'hour', 'day']) expect([other, rows(other) > 0]).toEqual([other, other === table])
    }
  })

  it('counts what a live call has used so far', () => {
    writer.ingest(
      batch([snapshot({ allocationId: ++id, counters: counters({ toClientFramed: 1e9 }) })], { at: MARCH + 3 * DAY }),
    )
    writer.flush(MARCH + 3 * DAY)
    expect(brief(['day']).at(-1)).toEqual(['2026-03-04', 1, 1, '0.500000'])
  })

  it('has no cost where the price is unknown', () => {
    const unknown = provider({ tiers: [{ upTo: null, price: null }] })
    const { rows, total } = queryUsage(db, unknown, { from: MARCH, to: MARCH + DAY, groupBy: ['app'] })
    expect([rows[0]?.cost, total.cost]).toEqual([null, null])
  })

  it('says when rows were cut off', () => {
    const cut = query(['user'], { limit: 1 })
    expect([cut.rows.length, cut.truncated, cut.total.calls]).toEqual([1, true, 5])
    const calls = query(['call'], { limit: 2 })
    expect([calls.rows.map(({ bytes }) => bytes / 1e9), calls.truncated, calls.total.calls]).toEqual([[8, 2], true, 5])
    expect(query(['call'], { limit: 5 }).truncated).toBe(false)
  })

  it('compares the month at other providers, for the stack and for one app', () => {
    const cheap = provider({ id: 'cheap', tiers: [{ upTo: null, price: '0.1' }] })
    const costs = (app?: string) =>
      compareUsage(db, [price, cheap], { at: MARCH + 5 * DAY, app }).map(({ cost }) => cost)
    expect(costs()).toEqual(['23.000000', '3.600000'])
    // alone: 25 GB, 10 free, 15 x 1; 25 x 0.1
    expect(costs('shop')).toEqual(['15.000000', '2.500000'])
    expect(compareUsage(db, [cheap], { at: MARCH - 1 })[0]?.billableBytes).toBe(0)
  })
})

describe('CSV', () => {
  it.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\r\nlines', '"two\r\nlines"'],
    ['=1+1', "'=1+1"],
    ['+49', "'+49"],
    ['-1', "'-1"],
    ['@cmd', "'@cmd"],
    ['\t=1', "'\t=1"],
    ['＝1', "'＝1"],
    ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
    [-5, '-5'],
    [null, ''],
  ])('writes %j as %s', (value, text) => {
    expect(csvField(value)).toBe(text)
  })

  it('has a header, a line per row, and CRLF after each', () => {
    const lines = usageCsv(query(['app', 'day'], { app: 'chat' })).split('\r\n')
    expect(lines[0]).toMatch(/^app,day,bytes,billable_bytes,calls,seconds,cost,currency,from_client_payload,/)
    expect(lines[1]).toMatch(/^chat,2026-03-02,6000000000,6000000000,1,60,4\.500000,USD,/)
    expect(lines).toHaveLength(4)
    expect(lines[3]).toBe('')
    expect(new Set(lines.slice(0, 3).map((line) => line.split(',').length)).size).toBe(1)
  })

  it('gives calls with their times', () => {
    const [header, line] = usageCsv(query(['call'], { user: 'bob' })).split('\r\n')
    expect(header).toMatch(/^call,opened,closed,bytes,/)
    expect(line).toContain(',2026-03-02T02:00:00.000Z,2026-03-02T02:01:00.000Z,6000000000,')
  })
})
