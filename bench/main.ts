/** `npm run bench`: the same load against our relay, node-turn and coturn in one run. docs/BENCH.md says how. */
import { UsageError } from './command-line.ts'
import { chosen } from './contenders/chosen.ts'
import { launch } from './contenders/contender.ts'
import { contenders as usual, variants } from './contenders/index.ts'
import { pickGenerator } from './load/blast.ts'
import { endChildrenWithUs, generatorCpu, pinned, pinSelf } from './measure/children.ts'
import { Patience } from './measure/patience.ts'
import { type Options, parseOptions, type ScenarioName, usage } from './options.ts'
import { relayTables } from './report/relays.ts'
import { report } from './report/report.ts'
import type { Bench } from './scenarios/bench.ts'
import { binding, capacity } from './scenarios/capacity.ts'
import { Fleet } from './scenarios/fleet.ts'
import { Results } from './scenarios/measurement.ts'
import { relay } from './scenarios/relay.ts'
import { memory, setup } from './scenarios/setup.ts'
import { signaling } from './signaling/main.ts'
import { usage as signalingUsage } from './signaling/options.ts'
import { whatsapp } from './whatsapp/main.ts'
import { usage as whatsappUsage } from './whatsapp/options.ts'

const scenarios: Record<ScenarioName, (bench: Bench) => Promise<void>> = { relay, capacity, setup, binding, memory }

const [first, ...rest] = process.argv.slice(2)
const usages: Readonly<Record<string, string>> = { signaling: signalingUsage, whatsapp: whatsappUsage }

try {
  if (process.platform !== 'linux') throw new UsageError('the bench reads CPU times from /proc: Linux only')
  if (first === 'signaling') await signaling(rest)
  else if (first === 'whatsapp') await whatsapp(rest)
  else await relays(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${usages[first ?? ''] ?? usage}`)
  process.exitCode = 2
}

async function relays(argv: readonly string[]): Promise<void> {
  const options = parseOptions(argv)
  if (options === 'help') console.log(usage)
  else await main(options)
}

async function main(options: Options): Promise<void> {
  endChildrenWithUs()
  pinSelf()
  const generator = pickGenerator(options.generator)
  const results = new Results()
  const contenders = chosen(options.contenders, [...usual, ...variants], usual, results)
  const where = pinned ? `server on CPU 0, generator on CPU ${generatorCpu}` : 'not pinned'
  console.error(`generator: ${generator}; ${where}; ${options.rounds} rounds of ${options.seconds} s windows`)
  const patience = new Patience(options.patience)
  const bench = { options, contenders, generator, patience, results, fleet: new Fleet(contenders, results, launch) }
  for (const scenario of options.scenarios) await run(scenario, bench)
  const order = contenders.map(({ name }) => name)
  for (const { name, about } of contenders) console.log(`${name}: ${about}`)
  console.log(`\n${report(results.measurements, order, relayTables)}`)
  for (const { scenario, contender, reason } of results.failures)
    console.log(`\nNot measured: ${contender} (${scenario}): ${reason}`)
  results.conclude(options.json, { generator, pinned, options })
}

async function run(scenario: ScenarioName, bench: Bench): Promise<void> {
  try {
    await scenarios[scenario](bench)
  } finally {
    await bench.fleet.stop()
  }
}
