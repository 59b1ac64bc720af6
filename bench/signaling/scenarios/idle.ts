/** Clients that joined and say nothing: how fast they come, and what the server keeps for each. */
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSeconds } from '../../measure/cpu.ts'
import type { Client } from '../load/client.ts'
import { joinAll } from '../load/join.ts'
import { APP_USERS, people } from '../load/people.ts'
import { alone } from './alone.ts'
import type { Bench } from './bench.ts'

/** Joined before anything is measured, and there until the end: by then the heap has room for the garbage of joins. */
const WARM_SHARE = 0.25
const SETTLE_MS = 1_000

export async function idle(bench: Bench): Promise<void> {
  const { clients: count, seconds: windowSeconds } = bench.options
  const settleMs = Math.min(SETTLE_MS, windowSeconds * 1e3)
  const warm = Math.ceil(count * WARM_SHARE)
  const whos = await people(warm + count)
  const shape = `${count} connections, ${APP_USERS} users an app`
  await alone(bench, 'idle', shape, { unlimited: true }, async (running) => {
    const first = await joinAll(running, whos.slice(0, warm))
    await settle(first, settleMs)
    await bench.patience.waitForQuiet()
    const before = await running.collected()
    const cpu = cpuSeconds(running.pid)
    const started = performance.now()
    const clients = await joinAll(running, whos.slice(warm))
    const seconds = (performance.now() - started) / 1e3
    const server = cpuSeconds(running.pid) - cpu
    await settle(clients, settleMs)
    const after = await running.collected()
    const held = clients.filter(({ closed }) => !closed).length
    for (const client of [...first, ...clients]) client.end()
    return {
      held,
      perSecond: count / seconds,
      cpuUs: (server * 1e6) / count,
      running: (after.running - before.running) / count,
      rss: (after.rss - before.rss) / count,
      heap: (after.heap - before.heap) / count,
    }
  })
}

async function settle(clients: readonly Client[], ms: number): Promise<void> {
  await sleep(ms)
  for (const client of clients) client.acknowledge()
  await sleep(ms)
}
