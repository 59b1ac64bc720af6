/** Child process of the kill test: reports growing counters as fast as it can and prints what each flush made safe. */
import { writeSync } from 'node:fs'
import { openLedgerDatabase } from '../../src/ledger/schema.ts'
import { LedgerWriter } from '../../src/ledger/writer.ts'
import { batch, counters, provider, snapshot, T0 } from './helpers.ts'

const [path = '', epoch = '', allocations = '0'] = process.argv.slice(2)
const silent = { warn() {}, info() {} }
const writer = new LedgerWriter({ open: () => openLedgerDatabase(path), price: provider(), log: silent })

for (let second = 1; ; second++) {
  const at = T0 + second * 1000
  const reports = Array.from({ length: Number(allocations) }, (_, allocationId) =>
    snapshot({ allocationId, counters: counters({ toClientPayload: second * 1000, toClientPackets: second }) }),
  )
  writer.ingest(batch(reports, { epoch, at }))
  if (!writer.flush(at)) throw new Error('flush failed')
  writer.rollUp(at)
  writeSync(1, `${second}\n`)
}
