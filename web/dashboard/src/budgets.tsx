import type { BudgetNow } from '../../../services/turn/src/dashboard/data.ts'
import { budgetLimit, bytes, percent } from './format.ts'

export function Budgets({ budgets }: { readonly budgets: readonly BudgetNow[] }) {
  if (budgets.length === 0)
    return <p class="hint">None is set. HAIRPIN_BUDGETS or an app's own budget bounds what it may use.</p>
  return (
    <ul class="budgets">
      {budgets.map((budget) => (
        <BudgetLine key={`${budget.app} ${budget.period} ${budget.limit}`} budget={budget} />
      ))}
    </ul>
  )
}

function BudgetLine({ budget }: { readonly budget: BudgetNow }) {
  const { app, period, limit, ratio, marks } = budget
  const used = Math.min(1, ratio)
  const level = ratio >= 1 ? 'over' : ratio >= 0.8 ? 'near' : 'within'
  return (
    <li class={`budget budget-${level}`} data-testid={`budget-${app}`}>
      <div class="budget-line">
        <span class="budget-app">{app}</span>
        <span>
          {percent(ratio)} of {budgetLimit(limit)} {period === 'daily' ? 'a day' : 'a month'}
        </span>
      </div>
      <meter
        aria-label={`Budget of ${app}`}
        min={0}
        max={1}
        value={used}
        aria-valuetext={percent(ratio)}
        title={`Marks at ${marks.map((mark) => `${mark} %`).join(', ')}`}
      />
      <p class="hint">{inForce(budget)}</p>
    </li>
  )
}

function inForce({ standing: stands, marks, ratio }: BudgetNow): string {
  // What stands may be another budget's doing.
  const standing = marks.some((mark) => ratio * 100 >= mark) ? stands : undefined
  if (standing?.close) return 'Its allocations are ended and new ones refused.'
  const parts = [
    standing?.refuse ? 'new allocations are refused' : '',
    standing?.throttle ? `each allocation is held to ${bytes(standing.throttle)} a second` : '',
  ].filter((part) => part !== '')
  if (parts.length === 0) return `Marks at ${marks.map((mark) => `${mark} %`).join(', ')}.`
  const text = parts.join(', ')
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`
}
