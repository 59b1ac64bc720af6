import type { Sample } from '../engine.ts'
import type { RunningTotals } from '../ledger/running.ts'
import { AppLabels } from './app-labels.ts'
import { SampleSums } from './samples.ts'

/** What today and this month (UTC) come to so far, as the ledger has it, and what the month will. */
export class PeriodGauges {
  readonly #apps = new AppLabels()

  samples({ apps, currency, forecast }: RunningTotals): Sample[] {
    const sums = new SampleSums()
    for (const { app: name, month, day } of apps) {
      const app = this.#apps.labelFor(name)
      for (const [period, { billableBytes, cost }] of [['day', day] as const, ['month', month] as const]) {
        sums.add('hairpin_relay_billable_bytes', { app, period }, billableBytes)
        if (cost !== null) sums.add('hairpin_relay_cost', { app, period, currency }, Number(cost))
      }
    }
    if (forecast !== null) sums.add('hairpin_relay_cost_forecast', { currency }, Number(forecast))
    return sums.samples()
  }
}
