/** The ledger's own thread: a `LedgerWriter` with a clock. Started by `LedgerThread`. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { unpackBatch } from './packed.ts'
import { openLedgerDatabase } from './schema.ts'
import type { FromLedger, LedgerThreadData, ToLedger } from './thread-messages.ts'
import { LedgerWriter } from './writer.ts'

/** Milliseconds between flushes. */
const FLUSH_EVERY = 1000
const ROLL_UP_EVERY = 10
/** Milliseconds after a report before it is written: the other workers' reports of the same moment go along. */
const FLUSH_AFTER_BATCH = 50

const port = parentPort as MessagePort
const data = workerData as LedgerThreadData
const post = (message: FromLedger) => port.postMessage(message)
const log = (level: 'warn' | 'info') => (details: object, message: string) =>
  post({ type: 'log', level, details, message })

const writer = new LedgerWriter({
  open: () => openLedgerDatabase(data.path),
  price: data.price,
  log: { warn: log('warn'), info: log('info') },
  ...(data.retention ? { retention: data.retention } : {}),
  ...(data.bufferLimit ? { bufferLimit: data.bufferLimit } : {}),
})
const report = (now: number) =>
  post({ type: 'report', report: { totals: writer.totals(now), status: writer.status() } })

writer.flush(Date.now())
// Before any usage: what earlier lives counted.
report(Date.now())
post({ type: 'ready', firedMarks: writer.firedMarks(Date.now()) })

// A report is a second old when it comes; a process that is killed must not lose another one with it, and a budget that it
// uses up is to act at once.
let soon: NodeJS.Timeout | undefined
function flushSoon(): void {
  soon ??= setTimeout(() => {
    soon = undefined
    const now = Date.now()
    writer.flush(now)
    report(now)
  }, FLUSH_AFTER_BATCH)
}

let ticks = 0
const timer = setInterval(() => {
  const now = Date.now()
  writer.flush(now)
  if (++ticks % ROLL_UP_EVERY === 0) writer.rollUp(now)
  report(now)
}, FLUSH_EVERY)

port.on('message', (message: ToLedger) => {
  switch (message.type) {
    case 'batch':
      writer.ingest(unpackBatch(message.batch))
      flushSoon()
      break
    case 'endEpoch':
      writer.endEpoch(message.epoch, message.at)
      break
    case 'marks':
      writer.addMarks(message.keys)
      break
    case 'flush':
      writer.flush(Date.now())
      post({ type: 'flushed', id: message.id })
      break
    case 'close':
      clearInterval(timer)
      clearTimeout(soon)
      writer.close(Date.now())
      port.close()
  }
})
