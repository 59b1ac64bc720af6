/** The words of a check: steps, what they find, and the report. */

import type { Context } from './context.ts'
import type { Driver } from './driver.ts'

export type Place = 'browser' | 'node'

export type Verdict = 'passed' | 'warning' | 'failed' | 'skipped'

export type StepId =
  | 'page'
  | 'microphone'
  | 'server'
  | 'certificate'
  | 'websocket'
  | 'credentials'
  | 'clock'
  | 'stun'
  | 'nat'
  | 'turn-udp'
  | 'turn-tcp'
  | 'turn-tls'
  | 'turns-certificate'
  | 'ipv6'
  | 'loop'
  | 'ports'

/** One way in which a step can end, in words for whoever reads it. */
export interface Outcome {
  readonly verdict: Verdict
  /** What it means. */
  readonly means: string
  /** What to do; absent where nothing is to be done. */
  readonly todo?: string
}

/** Values that a report may show: never a secret. */
export type Facts = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** What a step found. */
export interface Finding {
  /** A key of the step's outcomes. */
  readonly outcome: string
  /** What was measured, in one line. */
  readonly detail?: string
  readonly facts?: Facts
}

/** One step, or any of several. */
export type Need = StepId | readonly StepId[]

export interface Step {
  readonly id: StepId
  readonly title: string
  readonly on: readonly Place[]
  /** Steps that must have passed, with a warning or without; else this one is skipped. */
  readonly needs: readonly Need[]
  readonly outcomes: Readonly<Record<string, Outcome>>
  readonly run: (driver: Driver, context: Context) => Promise<Finding>
}

export interface LogLine {
  /** Milliseconds since the check began. */
  readonly at: number
  readonly text: string
}

export interface StepReport {
  readonly id: StepId
  readonly title: string
  readonly state: Verdict | 'waiting' | 'running'
  readonly outcome?: string
  readonly detail?: string
  readonly means?: string
  readonly todo?: string
  readonly facts?: Facts
  /** How long it took, in milliseconds. */
  readonly ms?: number
  readonly log: readonly LogLine[]
}

export interface Report {
  readonly startedAt: string
  /** Of the server that was checked. */
  readonly origin: string
  readonly place: Place
  /** Which program checked: the browser's own words, or Node and the system. */
  readonly by: string
  /** Absent while steps are left. */
  readonly verdict?: Verdict
  readonly steps: readonly StepReport[]
}
