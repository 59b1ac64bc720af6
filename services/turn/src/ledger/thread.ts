import { Worker } from 'node:worker_threads'
import type { UsageSource } from './http.ts'
import type { SnapshotBatch } from './meter.ts'
import { type PackedBatch, packBatch } from './packed.ts'
import type { FromLedger, LedgerReport, LedgerThreadData, ToLedger } from './thread-messages.ts'
import type { LedgerLog } from './trouble.ts'
import type { ComparedProvider, UsageQuery, UsageReport } from './usage.ts'
import { UsageThread, unavailable } from './usage-thread.ts'

export interface LedgerThreadOptions extends LedgerThreadData {
  readonly log: LedgerLog
  /** Called every second with running totals and the ledger's state: for metrics, budgets and the dashboard. */
  readonly onReport: (report: LedgerReport) => void
}

/** Milliseconds before a ledger thread that died is started again. */
const RESTART_AFTER = 1000

/**
 * The ledger in a thread of its own, seen from the main one: the relay waits for no disk. A thread that dies is started
 * again; since workers report all they have counted, nothing is lost but the last second of calls that just ended.
 */
export class LedgerThread implements UsageSource {
  readonly #options: LedgerThreadOptions
  readonly #usage: UsageThread
  /** Who waits for a flush. */
  readonly #flushes = new Map<number, () => void>()
  #worker: Worker
  #ids = 0
  #closing = false
  /** The thread runs; false between its death and its new start. */
  #alive = false
  #ready: PromiseWithResolvers<readonly string[]> = Promise.withResolvers()

  constructor(options: LedgerThreadOptions) {
    this.#options = options
    const { path, price, providers, log } = options
    this.#usage = new UsageThread({ path, price, providers }, log)
    this.#worker = this.#start()
  }

  /** Resolves once the thread runs: keys of the budget marks already reached, for `BudgetKeeper`. */
  get ready(): Promise<readonly string[]> {
    return this.#ready.promise
  }

  ingest(batch: SnapshotBatch): void {
    this.ingestPacked(packBatch(batch))
  }

  ingestPacked(batch: PackedBatch): void {
    this.#post({ type: 'batch', batch })
  }

  /** A relay worker is gone. */
  endEpoch(epoch: string, at: number): void {
    this.#post({ type: 'endEpoch', epoch, at })
  }

  /** Remembers reached budget marks (`BudgetEvent.key`) across restarts. */
  addMarks(keys: readonly string[]): void {
    if (keys.length > 0) this.#post({ type: 'marks', keys })
  }

  /**
   * With all that was ingested before, unless the ledger cannot be written.
   * @throws HttpError 503 USAGE_UNAVAILABLE while it cannot be read
   */
  async query(query: UsageQuery): Promise<UsageReport> {
    await this.#flush()
    return this.#usage.query(query)
  }

  /** As `query`. */
  async compare(of: { readonly at: number; readonly app?: string | undefined }): Promise<ComparedProvider[]> {
    await this.#flush()
    return this.#usage.compare(of)
  }

  /** Writes what waits and ends the thread. Report the last counters before. Idempotent. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    await this.#usage.close()
    if (!this.#alive) return
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()))
    this.#post({ type: 'close' })
    await exited
  }

  #start(): Worker {
    const { log: _log, onReport: _onReport, ...data } = this.#options
    const worker = new Worker(new URL('./thread-main.ts', import.meta.url), { workerData: data, name: 'ledger' })
    worker.on('message', (message: FromLedger) => this.#receive(message))
    worker.on('error', (error) =>
      this.#options.log.warn({ code: 'LEDGER_THREAD_DIED', err: error }, 'the ledger thread died and is started again'),
    )
    this.#alive = true
    worker.on('exit', () => {
      this.#alive = false
      for (const done of this.#flushes.values()) done()
      this.#flushes.clear()
      if (this.#closing) return
      setTimeout(() => {
        if (!this.#closing) this.#worker = this.#start()
      }, RESTART_AFTER).unref()
    })
    return worker
  }

  #post(message: ToLedger): void {
    this.#worker.postMessage(message)
  }

  #flush(): Promise<void> {
    if (this.#closing) return Promise.reject(unavailable())
    if (!this.#alive) return Promise.resolve()
    const id = ++this.#ids
    return new Promise((resolve) => {
      this.#flushes.set(id, resolve)
      this.#post({ type: 'flush', id })
    })
  }

  #receive(message: FromLedger): void {
    const { log, onReport } = this.#options
    if (message.type === 'ready') this.#ready.resolve(message.firedMarks)
    else if (message.type === 'report') onReport(message.report)
    else if (message.type === 'log') log[message.level](message.details, message.message)
    else {
      this.#flushes.get(message.id)?.()
      this.#flushes.delete(message.id)
    }
  }
}
