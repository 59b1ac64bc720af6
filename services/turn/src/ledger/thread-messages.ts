import type { PackedBatch } from './packed.ts'
import type { Retention } from './rollup.ts'
import type { RunningTotals } from './running.ts'
import type { UsageThreadData } from './usage-thread.ts'
import type { LedgerStatus } from './writer.ts'

/** What the ledger's thread is started with. */
export interface LedgerThreadData extends UsageThreadData {
  readonly retention?: Retention
  readonly bufferLimit?: number
}

export type ToLedger =
  | { readonly type: 'batch'; readonly batch: PackedBatch }
  | { readonly type: 'endEpoch'; readonly epoch: string; readonly at: number }
  | { readonly type: 'marks'; readonly keys: readonly string[] }
  | { readonly type: 'flush'; readonly id: number }
  | { readonly type: 'close' }

/** At the start, then every second after the flush. */
export interface LedgerReport {
  readonly totals: RunningTotals
  readonly status: LedgerStatus
}

export type FromLedger =
  | { readonly type: 'ready'; readonly firedMarks: readonly string[] }
  | { readonly type: 'report'; readonly report: LedgerReport }
  | { readonly type: 'log'; readonly level: 'warn' | 'info'; readonly details: object; readonly message: string }
  | { readonly type: 'flushed'; readonly id: number }
