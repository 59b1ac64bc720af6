/** Command line of `npm run bench -- …`. */
import { names, number, numbers, UsageError, valuesOf } from './command-line.ts'
import type { Generator } from './load/blast.ts'

export const scenarioNames = ['relay', 'capacity', 'setup', 'binding', 'memory'] as const
export type ScenarioName = (typeof scenarioNames)[number]

export interface Options {
  readonly scenarios: readonly ScenarioName[]
  /** Undefined: all that can run here. */
  readonly contenders: readonly string[] | undefined
  readonly full: boolean
  /** Length of a measured window. */
  readonly seconds: number
  readonly rounds: number
  /** Overrides of the scenario's own lists. */
  readonly rates: readonly number[] | undefined
  readonly payloads: readonly number[] | undefined
  readonly allocations: readonly number[] | undefined
  readonly generator: Generator | 'auto'
  /** Seconds that the run may spend on waiting for a quiet machine and on measuring disturbed windows again. */
  readonly patience: number
  /** File to write everything measured to. */
  readonly json: string | undefined
}

export const usage = `npm run bench -- [options]
       npm run bench -- signaling [options]   the signaling service; --help lists its own options
       npm run bench -- whatsapp [options]    the bridge of WhatsApp calls; --help lists its own options
  --full                 every scenario with all sizes (about 40 minutes); default: relay alone (about 3 minutes)
  --scenario a,b         ${scenarioNames.join(', ')}
  --contender a,b        coturn, hairpin, hairpin-2, node-turn-repaired, node-turn; only by name: hairpin-no-ledger
  --seconds n            length of a measured window (default 3)
  --rounds n             rounds over the contenders (default 3); medians are reported
  --rate n,…             packets per second of the relay scenario (default 20000,60000)
  --payload n,…          bytes (default 172; with --full 172,1200)
  --allocations n,…      (default 50; with --full 1,50,500; memory: 2000)
  --generator g          auto, native (needs cc), node
  --patience n           seconds to spend on waiting for a quiet machine and on disturbed windows (default 30)
  --json file            also write every measurement there`

/** Its message is for whoever typed the command line. */
const texts = [
  'scenario',
  'contender',
  'seconds',
  'rounds',
  'rate',
  'payload',
  'allocations',
  'generator',
  'patience',
  'json',
] as const

export function parseOptions(argv: readonly string[]): Options | 'help' {
  const values = valuesOf(argv, texts, ['full'])
  if (values.help) return 'help'
  const full = values.full ?? false
  return {
    scenarios: names('scenario', values.scenario, scenarioNames) ?? (full ? scenarioNames : ['relay']),
    contenders: values.contender?.split(','),
    full,
    seconds: number('seconds', values.seconds ?? '3', 0.2, 60),
    rounds: number('rounds', values.rounds ?? '3', 1, 100),
    rates: numbers('rate', values.rate, 10, 2_000_000),
    payloads: numbers('payload', values.payload, 16, 1_400),
    allocations: numbers('allocations', values.allocations, 1, 5_000),
    generator: generator(values.generator ?? 'auto'),
    patience: number('patience', values.patience ?? '30', 0, 3_600),
    json: values.json,
  }
}

function generator(text: string): Generator | 'auto' {
  if (text !== 'auto' && text !== 'native' && text !== 'node')
    throw new UsageError(`--generator: "${text}" is none of auto, native, node`)
  return text
}
