import { monthStart } from './calendar.ts'
import { billableBytes, type Exact, exactCost, toMicros } from './cost.ts'
import type { Totals } from './counters.ts'
import type { Micros } from './money.ts'
import type { Provider } from './prices.ts'

interface BilledDay {
  readonly bytes: bigint
  readonly cost: Exact | null
}

/**
 * Splits the stack's bill among those who caused it. The provider bills all apps together, so allowance and tiers are
 * used up by everybody's bytes: days are billed in their order within the month (UTC), and within a day every billable
 * byte costs the same. Shares of a day add up to the day (less than 10^-9 micro-units short each), and days to the
 * month, whatever they are grouped by.
 */
export class Bill {
  readonly provider: Provider
  readonly #days = new Map<number, BilledDay>()

  /**
   * @param days everything the whole stack relayed, by start of the day (milliseconds), from the first of the month
   *   of the earliest day that is asked for
   */
  constructor(provider: Provider, days: ReadonlyMap<number, Totals>) {
    this.provider = provider
    let month = Number.NaN
    let used = 0n
    for (const [day, totals] of [...days].sort(([a], [b]) => a - b)) {
      if (monthStart(day) !== month) {
        month = monthStart(day)
        used = 0n
      }
      const bytes = billableBytes(provider.basis, totals)
      const [before, after] = [exactCost(provider, used), exactCost(provider, used + bytes)]
      this.#days.set(day, { bytes, cost: before === null || after === null ? null : after - before })
      used += bytes
    }
  }

  /** The part of a day's bill that falls on `totals`, a part of that day's traffic; null when the price is unknown. */
  share(day: number, totals: Totals): Exact | null {
    const billed = this.#days.get(day)
    if (!billed) return 0n
    if (billed.cost === null) return null
    if (billed.bytes === 0n) return 0n
    return (billed.cost * billableBytes(this.provider.basis, totals)) / billed.bytes
  }

  /** The bill of `from` to `to` (milliseconds, whole days) for the whole stack; null when the price is unknown. */
  total(from: number, to: number): Micros | null {
    let sum = 0n
    for (const [day, { cost }] of this.#days) {
      if (day < from || day >= to) continue
      if (cost === null) return null
      sum += cost
    }
    return toMicros(this.provider, sum)
  }
}

/** Adds shares; unknown and anything is unknown. */
export function addExact(a: Exact | null, b: Exact | null): Exact | null {
  return a === null || b === null ? null : a + b
}
