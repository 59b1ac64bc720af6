import { type Static, Type } from 'typebox'
import { dayStart, monthStart } from './calendar.ts'
import { parseMicros } from './money.ts'
import type { AppTotals, RunningTotals } from './running.ts'

/** Stands for each app that has no budget of its own. */
export const EVERY_APP = '*'

/** What happens at a mark. Metric and log belong to every mark. */
export const BudgetAction = Type.Union([
  Type.Object({ type: Type.Literal('webhook') }, { additionalProperties: false }),
  Type.Object(
    { type: Type.Literal('throttle'), bytesPerSecond: Type.Integer({ minimum: 1, description: 'Per allocation.' }) },
    { additionalProperties: false },
  ),
  Type.Object({ type: Type.Literal('refuse') }, { additionalProperties: false, description: 'No new allocations.' }),
  Type.Object({ type: Type.Literal('close') }, { additionalProperties: false, description: 'Ends all, and refuses.' }),
])
export type BudgetAction = Static<typeof BudgetAction>

export const Budget = Type.Object(
  {
    app: Type.String({ minLength: 1, maxLength: 64, description: '*: each app that has no budget of its own.' }),
    period: Type.Union([Type.Literal('monthly'), Type.Literal('daily')], { description: 'Calendar, UTC.' }),
    limit: Type.Union([
      Type.Object(
        {
          money: Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,6})?$' }),
          currency: Type.String({ pattern: '^[A-Z]{3}$' }),
        },
        { additionalProperties: false },
      ),
      Type.Object(
        { bytes: Type.Integer({ minimum: 1, description: "Billable bytes by the price's basis." }) },
        { additionalProperties: false },
      ),
    ]),
    marks: Type.Array(
      Type.Object(
        { percent: Type.Integer({ minimum: 1, maximum: 1000 }), actions: Type.Array(BudgetAction) },
        { additionalProperties: false },
      ),
      { minItems: 1 },
    ),
  },
  { additionalProperties: false },
)
export type Budget = Static<typeof Budget>

/** A mark was reached: log it, count it, and do its actions. Comes once per mark and period. */
export interface BudgetEvent {
  readonly budget: Budget
  readonly percent: number
  readonly actions: readonly BudgetAction[]
  /** Start of the period, milliseconds since 1970. */
  readonly periodStart: number
  /** Used of the limit, 1 = all of it. */
  readonly ratio: number
  /** Names this event across restarts: give all of them to the next keeper. */
  readonly key: string
}

/** What is in force for an app until usage falls below the mark: a new period, or a raised limit. */
export interface Standing {
  /** Bytes per second and allocation: the least of the throttles reached. */
  readonly throttle: number | undefined
  readonly refuse: boolean
  readonly close: boolean
}

export interface Measured {
  readonly budget: Budget
  /** Used of the limit, 1 = all of it. */
  readonly ratio: number
}

export interface Evaluation {
  readonly events: readonly BudgetEvent[]
  /** Apps whose standing is another than at the evaluation before. */
  readonly changed: ReadonlyMap<string, Standing>
  /** Every budget that can be measured, those for every app once for each. */
  readonly measured: readonly Measured[]
  /** Budgets in money that cannot be measured: the price is unknown or of another currency. */
  readonly unmeasured: readonly Budget[]
}

export const free: Standing = { throttle: undefined, refuse: false, close: false }

/**
 * Compares running totals with budgets. Pure: time comes with the totals. Invariant: a mark of an unchanged budget
 * gives one event per period, however often it is evaluated and, given the fired keys, however often restarted.
 */
export class BudgetKeeper {
  #budgets: readonly Budget[]
  readonly #fired: Set<string>
  readonly #standing = new Map<string, Standing>()

  /** @param fired keys of events of earlier lives */
  constructor(budgets: readonly Budget[] = [], fired: Iterable<string> = []) {
    this.#budgets = budgets
    this.#fired = new Set(fired)
  }

