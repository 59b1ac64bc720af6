import type { Contender } from './contender.ts'
import { coturn } from './coturn.ts'
import { hairpin, hairpinTwo, hairpinWithoutLedger, nodeTurnRepaired } from './hairpin.ts'
import { nodeTurn } from './node-turn.ts'

/** In the order of the report; coturn is what the ratios refer to. */
export const contenders: readonly Contender[] = [coturn, hairpin, hairpinTwo, nodeTurnRepaired, nodeTurn]

/** Run only when asked for by name. */
export const variants: readonly Contender[] = [hairpinWithoutLedger]
