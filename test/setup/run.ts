/**
 * `npm test`: makes this machine able to run every test, as far as it may, runs vitest with the arguments given, and
 * closes with the list of what was skipped and one line of counts.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { capabilities, capabilitiesVariable } from '../helpers/capabilities.ts'
import { type Missing, prepare } from './capabilities.ts'
import { dockerPath } from './docker-engine.ts'
import { removeLeftovers } from './leftovers.ts'
import { withLock } from './lock.ts'
import { type Outcome, outcomeVariable } from './reporter.ts'
import { say } from './shell.ts'

const root = join(import.meta.dirname, '..', '..')
const args = process.argv.slice(2)

const missing: Missing = onlyUnitTests(args) ? new Map() : setUp()
const scratch = mkdtempSync(join(tmpdir(), 'hairpin-test-'))
const outcomePath = join(scratch, 'outcome.json')
const code = await vitest()
const outcome = existsSync(outcomePath) ? (JSON.parse(readFileSync(outcomePath, 'utf8')) as Outcome) : undefined
rmSync(scratch, { recursive: true, force: true })
if (!onlyUnitTests(args)) removeLeftovers()
close(outcome)
process.exit(code)

/** Unit tests need nothing of the machine. */
function onlyUnitTests(list: readonly string[]): boolean {
  return list.some((arg, index) => arg === '--project=unit' || (arg === 'unit' && list[index - 1] === '--project'))
}

function setUp(): Missing {
  const start = performance.now()
  const result = withLock(() => {
    const found = prepare()
    removeLeftovers()
    return found
  })
  const ready = capabilities.filter((name) => !result.has(name))
  say(`ready in ${((performance.now() - start) / 1000).toFixed(1)} s; available: ${ready.join(', ') || 'nothing'}`)
  for (const [name, why] of result) say(`${name} is not available: ${why}`)
  return result
}

function vitest(): Promise<number> {
  const cli = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=default', `--reporter=${join(import.meta.dirname, 'reporter.ts')}`]
  const child = spawn(process.execPath, [cli, 'run', ...reporters, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${dockerPath()}${delimiter}${process.env.PATH ?? ''}`,
      [capabilitiesVariable]: onlyUnitTests(args) ? '' : capabilities.filter((name) => !missing.has(name)).join(','),
      [outcomeVariable]: outcomePath,
      // Its reaper is one more image to pull; `removeLeftovers` does that work.
      TESTCONTAINERS_RYUK_DISABLED: 'true',
    },
  })
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => child.on('exit', (status) => resolve(status ?? 1)))
}

function close(result: Outcome | undefined): void {
  if (!result) {
    console.error('vitest ended without a result; see above')
    return
  }
  if (result.skipped > 0) {
    console.log('\nSkipped:')
    for (const name of result.skippedTests) console.log(`  ${name}`)
    for (const [name, why] of missing) console.log(`  because ${name} is not available: ${why}`)
  }
  console.log(`\n${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`)
}
