import type { BudgetEvent } from '../ledger/budget.ts'
import type { RunningTotals } from '../ledger/running.ts'

/** The body of a webhook: JSON text, described in docs/COST.md. */
export function markBody({ budget, percent, ratio, actions, periodStart }: BudgetEvent, totals: RunningTotals): string {
  const { app, period, limit } = budget
  const sums = totals.apps.find((candidate) => candidate.app === app)
  const used = period === 'monthly' ? sums?.month : sums?.day
  return JSON.stringify({
    type: 'budget.mark_reached',
    timestamp: new Date(totals.at).toISOString(),
    data: {
      app,
      period,
      periodStart: new Date(periodStart).toISOString(),
      limit,
      percent,
      ratio,
      used: { billableBytes: used?.billableBytes ?? 0, cost: used?.cost ?? null, currency: totals.currency },
      actions,
    },
  })
}
