import { randomBytes } from 'node:crypto'
import type { Config } from '@hairpin/config'
import { type Rate, SourceBudget } from '../../core/index.ts'

/** Answers at once after a silence, in seconds' worth of the rate. */
const BURST = 4
/** No worker's share is smaller: a client and its retransmissions land on one worker. */
const LEAST: Rate = { rate: 5, burst: 32 }
const UNLIMITED: Rate = { rate: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY }

/**
 * One worker's budget for unauthenticated answers. The kernel spreads the ports behind one NAT evenly over the workers, so
 * each has its share of the rate, and all together keep it.
 */
export function budgetOf(
  { challengeRate, bindingRate, prefix4, prefix6 }: Config['turn']['unauthenticated'],
  workers: number,
): SourceBudget | undefined {
  if (challengeRate === 0 && bindingRate === 0) return undefined
  return new SourceBudget({
    key: randomBytes(16),
    challenge: shareOf(challengeRate, workers),
    binding: shareOf(bindingRate, workers),
    prefix4,
    prefix6,
  })
}

function shareOf(total: number, workers: number): Rate {
  if (total === 0) return UNLIMITED
  const rate = Math.min(total, Math.max(LEAST.rate, total / workers))
  return { rate, burst: Math.max(LEAST.burst, rate * BURST) }
}
