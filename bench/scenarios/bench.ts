import type { Contender, Running } from '../contenders/contender.ts'
import type { Generator } from '../load/blast.ts'
import type { Patience } from '../measure/patience.ts'
import type { Options } from '../options.ts'
import type { Fleet } from './fleet.ts'
import type { Results } from './measurement.ts'

/** What a scenario works with. */
export interface Bench {
  readonly options: Options
  readonly contenders: readonly Contender[]
  readonly generator: Generator
  readonly patience: Patience
  readonly fleet: Fleet<Contender, Running>
  readonly results: Results
}
