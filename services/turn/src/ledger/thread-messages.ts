import type { SnapshotBatch } from './meter.ts'
import type { PriceTable, Provider } from './prices.ts'
import type { Retention } from './rollup.ts'
import type { RunningTotals } from './running.ts'
import type { ComparedProvider, UsageQuery, UsageReport } from './usage.ts'
import type { LedgerStatus } from './writer.ts'

/** What the ledger's thread is started with. */
export interface LedgerThreadData {
  readonly path: string
  readonly price: Provider
  readonly providers: PriceTable['providers']
  readonly retention?: Retention
  readonly bufferLimit?: number
}

export type ToLedger =
  | { readonly type: 'batch'; readonly batch: SnapshotBatch }
  | { readonly type: 'endEpoch'; readonly epoch: string; readonly at: number }
  | { readonly type: 'marks'; readonly keys: readonly string[] }
  | { readonly type: 'query'; readonly id: number; readonly query: UsageQuery }
  | { readonly type: 'compare'; readonly id: number; readonly at: number; readonly app: string | undefined }
  | { readonly type: 'close' }

/** Every second, after the flush. */
export interface LedgerReport {
  readonly totals: RunningTotals
  readonly status: LedgerStatus
}

export type FromLedger =
  | { readonly type: 'ready'; readonly firedMarks: readonly string[] }
  | { readonly type: 'report'; readonly report: LedgerReport }
  | { readonly type: 'log'; readonly level: 'warn' | 'info'; readonly details: object; readonly message: string }
  | { readonly type: 'answer'; readonly id: number; readonly result: UsageReport | ComparedProvider[] }
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
