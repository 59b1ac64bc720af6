import { Worker } from 'node:worker_threads'
import { HttpError } from '@hairpin/http'
import type { UsageSource } from './http.ts'
import type { SnapshotBatch } from './meter.ts'
import type { FromLedger, LedgerReport, LedgerThreadData, ToLedger } from './thread-messages.ts'
import type { LedgerLog } from './trouble.ts'
import type { ComparedProvider, UsageQuery, UsageReport } from './usage.ts'

export interface LedgerThreadOptions extends LedgerThreadData {
  readonly log: LedgerLog
  /** Called every second with running totals and the ledger's state: for metrics, budgets and the dashboard. */
  readonly onReport: (report: LedgerReport) => void
}

interface Asked {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/** Milliseconds before a ledger thread that died is started again. */
const RESTART_AFTER = 1000

/**
 * The ledger in a thread of its own, seen from the main one: the relay waits for no disk. A thread that dies is started
 * again; since workers report all they have counted, nothing is lost but the last second of calls that just ended.
 */
export class LedgerThread implements UsageSource {
  readonly #options: LedgerThreadOptions
  readonly #asked = new Map<number, Asked>()
  #worker: Worker
  #ids = 0
  #closing = false
  /** The thread runs; false between its death and its new start. */
  #alive = false
  #ready: PromiseWithResolvers<readonly string[]> = Promise.withResolvers()

  constructor(options: LedgerThreadOptions) {
    this.#options = options
    this.#worker = this.#start()
  }

  /** Resolves once the thread runs: keys of the budget marks already reached, for `BudgetKeeper`. */
  get ready(): Promise<readonly string[]> {
    return this.#ready.promise
  }

  ingest(batch: SnapshotBatch): void {
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

  /** @throws HttpError 503 USAGE_UNAVAILABLE while the ledger cannot be read */
  query(query: UsageQuery): Promise<UsageReport> {
    return this.#ask<UsageReport>((id) => ({ type: 'query', id, query }))
  }

  /** @throws HttpError 503 USAGE_UNAVAILABLE while the ledger cannot be read */
  compare({ at, app }: { readonly at: number; readonly app?: string | undefined }): Promise<ComparedProvider[]> {
    return this.#ask<ComparedProvider[]>((id) => ({ type: 'compare', id, at, app }))
  }

  /** Writes what waits and ends the thread. Report the last counters before. Idempotent. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
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
      for (const { reject } of this.#asked.values()) reject(unavailable())
      this.#asked.clear()
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

  #ask<T>(message: (id: number) => ToLedger): Promise<T> {
    if (this.#closing || !this.#alive) return Promise.reject(unavailable())
    const id = ++this.#ids
    return new Promise<T>((resolve, reject) => {
      this.#asked.set(id, { resolve: resolve as Asked['resolve'], reject })
      this.#post(message(id))
    })
  }

  #receive(message: FromLedger): void {
    const { log, onReport } = this.#options
    if (message.type === 'ready') this.#ready.resolve(message.firedMarks)
    else if (message.type === 'report') onReport(message.report)
    else if (message.type === 'log') log[message.level](message.details, message.message)
    else {
      const asked = this.#asked.get(message.id)
      this.#asked.delete(message.id)
      if (message.type === 'answer') asked?.resolve(message.result as never)
      else {
        log.warn({ code: 'USAGE_UNAVAILABLE', error: message.message }, 'a usage query failed')
        asked?.reject(unavailable())
      }
    }
  }
}

function unavailable(): HttpError {
  return new HttpError(503, 'USAGE_UNAVAILABLE', 'The ledger cannot be read now; usage goes on being counted.')
}
