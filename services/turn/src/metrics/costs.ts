import type { Sample } from '../engine.ts'
import type { RunningTotals } from '../ledger/running.ts'
import { AppLabels } from './app-labels.ts'
import { SampleSums } from './samples.ts'

/** What an app's relaying cost since the start, made monotonic. */
interface Sum {
  /** Cost of former months, since the start. */
  past: number
  /** Cost of this month at the start, which an earlier life of the process counted. */
  from: number
  /** Highest cost of this month so far: a cheaper tier may lower an app's share of a day. */
  high: number
  month: number
}

/**
 * `hairpin_relay_cost_total`: the ledger's cost of the month so far, as a counter that begins with zero when the process
 * does. An approximation for graphs: Prometheus counts in floating point; the ledger is exact.
 */
export class CostCounter {
  readonly #sums = new Map<string, Sum>()
  readonly #apps = new AppLabels()
  #currency = ''
  #begun = false

  /** The first totals are what was there before. */
  observe({ apps, currency, at }: RunningTotals): void {
    this.#currency = currency
    const date = new Date(at)
    const month = date.getUTCFullYear() * 12 + date.getUTCMonth()
    for (const { app, month: totals } of apps) {
      if (totals.cost === null) continue
      const cost = Number(totals.cost)
      const sum = this.#sums.get(app)
      if (!sum) this.#sums.set(app, { past: 0, from: this.#begun ? 0 : cost, high: cost, month })
      else if (sum.month === month) sum.high = Math.max(sum.high, cost)
      else this.#sums.set(app, { past: costOf(sum), from: 0, high: cost, month })
    }
    this.#begun = true
  }

  samples(): Sample[] {
    const sums = new SampleSums()
    const currency = this.#currency
    for (const [app, sum] of this.#sums)
      sums.add('hairpin_relay_cost_total', { app: this.#apps.labelFor(app), currency }, costOf(sum))
    return sums.samples()
  }
}

function costOf({ past, from, high }: Sum): number {
  return past + high - from
}
