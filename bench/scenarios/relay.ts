/** CPU time per relayed packet, loss and latency at fixed rates. */
import type { Running } from '../contenders/contender.ts'
import { blast, type Generator, lossOf, type Window } from '../load/blast.ts'
import { directEnds, type Flow, lendPorts, relayEnds, setUp, takePortsBack, tearDown } from '../load/flows.ts'
import type { End } from '../load/plan.ts'
import { pinned } from '../measure/children.ts'
import type { Options } from '../options.ts'
import { DIRECT, type Fleet } from './fleet.ts'
import { kpps, type Results } from './measurement.ts'

const WARM_MS = 500

export async function relay(fleet: Fleet, options: Options, generator: Generator, results: Results): Promise<void> {
  // The Node generator's own ceiling is below the native one's.
  const rates = options.rates ?? (generator === 'native' ? [20_000, 60_000] : [10_000, 30_000])
  const payloads = options.payloads ?? (options.full ? [172, 1_200] : [172])
  const counts = options.allocations ?? (options.full ? [1, 50, 500] : [50])
  for (const payload of payloads)
    for (const count of counts)
      for (const rate of rates) {
        const shape = `${payload} B, ${count} allocation${count === 1 ? '' : 's'}, ${kpps(rate)}`
        console.error(`relay: ${shape}`)
        const timing = { payload, rate, warmMs: WARM_MS, seconds: options.seconds }
        for (let round = 0; round < options.rounds; round++) {
          const ends = directEnds(count, payload)
          const direct = await blast({ ...timing, spin: pinned, ends }, generator)
          results.add({ scenario: 'relay', contender: DIRECT, shape, round, values: windowValues(direct) })
          await fleet.each('relay', round, async (running) => {
            const window = await withFlows(running, count, (flows) =>
              blast({ ...timing, spin: spins(running), ends: endsOf(running, flows, payload) }, generator, running.pid),
            )
            results.add({
              scenario: 'relay',
              contender: running.contender.name,
              shape,
              round,
              values: windowValues(window),
            })
          })
        }
      }
}

/** A contender on several cores shares the generator's where there are only two: then the generator sleeps between packets. */
export const spins = ({ contender }: Running) => pinned && contender.cores === 1

export const endsOf = ({ site, contender }: Running, flows: readonly Flow[], payload: number): End[] =>
  relayEnds(site, flows, contender.via, payload)

/** Sets allocations up, gives their ports to `work`, and deletes them whatever happens. */
export async function withFlows<T>(
  { site, contender }: Running,
  count: number,
  work: (flows: readonly Flow[]) => Promise<T>,
): Promise<T> {
  const flows = await setUp(site, count, contender.via)
  await lendPorts(flows)
  try {
    return await work(flows)
  } finally {
    await takePortsBack(flows)
    await tearDown(flows)
  }
}

export function windowValues(window: Window): Record<string, number> {
  const { serverCpuUs, ...rest } = window
  return {
    ...rest,
    loss: lossOf(window),
    sentRate: window.sent / window.seconds,
    ...(serverCpuUs === undefined || window.received === 0 ? {} : { cpuUs: serverCpuUs / window.received }),
  }
}
