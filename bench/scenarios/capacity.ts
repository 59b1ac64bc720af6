/** Highest rate with less than 0.1 % loss: relayed packets, and STUN Binding requests. */
import { blast } from '../load/blast.ts'
import { bindingEnds, directEnds } from '../load/flows.ts'
import type { End } from '../load/plan.ts'
import { pinned } from '../measure/children.ts'
import type { Bench } from './bench.ts'
import { DIRECT } from './fleet.ts'
import type { Results } from './measurement.ts'
import { endsOf, shapesOf, spins, windowValues, withFlows } from './relay.ts'
import { type Best, highestRate } from './search.ts'

const WARM_MS = 300
const BINDING_CLIENTS = 50

export async function capacity(bench: Bench): Promise<void> {
  for (const { payload, count, shape } of shapesOf(bench.options)) {
    console.error(`capacity: ${shape}`)
    const search = searcher(bench, payload)
    const record = recorder(bench.results, 'capacity', shape)
    record(DIRECT, await search(pinned, directEnds(count, payload)))
    await bench.fleet.each('capacity', 0, async (running) => {
      const best = await withFlows(running, count, (flows) =>
        search(spins(running), endsOf(running, flows, payload), running.pid),
      )
      record(running.contender.name, best)
    })
  }
}

export async function binding(bench: Bench): Promise<void> {
  const shape = `Binding requests from ${BINDING_CLIENTS} clients`
  console.error(`binding: ${shape}`)
  const search = searcher(bench, 16)
  const record = recorder(bench.results, 'binding', shape)
  await bench.fleet.each('binding', 0, async (running) => {
    const ends = bindingEnds(running.site, BINDING_CLIENTS)
    record(running.contender.name, await search(spins(running), ends, running.pid))
  })
}

function searcher({ options, generator, patience }: Bench, payload: number) {
  // Many windows make a search, so each is half as long as one of the relay scenario.
  const timing = { payload, warmMs: WARM_MS, seconds: options.seconds / 2 }
  return async (spin: boolean, ends: readonly End[], pid?: number): Promise<Best | undefined> => {
    await patience.waitForQuiet()
    return await highestRate((rate) => blast({ ...timing, rate, spin, ends }, generator, pid))
  }
}

function recorder(results: Results, scenario: string, shape: string) {
  return (contender: string, best: Best | undefined) => {
    if (!best) return results.failed(scenario, contender, new Error('loses 0.1 % or more at every rate tried'))
    const values = { ...windowValues(best.window), best: best.rate, generatorBound: best.generatorBound ? 1 : 0 }
    results.add({ scenario, contender, shape, round: 0, values })
  }
}
