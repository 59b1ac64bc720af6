/** Answers usage queries. Started by `UsageThread`. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { openLedgerReader } from './schema.ts'
import { compareUsage, queryUsage } from './usage.ts'
import type { FromUsage, ToUsage, UsageThreadData } from './usage-thread.ts'

const port = parentPort as MessagePort
const data = workerData as UsageThreadData

port.on('message', (message: ToUsage) => port.postMessage(answer(message)))

/** A connection per question: none lasts longer than its answer, so that none keeps old pages from being reused. */
function answer(message: ToUsage): FromUsage {
  const { id } = message
  try {
    const db = openLedgerReader(data.path)
    try {
      const result =
        message.type === 'query' ? queryUsage(db, data.price, message.query) : compareUsage(db, data.providers, message)
      return { id, result }
    } finally {
      db.close()
    }
  } catch (error) {
    return { id, error: (error as Error).message }
  }
}
