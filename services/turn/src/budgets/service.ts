/** Budgets in force: compares running totals with them, says so, and has the engine act. */
import type { Sample } from '../engine.ts'
import { type Budget, type BudgetEvent, BudgetKeeper, free, type Measured, type Standing } from '../ledger/budget.ts'
import type { RunningTotals } from '../ledger/running.ts'
import type { LedgerLog } from '../ledger/trouble.ts'
import { AppLabels } from '../metrics/app-labels.ts'
import { SampleSums } from '../metrics/samples.ts'
import { markBody } from './mark.ts'
import type { Webhooks } from './webhooks.ts'

export interface BudgetServiceOptions {
  readonly budgets: readonly Budget[]
  readonly log: LedgerLog
  readonly webhooks: Webhooks
  /** Remembers reached marks over a restart. */
  readonly remember: (keys: readonly string[]) => void
  /** Puts into force what stands for each app that is not free; called with each change. */
  readonly enforce: (standings: ReadonlyMap<string, Standing>) => void
}

export class BudgetService {
  readonly #options: BudgetServiceOptions
  readonly #apps = new AppLabels()
  /** By app. */
  readonly #marks = new Map<string, number>()
  readonly #unmeasured = new Set<string>()
  #budgets: readonly Budget[]
  #keeper: BudgetKeeper | undefined
  #totals: RunningTotals | undefined
  #measured: readonly Measured[] = []

  constructor(options: BudgetServiceOptions) {
    this.#options = options
    this.#budgets = options.budgets
  }

  /** @param fired keys of the marks that earlier lives reached: until they are known nothing is compared */
  begin(fired: readonly string[]): void {
    this.#keeper = new BudgetKeeper(this.#budgets, fired)
    this.#options.webhooks.start()
    this.#evaluate()
  }

  /** Others from now on. */
  set(budgets: readonly Budget[]): void {
    this.#budgets = budgets
    this.#keeper?.set(budgets)
    this.#evaluate()
  }

  observe(totals: RunningTotals): void {
    this.#totals = totals
    this.#evaluate()
  }

  /** Every budget that can be measured and how much of it is used. */
  get measured(): readonly Measured[] {
    return this.#measured
  }

  /** What stands for each app that is not free. */
  get standings(): ReadonlyMap<string, Standing> {
    return this.#keeper?.standings ?? new Map()
  }

  samples(): Sample[] {
    const highest = new Map<string, number>()
    for (const { budget, ratio } of this.#measured) {
      const app = this.#apps.labelFor(budget.app)
      highest.set(app, Math.max(ratio, highest.get(app) ?? 0))
    }
    const sums = new SampleSums()
    for (const [app, ratio] of highest) sums.add('hairpin_budget_used_ratio', { app }, ratio)
    for (const [app, count] of this.#marks)
      sums.add('hairpin_budget_marks_total', { app: this.#apps.labelFor(app) }, count)
    sums.add('hairpin_budgets_unmeasured', {}, this.#unmeasured.size)
    const { webhooks } = this.#options
    for (const [result, count] of Object.entries(webhooks.counts))
      sums.add('hairpin_budget_webhooks_total', { result }, count)
    sums.add('hairpin_budget_webhooks_waiting', {}, webhooks.waiting)
    return sums.samples()
  }

  #evaluate(): void {
    if (!this.#keeper || !this.#totals) return
    const { events, changed, measured, unmeasured } = this.#keeper.evaluate(this.#totals)
    this.#measured = measured
    for (const event of events) this.#reached(event, this.#totals)
    if (events.length > 0) this.#options.remember(events.map(({ key }) => key))
    for (const [app, standing] of changed) this.#tell(app, standing)
    if (changed.size > 0) this.#options.enforce(this.#keeper.standings)
    this.#tellUnmeasured(unmeasured)
  }

  #reached(event: BudgetEvent, totals: RunningTotals): void {
    const { budget, percent, ratio, actions } = event
    const { app, period, limit } = budget
    this.#marks.set(app, (this.#marks.get(app) ?? 0) + 1)
    const used = Math.round(ratio * 10_000) / 100
    this.#options.log.warn(
      { code: 'BUDGET_MARK_REACHED', app, period, limit, percent, used, actions: actions.map(({ type }) => type) },
      `budget of ${app}: ${percent} % reached`,
    )
    if (actions.some(({ type }) => type === 'webhook')) this.#options.webhooks.send(app, markBody(event, totals))
  }

  #tell(app: string, standing: Standing): void {
    const { log } = this.#options
    if (standing === free) log.info({ code: 'BUDGET_LIFTED', app }, `budget of ${app}: nothing is held back any more`)
    else log.warn({ code: 'BUDGET_IN_FORCE', app, ...standing }, `budget of ${app} is acted upon`)
  }

  /** Once for each. */
  #tellUnmeasured(budgets: readonly Budget[]): void {
    const names = new Set(budgets.map(({ app, period }) => `${app} ${period}`))
    for (const name of names)
      if (!this.#unmeasured.has(name))
        this.#options.log.warn(
          { code: 'BUDGET_UNMEASURED', budget: name },
          'a budget in money does nothing: the price is unknown or of another currency',
        )
    this.#unmeasured.clear()
    for (const name of names) this.#unmeasured.add(name)
  }
}
