/** CPU time and memory of a process tree, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

/** Seconds of CPU that the process, all its threads and its children have used; in ns steps where the kernel has schedstat. */
export function cpuSeconds(pid: number): number {
  return tree(pid).reduce((sum, one) => sum + processCpu(one), 0)
}

/** Resident set in bytes; memory of sockets inside the kernel is not in it. */
export function residentBytes(pid: number): number {
  return tree(pid).reduce((sum, one) => {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1]
    return sum + Number(kilobytes ?? 0) * 1024
  }, 0)
}

/** Seconds that all cores together were busy, and that the hypervisor took away, since boot. */
export function machineSeconds(): { busy: number; steal: number } {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.trim().split(/\s+/).slice(1).map(Number)
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields
  return { busy: (user + nice + system + irq + softirq) / TICKS_PER_SECOND, steal: steal / TICKS_PER_SECOND }
}

function tree(pid: number): number[] {
  return [
    pid,
    ...threads(pid)
      .flatMap((thread) => childrenOf(pid, thread))
      .flatMap(tree),
  ]
}

function childrenOf(pid: number, thread: string): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  } catch {
    return []
  }
}

function threads(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`)
}

function processCpu(pid: number): number {
  try {
    return threads(pid).reduce((sum, thread) => {
      const ran = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]
      return sum + Number(ran) / 1e9
    }, 0)
  } catch {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }
}
