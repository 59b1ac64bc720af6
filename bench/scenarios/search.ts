/** The highest rate that a relay (or the generator itself) sustains. */
import { lossOf, type Window } from '../load/blast.ts'

export const MAX_LOSS = 0.001
const FIRST_RATE = 10_000
const GROWTH = 1.5
/** Bisection ends when the interval is this share of the rate. */
const PRECISION = 0.03
const MAX_RATE = 1_500_000
/** The generator counts as at its limit when it sent less than this share of what was asked. */
const MIN_SENT = 0.98

export interface Best {
  readonly rate: number
  readonly window: Window
  /** The next step failed because the generator, not the relay, could not keep up: the true limit is higher. */
  readonly generatorBound: boolean
}

/** @param measure one window at a rate. A rate counts as sustained when one of two windows loses less than 0.1 %. */
export async function highestRate(measure: (rate: number) => Promise<Window>): Promise<Best | undefined> {
  let best: Window | undefined
  let generatorBound = false
  const sustained = async (rate: number) => {
    for (let attempt = 0; attempt < 2; attempt++) {
      const window = await measure(rate)
      const kept = window.sent >= MIN_SENT * rate * window.seconds
      generatorBound = !kept && lossOf(window) < MAX_LOSS
      if (!kept || lossOf(window) >= MAX_LOSS) continue
      if (!best || window.sent > best.sent) best = window
      return true
    }
    return false
  }
  let low = 0
  let high = FIRST_RATE
  while (high < MAX_RATE && (await sustained(high))) {
    low = high
    high = Math.round(high * GROWTH)
  }
  while (high - low > PRECISION * high) {
    const middle = Math.round((low + high) / 2)
    if (middle < 100) break
    if (await sustained(middle)) low = middle
    else high = middle
  }
  return best && { rate: best.received / best.seconds, window: best, generatorBound }
}
