/** What the dashboard shows. Money is decimal text, null where the price is unknown; times are ISO 8601. */
import type { Sample } from '../engine.ts'
import type { Measured, Standing } from '../ledger/budget.ts'
import { monthStart } from '../ledger/calendar.ts'
import type { UsageSource } from '../ledger/http.ts'
import type { Provider } from '../ledger/prices.ts'
import type { RunningTotals } from '../ledger/running.ts'
import type { ComparedProvider, UsageRow } from '../ledger/usage.ts'
import type { BandwidthPoint } from './history.ts'

/** `GET /dashboard/now`: cheap, asked every two seconds. */
export interface DashboardNow {
  readonly at: string
  readonly price: Pick<Provider, 'id' | 'name' | 'basis' | 'confidence'>
  readonly currency: string
  readonly allocations: number
  readonly bandwidth: readonly BandwidthPoint[]
  readonly cost: { readonly today: string | null; readonly month: string | null; readonly forecast: string | null }
  readonly bytes: { readonly today: number; readonly month: number }
  /** Those of the highest cost this month. */
  readonly apps: readonly AppNow[]
  readonly budgets: readonly BudgetNow[]
  /** False while usage waits in memory because the ledger cannot be written. */
  readonly ledger: boolean
}

export interface AppNow {
  readonly app: string
  readonly allocations: number
  readonly today: string | null
  readonly month: string | null
  readonly bytes: number
}

export interface BudgetNow {
  readonly app: string
  readonly period: 'monthly' | 'daily'
  /** `50 EUR`, `20000000000 B` */
  readonly limit: string
  /** 1 is all of it. */
  readonly ratio: number
  readonly marks: readonly number[]
  /** What is done to the app now. */
  readonly standing: Standing | undefined
}

/** `GET /dashboard/usage`: of this month, by questions to the ledger. */
export interface DashboardUsage {
  readonly users: ReadonlyArray<Pick<UsageRow, 'app' | 'user' | 'cost' | 'billableBytes' | 'calls' | 'seconds'>>
  readonly days: ReadonlyArray<Pick<UsageRow, 'day' | 'cost' | 'billableBytes'>>
  readonly providers: readonly ComparedProvider[]
}

export interface DashboardSource {
  readonly price: Provider
  readonly totals: RunningTotals | undefined
  readonly ledgerUp: boolean
  readonly bandwidth: readonly BandwidthPoint[]
  readonly samples: readonly Sample[]
  readonly measured: readonly Measured[]
  readonly standings: ReadonlyMap<string, Standing>
}

/** Rows of a list. */
const MOST = 10

export function dashboardNow(source: DashboardSource): DashboardNow {
  const { price, totals, bandwidth, ledgerUp } = source
  const { id, name, basis, confidence } = price
  const allocations = allocationsByApp(source.samples)
  const stack = totals?.stack
  return {
    at: new Date(totals?.at ?? 0).toISOString(),
    price: { id, name, basis, confidence },
    currency: price.currency,
    allocations: [...allocations.values()].reduce((sum, count) => sum + count, 0),
    bandwidth,
    cost: { today: stack?.day.cost ?? null, month: stack?.month.cost ?? null, forecast: totals?.forecast ?? null },
    bytes: { today: stack?.day.billableBytes ?? 0, month: stack?.month.billableBytes ?? 0 },
    apps: (totals?.apps ?? [])
      .map(({ app, day, month }) => ({
        app,
        allocations: allocations.get(app) ?? 0,
        today: day.cost,
        month: month.cost,
        bytes: month.billableBytes,
      }))
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, MOST),
    budgets: source.measured.map(({ budget: { app, period, limit, marks }, ratio }) => ({
      app,
      period,
      limit: 'bytes' in limit ? `${limit.bytes} B` : `${limit.money} ${limit.currency}`,
      ratio,
      marks: marks.map(({ percent }) => percent),
      standing: source.standings.get(app),
    })),
    ledger: ledgerUp,
  }
}

export async function dashboardUsage(usage: UsageSource, now: number): Promise<DashboardUsage> {
  const range = { from: monthStart(now), to: now }
  const [users, days, providers] = await Promise.all([
    usage.query({ ...range, groupBy: ['app', 'user'], limit: MOST }),
    usage.query({ ...range, groupBy: ['day'] }),
    usage.compare({ at: now }),
  ])
  return {
    users: users.rows.map(({ app, user, cost, billableBytes, calls, seconds }) => {
      const who = { ...(app === undefined ? {} : { app }), ...(user === undefined ? {} : { user }) }
      return { ...who, cost, billableBytes, calls, seconds }
    }),
    days: days.rows.map(({ day = '', cost, billableBytes }) => ({ day, cost, billableBytes })),
    providers,
  }
}

function allocationsByApp(samples: readonly Sample[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { name, labels, value } of samples) {
    if (name !== 'hairpin_allocations') continue
    const app = labels.app ?? ''
    counts.set(app, (counts.get(app) ?? 0) + value)
  }
  return counts
}
