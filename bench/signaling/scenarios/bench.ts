import type { Patience } from '../../measure/patience.ts'
import type { Results } from '../../scenarios/measurement.ts'
import type { Contender } from '../contenders/contender.ts'
import type { Options } from '../options.ts'

/** What a scenario works with. */
export interface Bench {
  readonly options: Options
  readonly contenders: readonly Contender[]
  readonly patience: Patience
  readonly results: Results
}
