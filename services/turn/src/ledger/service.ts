/** The ledger as the relay uses it: chosen price, its thread, its metrics, its answers. */
import { join } from 'node:path'
import type { Config } from '@hairpin/config'
import type { Sample } from '../engine.ts'
import { CostCounter } from '../metrics/costs.ts'
import { PeriodGauges } from '../metrics/periods.ts'
import { chosenPrice } from './chosen-price.ts'
import type { UsageSink } from './feed.ts'
import type { UsageSource } from './http.ts'
import type { SnapshotBatch } from './meter.ts'
import type { PackedBatch } from './packed.ts'
import type { PriceTable, Provider } from './prices.ts'
import type { RunningTotals } from './running.ts'
import { LEDGER_FILE } from './schema.ts'
import { LedgerThread } from './thread.ts'
import type { LedgerReport } from './thread-messages.ts'
import type { LedgerLog } from './trouble.ts'
import type { ComparedProvider, UsageQuery, UsageReport } from './usage.ts'
import { unavailable } from './usage-thread.ts'

export interface LedgerServiceOptions {
  readonly config: Pick<Config, 'dataDir' | 'prices'>
  readonly log: LedgerLog
  /** Told of the running totals, every second at least. */
  readonly onTotals?: (totals: RunningTotals) => void
}

/** Usage handed in before `start` or after `close` is lost: start it before the relay, close it after. */
export class LedgerService implements UsageSink, UsageSource {
  readonly price: Provider
  readonly #options: LedgerServiceOptions
  readonly #providers: PriceTable['providers']
  readonly #costs = new CostCounter()
  #thread: LedgerThread | undefined
  readonly #periods = new PeriodGauges()
  #totals: RunningTotals | undefined
  #status: LedgerReport['status'] | undefined

  /** @throws ConfigError naming HAIRPIN_PRICES */
  constructor(options: LedgerServiceOptions) {
    this.#options = options
    const { price, providers } = chosenPrice(options.config.prices)
    this.price = price
    this.#providers = providers
  }

  /**
   * Resolves when the thread runs; a file that cannot be opened is told in the log and tried again.
   * @returns keys of the budget marks that were reached before
   */
  async start(): Promise<readonly string[]> {
    const { config, log, onTotals } = this.#options
    this.#thread = new LedgerThread({
      path: join(config.dataDir, LEDGER_FILE),
      price: this.price,
      providers: this.#providers,
      log,
      onReport: ({ totals, status }) => {
        this.#costs.observe(totals)
        this.#totals = totals
        this.#status = status
        onTotals?.(totals)
      },
    })
    return this.#thread.ready
  }

  /** Remembers reached budget marks over a restart. */
  addMarks(keys: readonly string[]): void {
    this.#thread?.addMarks(keys)
  }

  /** The latest, a second old at most; undefined before the first. */
  get totals(): RunningTotals | undefined {
    return this.#totals
  }

  /** Written, or so it seems. */
  get up(): boolean {
    return this.#status?.state !== 'failing'
  }

  ingest(batch: SnapshotBatch): void {
    this.#thread?.ingest(batch)
  }

  ingestPacked(batch: PackedBatch): void {
    this.#thread?.ingestPacked(batch)
  }

  endEpoch(epoch: string, at: number): void {
    this.#thread?.endEpoch(epoch, at)
  }

  async query(query: UsageQuery): Promise<UsageReport> {
    if (!this.#thread) throw unavailable()
    return this.#thread.query(query)
  }

  async compare(of: { readonly at: number; readonly app?: string | undefined }): Promise<ComparedProvider[]> {
    if (!this.#thread) throw unavailable()
    return this.#thread.compare(of)
  }

  /** Its metrics, a second old at most. */
  samples(): Sample[] {
    const samples = this.#costs.samples()
    if (this.#totals) samples.push(...this.#periods.samples(this.#totals))
    const status = this.#status
    if (!status) return samples
    const add = (name: string, value: number) => samples.push({ name, labels: {}, value })
    add('hairpin_ledger_up', status.state === 'ok' ? 1 : 0)
    add('hairpin_ledger_waiting_entries', status.waiting)
    add('hairpin_ledger_merged_calls_total', status.merged)
    return samples
  }

  /** Writes what waits. Idempotent. */
  async close(): Promise<void> {
    await this.#thread?.close()
  }
}
