import { Worker } from 'node:worker_threads'
import { HttpError } from '@hairpin/http'
import type { UsageSource } from './http.ts'
import type { PriceTable, Provider } from './prices.ts'
import type { LedgerLog } from './trouble.ts'
import type { ComparedProvider, UsageQuery, UsageReport } from './usage.ts'

export interface UsageThreadData {
  readonly path: string
  readonly price: Provider
  readonly providers: PriceTable['providers']
}

export type ToUsage =
  | { readonly id: number; readonly type: 'query'; readonly query: UsageQuery }
  | { readonly id: number; readonly type: 'compare'; readonly at: number; readonly app: string | undefined }

export type FromUsage =
  | { readonly id: number; readonly result: UsageReport | ComparedProvider[] }
  | { readonly id: number; readonly error: string }

interface Asked {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/** Megabytes of heap that a question may take; one that takes more is refused, and nothing else suffers. */
const HEAP_MB = 512

/**
 * Usage queries in a thread of their own, on a connection that only reads: a question about a million calls takes
 * seconds, and neither the next flush nor the relay waits for it. The thread starts with the first question.
 */
export class UsageThread implements UsageSource {
  readonly #data: UsageThreadData
  readonly #log: LedgerLog
  readonly #asked = new Map<number, Asked>()
  #worker: Worker | undefined
  #ids = 0

  constructor(data: UsageThreadData, log: LedgerLog) {
    this.#data = data
    this.#log = log
  }

  /** @throws HttpError 503 USAGE_UNAVAILABLE while the ledger cannot be read */
  query(query: UsageQuery): Promise<UsageReport> {
    return this.#ask<UsageReport>((id) => ({ id, type: 'query', query }))
  }

  /** @throws HttpError 503 USAGE_UNAVAILABLE while the ledger cannot be read */
  compare({ at, app }: { readonly at: number; readonly app?: string | undefined }): Promise<ComparedProvider[]> {
    return this.#ask<ComparedProvider[]>((id) => ({ id, type: 'compare', at, app }))
  }

  /** Questions under way are refused. */
  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #ask<T>(message: (id: number) => ToUsage): Promise<T> {
    this.#worker ??= this.#start()
    const id = ++this.#ids
    return new Promise<T>((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.#worker!.postMessage(message(id))
    })
  }

  #start(): Worker {
    const worker = new Worker(new URL('./usage-main.ts', import.meta.url), {
      workerData: this.#data,
      name: 'usage',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    // Asking nothing, it keeps no process alive.
    worker.unref()
    worker.on('message', (message: FromUsage) => {
      const asked = this.#asked.get(message.id)
      this.#asked.delete(message.id)
      if ('result' in message) asked?.resolve(message.result as never)
      else this.#refuse(asked, message.error)
    })
    worker.on('error', (error) => this.#log.warn({ code: 'USAGE_THREAD_DIED', err: error }, 'the usage thread died'))
    worker.on('exit', () => {
      this.#worker = undefined
      for (const asked of this.#asked.values()) this.#refuse(asked, 'the usage thread ended')
      this.#asked.clear()
    })
    return worker
  }

  #refuse(asked: Asked | undefined, error: string): void {
    this.#log.warn({ code: 'USAGE_UNAVAILABLE', error }, 'a usage query failed')
    asked?.reject(unavailable())
  }
}

export function unavailable(): HttpError {
  return new HttpError(503, 'USAGE_UNAVAILABLE', 'The ledger cannot be read now; usage goes on being counted.')
}
