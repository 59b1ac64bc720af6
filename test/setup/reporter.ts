import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

export interface Outcome {
  passed: number
  failed: number
  skipped: number
  /** Full names of the skipped tests, with the reason where the test gave one. */
  skippedTests: string[]
}

/** Where the outcome is written for `run.ts`, which prints it after everything else. */
export const outcomeVariable = 'HAIRPIN_TEST_OUTCOME'

/** Counts what vitest ran. A test file that did not load and an error outside any test count as failed. */
export default class OutcomeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const outcome: Outcome = { passed: 0, failed: errors.length, skipped: 0, skippedTests: [] }
    for (const module of modules) {
      outcome.failed += module.errors().length
      for (const suite of module.children.allSuites()) outcome.failed += suite.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') outcome.passed++
        else if (state === 'failed') outcome.failed++
        else {
          outcome.skipped++
          const result = test.result()
          const note = 'note' in result && result.note ? ` (${result.note})` : ''
          outcome.skippedTests.push(`${module.relativeModuleId} > ${test.fullName}${note}`)
        }
      }
    }
    const path = process.env[outcomeVariable]
    if (path) writeFileSync(path, JSON.stringify(outcome))
  }
}
