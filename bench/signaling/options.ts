/** Command line of `npm run bench -- signaling …`. */
import { names, number, valuesOf } from '../command-line.ts'

export const scenarioNames = ['idle', 'messages', 'slow', 'flood', 'crowd'] as const
export type ScenarioName = (typeof scenarioNames)[number]

export interface Options {
  readonly scenarios: readonly ScenarioName[]
  /** Undefined: all that can run here. */
  readonly contenders: readonly string[] | undefined
  /** Connections held by `idle`, and in one list by `crowd`. */
  readonly clients: number
  /** Pairs in calls. */
  readonly pairs: number
  /** Length of a measured window. */
  readonly seconds: number
  readonly rounds: number
  /** Messages per second of the latency windows; undefined: 40 % of what the slowest contender can do. */
  readonly rate: number | undefined
  /** What `slow` sends to the client that does not read. */
  readonly megabytes: number
  readonly patience: number
  readonly json: string | undefined
}

export const usage = `npm run bench -- signaling [options]
  --scenario a,b         ${scenarioNames.join(', ')} (default: all, about 4 minutes)
  --contender a,b        ws, hairpin, hairpin-resume, peerjs
  --clients n            connections held by idle and crowd (default 5000)
  --pairs n              pairs of clients in calls (default 100)
  --seconds n            length of a measured window (default 2)
  --rounds n             rounds over the contenders of messages (default 3); medians are reported
  --rate n               messages per second where delivery is timed (default: 40 % of the slowest contender's highest)
  --megabytes n          what slow sends to a client that does not read (default 64)
  --patience n           seconds to spend on waiting for a quiet machine and on disturbed windows (default 30)
  --json file            also write every measurement there`

const texts = [
  'scenario',
  'contender',
  'clients',
  'pairs',
  'seconds',
  'rounds',
  'rate',
  'megabytes',
  'patience',
  'json',
] as const

export function parseOptions(argv: readonly string[]): Options | 'help' {
  const values = valuesOf(argv, texts)
  if (values.help) return 'help'
  return {
    scenarios: names('scenario', values.scenario, scenarioNames) ?? scenarioNames,
    contenders: values.contender?.split(','),
    clients: number('clients', values.clients ?? '5000', 2, 20_000),
    pairs: number('pairs', values.pairs ?? '100', 1, 2_000),
    seconds: number('seconds', values.seconds ?? '2', 0.1, 60),
    rounds: number('rounds', values.rounds ?? '3', 1, 100),
    rate: values.rate === undefined ? undefined : number('rate', values.rate, 10, 1_000_000),
    megabytes: number('megabytes', values.megabytes ?? '64', 1, 512),
    patience: number('patience', values.patience ?? '30', 0, 3_600),
    json: values.json,
  }
}
