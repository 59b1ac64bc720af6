/** Command line of `npm run bench -- whatsapp …`. */
import { names, number, valuesOf } from '../command-line.ts'
import { type StackName, stackNames } from './stacks.ts'

export interface Options {
  readonly stacks: readonly StackName[]
  /** Calls at once. */
  readonly calls: number
  /** Length of a measured window. */
  readonly seconds: number
  readonly rounds: number
  readonly patience: number
  readonly json: string | undefined
}

export const usage = `npm run bench -- whatsapp [options]
  --stack a,b            ${stackNames.join(', ')} (default: both)
  --calls n              bridged calls at once (default 100)
  --seconds n            length of a measured window (default 5)
  --rounds n             rounds over the stacks (default 3); medians are reported
  --patience n           seconds to spend on waiting for a quiet machine and on disturbed windows (default 30)
  --json file            also write every measurement there`

const texts = ['stack', 'calls', 'seconds', 'rounds', 'patience', 'json'] as const

export function parseOptions(argv: readonly string[]): Options | 'help' {
  const values = valuesOf(argv, texts)
  if (values.help) return 'help'
  return {
    stacks: names('stack', values.stack, stackNames) ?? stackNames,
    calls: number('calls', values.calls ?? '100', 1, 400),
    seconds: number('seconds', values.seconds ?? '5', 0.2, 60),
    rounds: number('rounds', values.rounds ?? '3', 1, 100),
    patience: number('patience', values.patience ?? '30', 0, 3_600),
    json: values.json,
  }
}
