import { Bill } from './bill.ts'
import { dayStart, monthEnd, monthStart } from './calendar.ts'
import { billableBytes, type Exact, forecastCost, toMicros } from './cost.ts'
import { addTotals, type Totals, zeroTotals } from './counters.ts'
import type { MeterEntry } from './meter.ts'
import { formatMicros } from './money.ts'
import type { Provider } from './prices.ts'

/** Traffic of an app or of the whole stack in a period so far. Plain data: it crosses threads. */
export interface PeriodTotals {
  /** Bytes that the chosen price's basis bills. */
  readonly billableBytes: number
  /** By the columns of the ledger. */
  readonly totals: Totals
  /** Decimal text in the price's currency; null when the price is unknown. */
  readonly cost: string | null
}

export interface AppTotals {
  readonly app: string
  readonly month: PeriodTotals
  readonly day: PeriodTotals
}

export interface RunningTotals {
  readonly at: number
  readonly currency: string
  readonly apps: readonly AppTotals[]
  readonly stack: Omit<AppTotals, 'app'>
  /** Whole month if it goes on like this, decimal text; null when the price is unknown or the month has just begun. */
  readonly forecast: string | null
}

/**
 * Today and this month per app, in memory: what metrics, budgets and the dashboard read every second without a query.
 * Fed with the meter's deltas, and once with what the ledger held at the start.
 */
export class RunningSums {
  readonly #provider: Provider
  /** Start of the day → app → totals, of the present month only. */
  readonly #days = new Map<number, Map<string, Totals>>()

  constructor(provider: Provider) {
    this.#provider = provider
  }

  /** What the ledger held of the month before any of the deltas given to `add`. */
  seed(rows: Iterable<{ readonly day: number; readonly app: string; readonly totals: Totals }>): void {
    for (const { day, app, totals } of rows) addTotals(this.#at(day, app), totals)
  }

  add(entries: Iterable<MeterEntry>): void {
    for (const entry of entries) addTotals(this.#at(dayStart(entry.minute), entry.app), entry.delta)
  }

  /** @param now milliseconds since 1970; days of other months are dropped or left out */
  read(now: number): RunningTotals {
    const [from, to] = [monthStart(now), monthEnd(now)]
    for (const day of this.#days.keys()) if (day < from) this.#days.delete(day)
    const stackDays = new Map<number, Totals>()
    const apps = new Set<string>()
    for (const [day, byApp] of this.#days) {
      if (day >= to) continue
      const sum = zeroTotals()
      for (const [app, totals] of byApp) {
        addTotals(sum, totals)
        apps.add(app)
      }
      stackDays.set(day, sum)
    }
    const bill = new Bill(this.#provider, stackDays)
    const today = dayStart(now)
    const period = (days: Iterable<readonly [number, Totals | undefined]>) => this.#period(bill, days)
    const stack = {
      month: period(stackDays),
      day: period([[today, stackDays.get(today)]]),
    }
    const forecast = forecastCost(this.#provider, BigInt(stack.month.billableBytes), now)
    return {
      at: now,
      currency: this.#provider.currency,
      apps: [...apps].sort().map((app) => ({
        app,
        month: period([...stackDays.keys()].map((day) => [day, this.#days.get(day)?.get(app)] as const)),
        day: period([[today, this.#days.get(today)?.get(app)]]),
      })),
      stack,
      forecast: forecast === null ? null : formatMicros(forecast),
    }
  }

  #period(bill: Bill, days: Iterable<readonly [number, Totals | undefined]>): PeriodTotals {
    const sum = zeroTotals()
    let cost: Exact | null = 0n
    for (const [day, totals] of days) {
      if (!totals) continue
      addTotals(sum, totals)
      const share = bill.share(day, totals)
      cost = cost === null || share === null ? null : cost + share
    }
    return {
      billableBytes: Number(billableBytes(this.#provider.basis, sum)),
      totals: sum,
      cost: cost === null ? null : formatMicros(toMicros(this.#provider, cost)),
    }
  }

  #at(day: number, app: string): Totals {
    let byApp = this.#days.get(day)
    if (!byApp) {
      byApp = new Map()
      this.#days.set(day, byApp)
    }
    let totals = byApp.get(app)
    if (!totals) {
      totals = zeroTotals()
      byApp.set(app, totals)
    }
    return totals
  }
}
