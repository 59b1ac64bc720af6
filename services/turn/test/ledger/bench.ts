/**
 * What the ledger costs, in CPU of one core and bytes on disk; docs/COST.md quotes it.
 * `node services/turn/test/ledger/bench.ts [live allocations] [calls of the month]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { DAY, MINUTE } from '../../src/ledger/calendar.ts'
import { RAW_SIZE } from '../../src/ledger/counters.ts'
import type { AllocationSnapshot } from '../../src/ledger/meter.ts'
import { packBatch, unpackBatch } from '../../src/ledger/packed.ts'
import { openLedgerDatabase } from '../../src/ledger/schema.ts'
import { queryUsage } from '../../src/ledger/usage.ts'
import { LedgerWriter } from '../../src/ledger/writer.ts'
import { batch, provider, snapshot, T0 } from './helpers.ts'

const [live = 10_000, calls = 1_000_000] = process.argv.slice(2).map(Number)
const folder = mkdtempSync(join(tmpdir(), 'hairpin-ledger-'))
const silent = { warn: console.warn, info() {} }

function cpu(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function spread(times: number[]): string {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))]!.toFixed(1)
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  return `mean ${mean.toFixed(1)} ms, median ${at(0.5)} ms, 95 % ${at(0.95)} ms, most ${at(1)} ms`
}

/** Every allocation's counters move every second, for three minutes. */
function flushes(): void {
  const path = join(folder, 'flush.db')
  const writer = new LedgerWriter({ open: () => openLedgerDatabase(path), price: provider(), log: silent })
  const times: Record<string, number[]> = { 'hand to the thread': [], ingest: [], flush: [], totals: [] }
  const { port1, port2 } = new MessageChannel()
  for (let second = 0; second < 180; second++) {
    const at = T0 + second * 1000
    const reports = Array.from({ length: live }, (_, i) =>
      snapshot({
        allocationId: i,
        app: `app-${i % 10}`,
        user: `user-${i >> 1}`,
        counters: Array.from({ length: RAW_SIZE }, (_, slot) => (second + 1) * (60_000 + slot)),
      }),
    )
    times['hand to the thread']!.push(
      cpu(() => {
        port1.postMessage(packBatch(batch(reports, { at })))
        unpackBatch(receiveMessageOnPort(port2)!.message)
      }),
    )
    times.ingest!.push(cpu(() => writer.ingest(batch(reports, { at }))))
    times.flush!.push(cpu(() => writer.flush(at)))
    times.totals!.push(cpu(() => writer.totals(at)))
  }
  writer.close(T0)
  port1.close()
  console.log(`${live} live allocations, all counting, per second (the first ten left out):`)
  for (const [name, values] of Object.entries(times)) console.log(`  ${name}: ${spread(values.slice(10))}`)
}

/** A month of three-minute calls of 20,000 users, reported each minute, with the default retention. */
function month(): void {
  const path = join(folder, 'month.db')
  const db = openLedgerDatabase(path)
  const writer = new LedgerWriter({ open: () => db, price: provider(), log: silent })
  const start = Date.UTC(2026, 2, 1)
  const perMinute = calls / (30 * 24 * 60)
  let made = 0
  let open: AllocationSnapshot[] = []
  for (let minute = 0; minute < 30 * 24 * 60; minute++) {
    const at = start + minute * MINUTE
    const reports = open.map((call) => {
      const age = (at - call.openedAt) / MINUTE
      const counters = call.counters as number[]
      for (let slot = 0; slot < RAW_SIZE - 4; slot++)
        counters[slot]! += slot % 3 === 2 ? 3_000 : 3_000_000 + (call.allocationId % 1000)
      return age < 3 ? call : { ...call, closedAt: at }
    })
    open = open.filter((call) => at - call.openedAt < 3 * MINUTE)
    for (; made < (minute + 1) * perMinute; made++) {
      const user = `user-${(made * 7919) % 20_000}`
      const fresh = snapshot({
        allocationId: made,
        app: `app-${made % 5}`,
        user,
        openedAt: at,
        counters: new Array(RAW_SIZE).fill(0),
      })
      open.push(fresh)
      reports.push(fresh)
    }
    writer.ingest(batch(reports, { at }))
    writer.flush(at)
    writer.rollUp(at)
  }
  const end = start + 30 * DAY
  for (let i = 0; i < 100; i++) writer.rollUp(end)
  const value = (sql: string) => Number(Object.values(db.prepare(sql).get()!)[0])
  const used = (value('PRAGMA page_count') - value('PRAGMA freelist_count')) * value('PRAGMA page_size')
  console.log(`${made} calls in a month, 20,000 users, default retention: ${(used / 1e6).toFixed(0)} MB`)
  for (const table of ['call', 'minute', 'hour', 'day', 'series', 'app_day'])
    console.log(`  ${table}: ${value(`SELECT count(*) FROM ${table}`)} rows`)
  for (const groupBy of [['app', 'day'], ['user'], ['call']] as const) {
    const time = cpu(() => queryUsage(db, provider(), { from: start, to: end, groupBy, limit: 100 }))
    console.log(`  usage by ${groupBy}: ${time.toFixed(0)} ms`)
  }
  const late = end + 40 * DAY
  writer.ingest(batch([snapshot({ allocationId: made, openedAt: late })], { at: late }))
  writer.flush(late)
  for (let i = 0; i < 1000; i++) writer.rollUp(late)
  const rest = (value('PRAGMA page_count') - value('PRAGMA freelist_count')) * value('PRAGMA page_size')
  console.log(`  40 days on, calls deleted and hours in days: ${(rest / 1e6).toFixed(0)} MB`)
  writer.close(late)
}

try {
  flushes()
  month()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
