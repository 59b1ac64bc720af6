import { writeFileSync } from 'node:fs'

/** One measured window or run; the report takes medians over the rounds of equal (scenario, shape, contender). */
export interface Measurement {
  readonly scenario: string
  readonly contender: string
  /** What was asked for, in words: `172 B, 50 allocations, 20 kpps`. */
  readonly shape: string
  readonly round: number
  readonly values: Readonly<Record<string, number>>
}

/** Something that could not be measured, and why. */
export interface Failure {
  readonly scenario: string
  readonly contender: string
  readonly reason: string
}

export class Results {
  readonly measurements: Measurement[] = []
  readonly failures: Failure[] = []

  add(measurement: Measurement): void {
    this.measurements.push(measurement)
  }

  failed(scenario: string, contender: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    this.failures.push({ scenario, contender, reason })
    console.error(`  ${contender}: ${reason}`)
  }

  /** Writes everything measured to `file`, if there is one. A run without a measurement has failed. */
  conclude(file: string | undefined, about: object): void {
    const { measurements, failures } = this
    const document = { date: new Date().toISOString(), ...about, measurements, failures }
    if (file !== undefined) writeFileSync(file, `${JSON.stringify(document, undefined, 2)}\n`)
    if (measurements.length === 0) process.exitCode = 1
  }
}
