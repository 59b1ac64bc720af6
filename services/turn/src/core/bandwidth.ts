/** Giving allocations what they may relay, and changing it while they live. */
import type { Allocation } from './allocation.ts'
import { Allowance } from './allowance.ts'
import type { Credit } from './credits.ts'
import type { ServerState } from './state.ts'
import { TokenBucket } from './token-bucket.ts'

/** Bytes of payload a second, both directions together; 0 or undefined for no limit. */
export interface Bandwidth {
  readonly perAllocation?: number | undefined
  /** All allocations of this worker together: with several workers each gets its share. */
  readonly total?: number | undefined
  /** Seconds' worth that may pass at once after a silence; default 1. */
  readonly burst?: number | undefined
}

/** Keeps the bucket that all allocations of the worker share as the options say. */
export function shapeTotal(state: ServerState, now: number): void {
  const { total, burst } = sizesOf(state)
  if (!total) state.totalBandwidth = undefined
  else if (state.totalBandwidth) state.totalBandwidth.reshape(total, total * burst, now)
  else state.totalBandwidth = new TokenBucket(total, total * burst, now)
}

/** Sets the allocation's limits as the options say now. Nothing is made where there are none. */
export function shapeAllocation(
  state: ServerState,
  allocation: Allocation,
  credit: Credit | undefined,
  now: number,
): void {
  if (!state.totalBandwidth) shapeTotal(state, now)
  const { burst } = sizesOf(state)
  const perAllocation = limitOf(state, allocation.principal.app)
  let own = allocation.allowance?.own
  if (!perAllocation) own = undefined
  else if (own) own.reshape(perAllocation, perAllocation * burst, now)
  else own = new TokenBucket(perAllocation, perAllocation * burst, now)
  const shared = state.totalBandwidth
  const app = state.options.appBandwidth?.(allocation.principal.app, now)
  allocation.allowance = own || app || shared || credit ? new Allowance(own, app, shared, credit) : undefined
}

function sizesOf(state: ServerState) {
  const { total = 0, burst = 1 } = state.options.bandwidth ?? {}
  return { total, burst }
}

/** 0: no limit. */
function limitOf(state: ServerState, app: string): number {
  const { bandwidth, throttle } = state.options
  const limits = [bandwidth?.perAllocation ?? 0, throttle?.(app) ?? 0].filter((limit) => limit > 0)
  return limits.length > 0 ? Math.min(...limits) : 0
}
