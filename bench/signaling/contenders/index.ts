import { bare } from './bare.ts'
import type { Contender } from './contender.ts'
import { hairpin, hairpinResume } from './hairpin.ts'
import { peerjs } from './peerjs.ts'

/** In the order of the report; bare `ws` is what the ratios refer to. */
export const contenders: readonly Contender[] = [bare, hairpin, hairpinResume, peerjs]
