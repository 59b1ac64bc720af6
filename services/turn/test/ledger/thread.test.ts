import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { monthStart } from '../../src/ledger/calendar.ts'
import { billableBytes } from '../../src/ledger/cost.ts'
import { totalsOf } from '../../src/ledger/meter.ts'
import { relayedCounters } from '../../src/ledger/relayed.ts'
import { LedgerThread } from '../../src/ledger/thread.ts'
import type { LedgerReport } from '../../src/ledger/thread-messages.ts'
import { batch, counters, provider, snapshot } from './helpers.ts'

let folder: string
let ledger: LedgerThread
let reported: PromiseWithResolvers<LedgerReport>
const log: string[] = []

function start(): void {
  let reports = 0
  const note = (_details: object, message: string) => log.push(message)
  ledger = new LedgerThread({
    path: join(folder, 'ledger.db'),
    price: provider(),
    providers: [provider(), provider({ id: 'dear', tiers: [{ upTo: null, price: '1' }] })],
    log: { warn: note, info: note },
    // The first one comes before any usage.
    onReport: (report) => reports++ > 0 && reported.resolve(report),
  })
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hairpin-ledger-'))
  reported = Promise.withResolvers()
  log.length = 0
  start()
})
afterEach(async () => {
  await ledger.close()
  rmSync(folder, { recursive: true, force: true })
})

it('counts, reports and answers from a thread of its own, and remembers across lives', async () => {
  const at = Date.now()
  const framed = 5_000_000_000
  const call = snapshot({ openedAt: at, counters: counters({ toClientPayload: framed, toClientFramed: framed }) })
  const month = { from: monthStart(at), to: at + 3_600_000 }
  expect(await ledger.ready).toEqual([])
  ledger.ingest(batch([call], { at }))
  ledger.addMarks(['reached'])
  expect((await ledger.query({ ...month, groupBy: ['app'] })).rows).toMatchObject([{ app: 'shop', cost: '0.050000' }])
  expect((await ledger.compare({ at })).map(({ cost }) => cost)).toEqual(['0.050000', '5.000000'])
  const report = await reported.promise
  expect(report.status).toMatchObject({ state: 'ok', waiting: 0 })
  expect(report.totals.apps[0]?.month.cost).toBe('0.050000')
  await ledger.close()
  await expect(ledger.query({ ...month, groupBy: [] })).rejects.toMatchObject({ code: 'USAGE_UNAVAILABLE' })

  start()
  expect(await ledger.ready).toEqual(['reached'])
  // The same allocation reports on: its bytes are not counted again.
  ledger.ingest(batch([call], { at }))
  ledger.endEpoch('e1', at)
  expect((await ledger.query({ ...month, groupBy: [] })).total).toMatchObject({ calls: 1, bytes: framed })
  expect(log).toEqual([])
})

it('says so when the ledger cannot be read, and goes on', async () => {
  await ledger.close()
  rmSync(folder, { recursive: true, force: true })
  folder = '/dev/null/nowhere'
  start()
  expect(await ledger.ready).toEqual([])
  await expect(ledger.query({ from: 0, to: 1, groupBy: [] })).rejects.toMatchObject({ statusCode: 503 })
  expect((await reported.promise).status.state).toBe('failing')
})

it('takes the counters of a data path', () => {
  const call = relayedCounters({
    clientToPeerBytes: 1000,
    clientToPeerPackets: 10,
    peerToClientBytes: 2000,
    peerToClientPackets: 20,
    ownBytes: 300,
    ownPackets: 3,
    indicationExtra: 64,
  })
  const totals = totalsOf(snapshot({ counters: call }), 0)
  // To the client 2,000 + 20 x (4 + 28) + 64; to peers 700 + 7 x 28
  expect(billableBytes('egress', totals)).toBe(BigInt(2000 + 640 + 64 + 700 + 196))
  // From the client 1,000 + 10 x (4 + 28)
  expect(billableBytes('clientBoth', totals)).toBe(BigInt(2000 + 640 + 64 + 1000 + 320))
})
