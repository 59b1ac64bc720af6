import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs a command to its end; its output when it succeeds, an error with what it said when not. */
export async function exec(command: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(command, [...args], { maxBuffer: 16 * 1024 * 1024 })
  return stdout
}

export interface Background {
  readonly process: ChildProcess
  /** Everything it printed so far. */
  readonly output: () => string
  /** Asks it to end and waits; kills it after 10 s. */
  readonly stop: () => Promise<void>
}

/** Starts a command that goes on while the test runs. */
export function background(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Background {
  const child = spawn(command, [...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const collect = (chunk: Buffer) => {
    text += chunk.toString()
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  child.on('error', (error) => {
    text += error.message
  })
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(timer)
  }
  return { process: child, output: () => text, stop }
}

/** Asks until the answer is not undefined. `what` says in the error what did not happen. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, seconds = 30): Promise<T> {
  const deadline = Date.now() + seconds * 1000
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
      last = undefined
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline)
      throw new Error(`${what}: not within ${seconds} s${last ? ` (${String(last)})` : ''}`, { cause: last })
    await sleep(200)
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
