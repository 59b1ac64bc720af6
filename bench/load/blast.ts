/** Runs one data phase in a process of its own and takes the server's CPU time at the edges of the measured window. */
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { generatorCpu, start, stop } from '../measure/children.ts'
import { cpuSeconds, machineSeconds } from '../measure/cpu.ts'
import { nativeBlaster } from './native.ts'
import { type BlastResult, formatPlan, type Plan } from './plan.ts'

export type Generator = 'native' | 'node'

export interface Window extends BlastResult {
  /** Packets per second that were asked for. */
  readonly rate: number
  /** CPU of the server during the window, µs; undefined when there is no server in the path. */
  readonly serverCpuUs?: number
  /** Cores kept busy by neither server nor generator: other load on the machine. */
  readonly foreignCores: number
  /** Cores taken away by the hypervisor. */
  readonly stolenCores: number
}

export function pickGenerator(wanted: Generator | 'auto'): Generator {
  if (wanted === 'node') return 'node'
  if (nativeBlaster() !== undefined) return 'native'
  if (wanted === 'native') throw new Error('--generator native needs a C compiler (cc)')
  return 'node'
}

/** @param serverPid undefined when the plan has no server. */
export async function blast(plan: Plan, generator: Generator, serverPid?: number): Promise<Window> {
  const argv = generator === 'native' ? [nativeBlaster()!] : [process.execPath, join(import.meta.dirname, 'blaster.ts')]
  const child = start(`${generatorCpu}`, argv, { stdio: ['pipe', 'pipe', 'inherit'] })
  const deadline = setTimeout(() => child.kill('SIGKILL'), plan.warmMs + plan.seconds * 1e3 + 15_000)
  const edges: Edge[] = []
  let result: BlastResult | undefined
  try {
    child.stdin!.end(formatPlan(plan))
    for await (const line of createInterface({ input: child.stdout! })) {
      if (line.startsWith('{')) result = JSON.parse(line) as BlastResult
      else edges.push(edge(serverPid))
    }
  } finally {
    clearTimeout(deadline)
    await stop(child)
  }
  const [from, to] = edges
  if (!result || !from || !to) throw new Error(`the ${generator} generator ended without a result`)
  const machine = to.machine.busy - from.machine.busy
  const server = to.server - from.server
  const known = server + result.generatorCpu * result.seconds
  return {
    ...result,
    rate: plan.rate,
    ...(serverPid === undefined ? {} : { serverCpuUs: server * 1e6 }),
    foreignCores: Math.max(0, (machine - known) / result.seconds),
    stolenCores: (to.machine.steal - from.machine.steal) / result.seconds,
  }
}

export const lossOf = (result: BlastResult) => (result.sent === 0 ? 1 : 1 - result.received / result.sent)

interface Edge {
  readonly server: number
  readonly machine: { readonly busy: number; readonly steal: number }
}

function edge(serverPid: number | undefined): Edge {
  return { server: serverPid === undefined ? 0 : cpuSeconds(serverPid), machine: machineSeconds() }
}
