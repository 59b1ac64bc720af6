/** Everyone in one list, as guests are: what one user list costs that goes to all of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSeconds } from '../../measure/cpu.ts'
import type { Contender, Running } from '../contenders/contender.ts'
import { hairpin } from '../contenders/hairpin.ts'
import type { Client } from '../load/client.ts'
import { join, joinAll } from '../load/join.ts'
import { guests } from '../load/people.ts'
import { alone } from './alone.ts'
import type { Bench } from './bench.ts'

const LOOK_MS = 20

const QUIET_MS = 1_000
const LONGEST_MS = 60_000

export async function crowd(bench: Bench): Promise<void> {
  const { clients: count } = bench.options
  const shape = `${count} guests in one list; the others know no lists`
  const only = ({ name }: Contender) => name === hairpin.name
  await alone(bench, 'crowd', shape, { unlimited: true, guests: true }, (running) => oneMore(running, count), only)
}

async function oneMore(running: Running, count: number): Promise<Record<string, number>> {
  const [last, ...whos] = guests(count)
  const started = performance.now()
  const clients = await joinAll(running, whos)
  const joined = performance.now()
  await listed(clients)
  const bytes = total(clients)
  const cpu = cpuSeconds(running.pid)
  const began = performance.now()
  clients.push(await join(running, last!))
  const reached = await listed(clients)
  for (const client of clients) client.end()
  return {
    joinSeconds: (joined - started) / 1e3,
    listCpuMs: (cpuSeconds(running.pid) - cpu) * 1e3,
    listMs: reached - began,
    listBytes: total(clients) - bytes,
  }
}

/** Waits until nothing more comes, and gives the time when the last came. */
async function listed(clients: readonly Client[]): Promise<number> {
  const longest = performance.now() + LONGEST_MS
  // A list waits 1 ms for each user.
  const quiet = QUIET_MS + clients.length
  let seen = total(clients)
  let last = performance.now()
  while (performance.now() - last < quiet && performance.now() < longest) {
    await sleep(LOOK_MS)
    const now = total(clients)
    if (now !== seen) last = performance.now()
    seen = now
  }
  return last
}

const total = (clients: readonly Client[]) => clients.reduce((sum, { bytes }) => sum + bytes, 0)
