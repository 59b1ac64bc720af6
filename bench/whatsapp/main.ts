/** `npm run bench -- whatsapp`: calls through the bridge, on the stack it uses and on another, beside the same calls without it. */
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { nextAddress } from '../contenders/contender.ts'
import { endChildrenWithUs, generatorCpu, pinned, pinSelf, serverCpu, start, stop } from '../measure/children.ts'
import { cpuSeconds, machineSeconds, residentBytes } from '../measure/cpu.ts'
import { Patience } from '../measure/patience.ts'
import { report } from '../report/report.ts'
import { DIRECT } from '../scenarios/fleet.ts'
import { Results } from '../scenarios/measurement.ts'
import { End, newWindow } from './ends.ts'
import { type Options, parseOptions, usage } from './options.ts'
import type { FromServer, ToServer } from './protocol.ts'
import { about, type StackName } from './stacks.ts'
import { whatsappTables } from './tables.ts'
import { Talk } from './talk.ts'

/** The calls under load: what to count the CPU of, and how they end. */
interface Calls {
  readonly ends: readonly End[]
  /** The process with the bridges; undefined without one. */
  readonly pid: number | undefined
  /** Bytes of that process before the first call. */
  readonly before: number
  close(): Promise<void>
}

const WARM_UP_MS = 1000
/** Of a call, each second, both ways together. */
const PACKETS = 100

export async function whatsapp(argv: readonly string[]): Promise<void> {
  const options = parseOptions(argv)
  if (options === 'help') {
    console.log(usage)
    return
  }
  endChildrenWithUs()
  pinSelf()
  console.error(pinned ? `bridge on CPU ${serverCpu}, load on CPU ${generatorCpu}` : 'not pinned')
  const results = new Results()
  const patience = new Patience(options.patience)
  for (let round = 0; round < options.rounds; round++)
    for (const name of [DIRECT, ...options.stacks]) await measured(name, round, options, patience, results)
  for (const name of options.stacks) console.log(`${name}: ${about[name]}`)
  console.log(`\n${report(results.measurements, options.stacks, whatsappTables)}`)
  for (const { contender, reason } of results.failures) console.log(`\nNot measured: ${contender}: ${reason}`)
  results.conclude(options.json, { pinned, options })
}

async function measured(name: string, round: number, options: Options, patience: Patience, results: Results) {
  console.error(`round ${round + 1}: ${name}`)
  const shape = `${options.calls} calls, 50 packets of 80 bytes a second each way`
  try {
    const calls = name === DIRECT ? await direct(options.calls) : await bridged(name as StackName, options.calls)
    const talk = new Talk(calls.ends)
    try {
      await talk.everyoneHears()
      const values = await patience.measure(() => window(calls, talk, options))
      results.add({ scenario: 'bridge', contender: name, shape, round, values })
    } finally {
      talk.stop()
      await calls.close()
    }
  } catch (error) {
    results.failed('bridge', name, error)
  }
}

async function window({ pid, before }: Calls, talk: Talk, { seconds, calls }: Options) {
  await sleep(WARM_UP_MS)
  const counts = newWindow()
  const read = () => ({
    at: performance.now() / 1e3,
    server: pid === undefined ? 0 : cpuSeconds(pid),
    own: cpuSeconds(process.pid),
    machine: machineSeconds(),
  })
  const first = read()
  talk.count(counts)
  await sleep(seconds * 1e3)
  talk.count(undefined)
  const last = read()
  const length = last.at - first.at
  const server = last.server - first.server
  // This process counts its children's CPU as well.
  const own = last.own - first.own
  const busy = last.machine.busy - first.machine.busy
  return {
    p50: counts.latency.percentile(0.5),
    p99: counts.latency.percentile(0.99),
    loss: Math.max(0, 1 - counts.received / counts.sent),
    wrong: counts.wrong,
    generatorCores: (own - server) / length,
    foreignCores: Math.max(0, (busy - own) / length),
    stolenCores: (last.machine.steal - first.machine.steal) / length,
    ...(pid === undefined
      ? {}
      : {
          cpuShare: server / length,
          cpuUs: (server / counts.received) * 1e6,
          // By the packets that arrived: a stack that cannot keep up would look cheap otherwise.
          callsPerCore: counts.received / server / PACKETS,
          perCall: (residentBytes(pid) - before) / calls,
          before,
        }),
  }
}

function endsOf(count: number, address: string) {
  return Array.from({ length: count }, (_, call) => ({
    customer: new End(call, 'customer', address),
    agent: new End(call, 'agent', address),
  }))
}

/** Each customer is connected to the agent: what is measured then is the load's own delay. */
async function direct(count: number): Promise<Calls> {
  const pairs = endsOf(count, nextAddress())
  for (const { customer, agent } of pairs) {
    customer.leg.join(await agent.leg.answer(await customer.leg.offer()))
    agent.leg.start()
  }
  const ends = pairs.flatMap(({ customer, agent }) => [customer, agent])
  return { ends, pid: undefined, before: 0, close: async () => hangUp(ends) }
}

async function bridged(stack: StackName, count: number): Promise<Calls> {
  const address = nextAddress()
  const argv = [process.execPath, join(import.meta.dirname, 'server.ts'), stack, address]
  const server = start(`${serverCpu}`, argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const told = async () => (await once(server, 'message'))[0] as FromServer
  await told()
  const before = residentBytes(server.pid!)
  const pairs = endsOf(count, address)
  for (const [call, { customer, agent }] of pairs.entries()) {
    const request: ToServer = {
      do: 'connect',
      call,
      customer: await customer.leg.offer(),
      agent: await agent.leg.offer(),
    }
    server.send(request)
    const answers = await told()
    if (answers.is !== 'connected') continue
    customer.leg.join(answers.customer)
    agent.leg.join(answers.agent)
  }
  const ends = pairs.flatMap(({ customer, agent }) => [customer, agent])
  const close = async () => {
    hangUp(ends)
    const end: ToServer = { do: 'end' }
    server.send(end)
    await stop(server)
  }
  return { ends, pid: server.pid!, before, close }
}

function hangUp(ends: readonly End[]): void {
  for (const { leg } of ends) leg.close()
}
