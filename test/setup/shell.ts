import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** What outlives a run: unpacked packages, logs, and notes of what was tried. */
export const cacheDir = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hairpin-test')
mkdirSync(cacheDir, { recursive: true })

export interface Result {
  readonly ok: boolean
  readonly stdout: string
  /** The end of what the command said, for an error message. */
  readonly tail: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Record<string, string>
  /** Milliseconds. */
  readonly timeout?: number
  readonly input?: string
}

/** Runs a command to its end without a shell; never throws. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Result {
  const done = spawnSync(command, [...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...(options.cwd ? { cwd: options.cwd } : {}),
    ...(options.timeout ? { timeout: options.timeout, killSignal: 'SIGKILL' as const } : {}),
    ...(options.input === undefined ? { stdio: ['ignore', 'pipe', 'pipe'] as const } : { input: options.input }),
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
  })
  const said = `${done.stdout ?? ''}${done.stderr ?? ''}${done.error ? `${done.error.message}\n` : ''}`
  return { ok: done.status === 0, stdout: done.stdout ?? '', tail: said.trim().split('\n').slice(-8).join('\n') }
}

/** Like `run`, for a step that the rest depends on. */
export function must(command: string, args: readonly string[], options: RunOptions = {}): string {
  const result = run(command, args, options)
  if (!result.ok) throw new SetupError(`${command} ${args.slice(0, 4).join(' ')} … failed:\n${result.tail}`)
  return result.stdout
}

/** Why a capability cannot be had; the message goes into the list of what was skipped. */
export class SetupError extends Error {}

export function say(line: string): void {
  console.log(`test set-up: ${line}`)
}

/** Says what is being done and, when it took a while, for how long. */
export function step<T>(what: string, action: () => T): T {
  say(`${what} …`)
  const start = performance.now()
  const value = action()
  const seconds = (performance.now() - start) / 1000
  if (seconds > 1) say(`${what}: ${seconds.toFixed(1)} s`)
  return value
}
