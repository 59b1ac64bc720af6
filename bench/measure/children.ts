/** Every process that the bench starts, pinned to its cores and ended with the bench, however that ends. */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

const children = new Set<ChildProcess>()

const works = (command: string, ...args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0
const canPin = works('taskset', '-V')
/** The kernel ends the child when this process dies, even of SIGKILL. */
const guard = works('setpriv', '--pdeathsig', 'KILL', 'true') ? ['setpriv', '--pdeathsig', 'KILL'] : []

/** The server gets the first core, the generator (and this process) the last one. */
export const generatorCpu = availableParallelism() - 1
export const serverCpu = 0
export const pinned = canPin && generatorCpu > 0

/** Puts this process on the generator's core. */
export function pinSelf(): void {
  if (pinned) spawnSync('taskset', ['-a', '-c', '-p', `${generatorCpu}`, `${process.pid}`], { stdio: 'ignore' })
}

/** @param cpus list for taskset, like `0` or `0,1`. The child keeps the pid that is returned. */
export function start(cpus: string, argv: readonly string[], options: SpawnOptions): ChildProcess {
  const pin = pinned ? ['taskset', '-c', cpus] : []
  const [command = '', ...args] = [...guard, ...pin, ...argv]
  const child = spawn(command, args, options)
  children.add(child)
  child.on('exit', () => children.delete(child))
  child.on('error', () => children.delete(child))
  return child
}

export async function stop(child: ChildProcess, graceMs = 2_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await gone
  clearTimeout(timer)
}

function killAll(): void {
  for (const child of children) child.kill('SIGKILL')
}

/** Call once, first: no way out of the bench leaves a child behind. */
export function endChildrenWithUs(): void {
  process.on('exit', killAll)
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    process.on(signal, () => process.exit(code))
}
