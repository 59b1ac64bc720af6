/** CPU time per relayed packet, loss and latency at fixed rates. */
import type { Running } from '../contenders/contender.ts'
import { blast, lossOf, type Window } from '../load/blast.ts'
import { directEnds, type Flow, lendPorts, relayEnds, setUp, takePortsBack, tearDown } from '../load/flows.ts'
import type { End } from '../load/plan.ts'
import { pinned } from '../measure/children.ts'
import type { Options } from '../options.ts'
import type { Bench } from './bench.ts'
import { DIRECT } from './fleet.ts'

const WARM_MS = 500

export async function relay({ fleet, options, generator, results, patience }: Bench): Promise<void> {
  // The Node generator's own ceiling is below the native one's.
  const rates = options.rates ?? (generator === 'native' ? [20_000, 60_000] : [10_000, 30_000])
  for (const { payload, count, shape } of shapesOf(options))
    for (const rate of rates) {
      const title = `${shape}, ${Number((rate / 1e3).toFixed(1))} kpps`
      console.error(`relay: ${title}`)
      const timing = { payload, rate, warmMs: WARM_MS, seconds: options.seconds }
      for (let round = 0; round < options.rounds; round++) {
        const add = (contender: string, window: Window) =>
          results.add({ scenario: 'relay', contender, shape: title, round, values: windowValues(window) })
        const ends = directEnds(count, payload)
        add(DIRECT, await patience.measure(() => blast({ ...timing, spin: pinned, ends }, generator)))
        await fleet.each('relay', round, async (running) => {
          const window = () =>
            withFlows(running, count, (flows) =>
              blast({ ...timing, spin: spins(running), ends: endsOf(running, flows, payload) }, generator, running.pid),
            )
          add(running.contender.name, await patience.measure(window))
        })
      }
    }
}

/** Payload sizes times numbers of allocations. */
export function shapesOf({ payloads, allocations, full }: Options) {
  return (payloads ?? (full ? [172, 1_200] : [172])).flatMap((payload) =>
    (allocations ?? (full ? [1, 50, 500] : [50])).map((count) => ({
      payload,
      count,
      shape: `${payload} B, ${count} allocation${count === 1 ? '' : 's'}`,
    })),
  )
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