  /** A budget with another limit is another budget: its marks may come again in the same period. */
  set(budgets: readonly Budget[]): void {
    this.#budgets = budgets
  }

  standing(app: string): Standing {
    return this.#standing.get(app) ?? free
  }

  /** Of every app that is not free. */
  get standings(): ReadonlyMap<string, Standing> {
    return this.#standing
  }

  evaluate(totals: RunningTotals): Evaluation {
    const apps = new Map(totals.apps.map((app) => [app.app, app]))
    const events: BudgetEvent[] = []
    const unmeasured: Budget[] = []
    const measured: Measured[] = []
    const standings = new Map<string, Standing>()
    for (const budget of perApp(this.#budgets, apps.keys())) {
      const ratio = ratioOf(budget, apps.get(budget.app), totals.currency)
      if (ratio === undefined) {
        unmeasured.push(budget)
        continue
      }
      measured.push({ budget, ratio })
      const periodStart = budget.period === 'monthly' ? monthStart(totals.at) : dayStart(totals.at)
      for (const { percent, actions } of budget.marks) {
        if (ratio * 100 < percent) continue
        standings.set(budget.app, actions.reduce(tighten, standings.get(budget.app) ?? free))
        const key = keyOf(budget, percent, periodStart)
        if (this.#fired.has(key)) continue
        this.#fired.add(key)
        events.push({ budget, percent, actions, periodStart, ratio, key })
      }
    }
    this.#forget(totals.at)
    return { events, changed: this.#adopt(standings), measured, unmeasured }
  }

  #adopt(standings: ReadonlyMap<string, Standing>): Map<string, Standing> {
    const changed = new Map<string, Standing>()
    for (const app of new Set([...standings.keys(), ...this.#standing.keys()])) {
      const next = standings.get(app) ?? free
      const last = this.standing(app)
      if (next.throttle !== last.throttle || next.refuse !== last.refuse || next.close !== last.close)
        changed.set(app, next)
      if (next === free) this.#standing.delete(app)
      else this.#standing.set(app, next)
    }
    return changed
  }

  /** Keys of periods before this month cannot come again. */
  #forget(now: number): void {
    const month = monthStart(now)
    for (const key of this.#fired) if (Number(key.slice(0, key.indexOf('|'))) < month) this.#fired.delete(key)
  }
}

/** Gives each app without a budget of its own those for every app. */
function perApp(budgets: readonly Budget[], apps: Iterable<string>): Budget[] {
  const own = new Set(budgets.map(({ app }) => app))
  const others = [...apps].filter((app) => !own.has(app))
  return budgets.flatMap((budget) => (budget.app === EVERY_APP ? others.map((app) => ({ ...budget, app })) : [budget]))
}

function ratioOf({ limit, period }: Budget, app: AppTotals | undefined, currency: string): number | undefined {
  const used = period === 'monthly' ? app?.month : app?.day
  if ('bytes' in limit) return (used?.billableBytes ?? 0) / limit.bytes
  if (limit.currency !== currency) return undefined
  const cost = used ? used.cost : '0'
  if (cost === null) return undefined
  const money = Number(parseMicros(limit.money))
  // A limit of nothing is used up by the first paid byte.
  if (money === 0) return Number(parseMicros(cost)) > 0 ? Number.POSITIVE_INFINITY : 0
  return Number(parseMicros(cost)) / money
}

function tighten(standing: Standing, action: BudgetAction): Standing {
  switch (action.type) {
    case 'throttle':
      return { ...standing, throttle: Math.min(standing.throttle ?? Number.POSITIVE_INFINITY, action.bytesPerSecond) }
    case 'refuse':
      return { ...standing, refuse: true }
    case 'close':
      return { ...standing, refuse: true, close: true }
    default:
      return standing
  }
}

function keyOf({ app, period, limit }: Budget, percent: number, periodStart: number): string {
  const amount = 'bytes' in limit ? `${limit.bytes} B` : `${limit.money} ${limit.currency}`
  return `${periodStart}|${period}|${amount}|${percent}|${app}`
}
