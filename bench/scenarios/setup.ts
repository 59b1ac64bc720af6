/** Setting allocations up: how fast, how much CPU, how much memory each keeps. */
import { setTimeout as sleep } from 'node:timers/promises'
import { launch } from '../contenders/contender.ts'
import { setUp, tearDown } from '../load/flows.ts'
import { cpuSeconds, residentBytes } from '../measure/cpu.ts'
import type { Bench } from './bench.ts'

const SETUPS = 1_000
const HELD = 2_000
const WARM = 100
const SETTLE_MS = 1_000

/** Allocate (challenged and answered), CreatePermission and ChannelBind: four requests, 32 clients at once. */
export async function setup({ fleet, options, results, patience }: Bench): Promise<void> {
  const count = options.allocations?.[0] ?? SETUPS
  const shape = `${count} x (Allocate + CreatePermission + ChannelBind), 32 at once`
  console.error(`setup: ${shape}`)
  for (let round = 0; round < options.rounds; round++)
    await fleet.each('setup', round, async ({ site, contender, pid }) => {
      await tearDown(await setUp(site, WARM, 'channel'))
      await patience.waitForQuiet()
      const own = process.cpuUsage()
      const cpu = cpuSeconds(pid)
      const started = performance.now()
      const flows = await setUp(site, count, 'channel')
      const seconds = (performance.now() - started) / 1e3
      const server = cpuSeconds(pid) - cpu
      const { user, system } = process.cpuUsage(own)
      await tearDown(flows)
      const values = {
        perSecond: count / seconds,
        cpuUs: (server * 1e6) / count,
        serverCpu: server / seconds,
        generatorCpu: (user + system) / 1e6 / seconds,
      }
      results.add({ scenario: 'setup', contender: contender.name, shape, round, values })
    })
}

/** A fresh process per contender and round: memory freed earlier would hide what allocations take. */
export async function memory({ contenders, options, results }: Bench): Promise<void> {
  const count = options.allocations?.[0] ?? HELD
  const shape = `${count} allocations held`
  console.error(`memory: ${shape}`)
  for (let round = 0; round < options.rounds; round++)
    for (const contender of contenders) {
      try {
        const running = await launch(contender)
        const warm = await setUp(running.site, WARM, 'channel')
        await sleep(SETTLE_MS)
        const before = residentBytes(running.pid)
        const flows = await setUp(running.site, count, 'channel')
        await sleep(SETTLE_MS)
        const values = { before, perAllocation: (residentBytes(running.pid) - before) / count }
        await running.stop()
        await Promise.all([...warm, ...flows].map(({ client }) => client.release()))
        results.add({ scenario: 'memory', contender: contender.name, shape, round, values })
      } catch (error) {
        results.failed('memory', contender.name, error)
      }
    }
}
