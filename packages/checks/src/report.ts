/** A report as text, for a message to whoever runs the server. */
import type { Report, StepReport, Verdict } from './types.ts'

const marks: Readonly<Record<StepReport['state'], string>> = {
  passed: '✓',
  warning: '!',
  failed: '✗',
  skipped: '–',
  waiting: ' ',
  running: '…',
}

export interface TextOptions {
  /** Of which steps the log is shown. */
  readonly logs: 'all' | 'bad' | 'none'
}

/** One step: a line, and below it what it means and what to do where it did not pass. */
export function stepText(step: StepReport, { logs }: TextOptions): string {
  const { state, title, detail, means, todo, log } = step
  const head = detail ?? (state === 'skipped' ? means : undefined)
  const lines = [`${marks[state]} ${state.padEnd(8)} ${title}${head ? `: ${head}` : ''}`]
  const isBad = state === 'warning' || state === 'failed'
  if (means && head !== means && state !== 'passed') lines.push(`    ${means}`)
  if (todo) lines.push(`    What to do: ${todo}`)
  if (logs === 'all' || (logs === 'bad' && isBad))
    for (const { at, text } of log) lines.push(`    ${(at / 1000).toFixed(3).padStart(7)} s  ${text}`)
  return lines.join('\n')
}

export function headText({ origin, startedAt, by }: Report): string {
  return `Connectivity check of ${origin}\n${startedAt}, by ${by}`
}

/** One sentence over all steps. */
export function closingText({ verdict, steps }: Report): string {
  if (verdict === undefined) return 'The check is not finished.'
  const of = (state: Verdict) => steps.filter((step) => step.state === state).map(({ title }) => title)
  const [failed, warned, skipped] = [of('failed'), of('warning'), of('skipped')]
  const counts = [
    `${of('passed').length} passed`,
    ...(warned.length > 0 ? [`${warned.length} with a warning (${warned.join(', ')})`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed (${failed.join(', ')})`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
  ]
  return `${counts.join(', ')}.`
}

/** The whole report with all logs. */
export function reportText(report: Report): string {
  const steps = report.steps.map((step) => stepText(step, { logs: 'all' }))
  return [headText(report), '', ...steps, '', closingText(report)].join('\n')
}

export function reportJson(report: Report): string {
  return JSON.stringify({ report: 'hairpin-connectivity', version: 1, ...report }, null, 2)
}
