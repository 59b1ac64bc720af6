/** `npm run bench -- signaling`: the same load on our signaling service, on bare `ws` and on PeerJS server in one run. */

import { chosen } from '../contenders/chosen.ts'
import { endChildrenWithUs, generatorCpu, pinned, pinSelf } from '../measure/children.ts'
import { Patience } from '../measure/patience.ts'
import { report } from '../report/report.ts'
import { Results } from '../scenarios/measurement.ts'
import { contenders } from './contenders/index.ts'
import { parseOptions, type ScenarioName, usage } from './options.ts'
import type { Bench } from './scenarios/bench.ts'
import { crowd } from './scenarios/crowd.ts'
import { idle } from './scenarios/idle.ts'
import { messages } from './scenarios/messages.ts'
import { flood, slow } from './scenarios/trouble.ts'
import { signalingTables } from './tables.ts'

const scenarios: Record<ScenarioName, (bench: Bench) => Promise<void>> = { idle, messages, slow, flood, crowd }

export async function signaling(argv: readonly string[]): Promise<void> {
  const options = parseOptions(argv)
  if (options === 'help') {
    console.log(usage)
    return
  }
  endChildrenWithUs()
  pinSelf()
  const results = new Results()
  const bench = {
    options,
    contenders: chosen(options.contenders, contenders, contenders, results),
    patience: new Patience(options.patience),
    results,
  }
  console.error(pinned ? `server on CPU 0, generator on CPU ${generatorCpu}` : 'not pinned')
  for (const scenario of options.scenarios) await scenarios[scenario](bench)
  const order = bench.contenders.map(({ name }) => name)
  for (const { name, about } of bench.contenders) console.log(`${name}: ${about}`)
  console.log(`\n${report(results.measurements, order, signalingTables)}`)
  for (const { scenario, contender, reason } of results.failures)
    console.log(`\nNot measured: ${contender} (${scenario}): ${reason}`)
  results.conclude(options.json, { pinned, options })
}
