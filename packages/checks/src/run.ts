import type { Clock, Context } from './context.ts'
import type { Driver } from './driver.ts'
import type { StunTarget } from './servers.ts'
import { type LoopPlan, usualLoop } from './traffic.ts'
import type { Finding, LogLine, Need, Outcome, Report, Step, StepReport, Verdict } from './types.ts'

export interface RunOptions {
  readonly clock: Clock
  /** Called with a new report whenever anything changes. */
  readonly onChange?: (report: Report) => void
  readonly loop?: LoopPlan
  readonly extraStun?: readonly StunTarget[]
}

/** Outcomes that any step may have. */
const commonOutcomes: Readonly<Record<string, Outcome>> = {
  unexpected: {
    verdict: 'failed',
    means: 'The check itself stumbled here.',
    todo: 'Check again; if it stays, report it with the log.',
  },
}

/** Makes the steps one after the other. Never rejects: what goes wrong is in the report. */
export async function runChecks(steps: readonly Step[], driver: Driver, options: RunOptions): Promise<Report> {
  const { clock, onChange } = options
  const begin = clock.now()
  const reports = new Map<string, StepReport>(
    steps.map(({ id, title }) => [id, { id, title, state: 'waiting', log: [] }]),
  )
  const head = {
    startedAt: new Date(clock.date()).toISOString(),
    origin: driver.origin,
    place: driver.place,
    by: driver.by,
  }
  const current = (): Report => {
    const list = [...reports.values()]
    const verdict = verdictOf(list)
    return { ...head, ...(verdict ? { verdict } : {}), steps: list }
  }
  const update = (id: string, change: Partial<StepReport>) => {
    reports.set(id, hide({ ...reports.get(id)!, ...change }, secretsOf(driver, context)))
    onChange?.(current())
  }
  /** Of steps that were skipped, the step that began it. */
  const causes = new Map<string, StepReport>()
  let log: LogLine[] = []
  let running = ''
  const context: Context = {
    clock,
    loop: options.loop ?? usualLoop,
    extraStun: options.extraStun ?? [],
    certificates: {},
    reached: [],
    log: (text) => {
      log = [...log, { at: Math.round(clock.now() - begin), text }]
      update(running, { log })
    },
  }
  onChange?.(current())
  for (const step of steps) {
    const missing = unmet(step.needs, reports)
    if (missing) {
      const cause = causes.get(missing.id) ?? missing
      causes.set(step.id, cause)
      const why = cause.state === 'failed' ? 'failed' : 'was skipped'
      update(step.id, { state: 'skipped', outcome: 'needs', means: `Not tried, because “${cause.title}” ${why}.` })
      continue
    }
    running = step.id
    log = []
    const from = clock.now()
    update(step.id, { state: 'running' })
    const finding = await attempt(step, driver, context)
    const { verdict, means, todo } =
      step.outcomes[finding.outcome] ?? commonOutcomes[finding.outcome] ?? commonOutcomes.unexpected!
    update(step.id, {
      ...finding,
      state: verdict,
      means,
      ...(todo ? { todo } : {}),
      ms: Math.round(clock.now() - from),
    })
  }
  driver.close()
  return current()
}

async function attempt(step: Step, driver: Driver, context: Context): Promise<Finding> {
  try {
    return await step.run(driver, context)
  } catch (error) {
    context.log(`unexpected: ${error instanceof Error ? error.message : String(error)}`)
    return { outcome: 'unexpected' }
  }
}

/** The first step in the way. */
function unmet(needs: readonly Need[], reports: ReadonlyMap<string, StepReport>): StepReport | undefined {
  for (const need of needs) {
    // A step that this place does not have is in nobody's way.
    const wanted = [need].flat().flatMap((id) => reports.get(id) ?? [])
    if (wanted.length > 0 && !wanted.some(({ state }) => state === 'passed' || state === 'warning'))
      return wanted.find(({ state }) => state === 'failed') ?? wanted[0]!
  }
  return undefined
}

/** The worst of all; undefined while steps are left. */
export function verdictOf(steps: readonly StepReport[]): Verdict | undefined {
  const states = new Set(steps.map(({ state }) => state))
  if (states.has('waiting') || states.has('running')) return undefined
  return (['failed', 'warning', 'passed'] as const).find((verdict) => states.has(verdict)) ?? 'skipped'
}

function secretsOf(driver: Driver, { servers }: Context): string[] {
  const credentials = servers?.iceServers.flatMap(({ credential }) => credential ?? []) ?? []
  return [...driver.secrets, ...credentials].filter((secret) => secret.length >= 4)
}

/** Whatever a server or a library says, a secret in it does not get into the report. */
function hide<T>(value: T, secrets: readonly string[]): T {
  if (typeof value === 'string')
    return secrets.reduce<string>((text, secret) => text.replaceAll(secret, '(hidden)'), value) as T
  if (Array.isArray(value)) return value.map((item) => hide(item, secrets)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hide(item, secrets)])) as T
}
