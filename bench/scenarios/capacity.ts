/** Highest rate with less than 0.1 % loss: relayed packets, and STUN Binding requests. */
import { blast, type Generator } from '../load/blast.ts'
import { bindingEnds, directEnds } from '../load/flows.ts'
import type { End } from '../load/plan.ts'
import { pinned } from '../measure/children.ts'
import type { Options } from '../options.ts'
import { DIRECT, type Fleet } from './fleet.ts'
import type { Results } from './measurement.ts'
import { endsOf, spins, windowValues, withFlows } from './relay.ts'
import { type Best, highestRate } from './search.ts'

const WARM_MS = 300
const BINDING_CLIENTS = 50

export async function capacity(fleet: Fleet, options: Options, generator: Generator, results: Results): Promise<void> {
  const payloads = options.payloads ?? (options.full ? [172, 1_200] : [172])
  const counts = options.allocations ?? (options.full ? [1, 50, 500] : [50])
  for (const payload of payloads)
    for (const count of counts) {
      const shape = `${payload} B, ${count} allocation${count === 1 ? '' : 's'}`
      console.error(`capacity: ${shape}`)
      const search = searcher(options, generator, payload)
      const record = recorder(results, 'capacity', shape)
      record(DIRECT, await search(pinned, () => directEnds(count, payload)))
      await fleet.each('capacity', 0, async (running) => {
        const best = await withFlows(running, count, (flows) =>
          search(spins(running), () => endsOf(running, flows, payload), running.pid),
        )
        record(running.contender.name, best)
      })
    }
}

export async function binding(fleet: Fleet, options: Options, generator: Generator, results: Results): Promise<void> {
  const shape = `Binding requests from ${BINDING_CLIENTS} clients`
  console.error(`binding: ${shape}`)
  const search = searcher(options, generator, 16)
  const record = recorder(results, 'binding', shape)
  await fleet.each('binding', 0, async (running) => {
    const ends = bindingEnds(running.site, BINDING_CLIENTS)
    record(running.contender.name, await search(spins(running), () => ends, running.pid))
  })
}

function searcher({ seconds }: Options, generator: Generator, payload: number) {
  // Many windows make a search, so each is half as long as one of the relay scenario.
  const timing = { payload, warmMs: WARM_MS, seconds: seconds / 2 }
  return (spin: boolean, ends: () => readonly End[], pid?: number): Promise<Best | undefined> =>
    highestRate((rate) => blast({ ...timing, rate, spin, ends: ends() }, generator, pid))
}

function recorder(results: Results, scenario: string, shape: string) {
  return (contender: string, best: Best | undefined) => {
    if (!best) return results.failed(scenario, contender, new Error('loses 0.1 % or more at every rate tried'))
    const values = { ...windowValues(best.window), best: best.rate, generatorBound: best.generatorBound ? 1 : 0 }
    results.add({ scenario, contender, shape, round: 0, values })
  }
}
