import { slot } from '../ledger/counters.ts'
import type { RunningTotals } from '../ledger/running.ts'

/** Bits a second on the wire, averaged over the last few seconds before `at` (milliseconds since 1970). */
export interface BandwidthPoint {
  readonly at: number
  readonly toClients: number
  readonly toPeers: number
}

interface Sample {
  readonly at: number
  readonly toClients: number
  readonly toPeers: number
}

/** Milliseconds between points, and how many are kept: ten minutes. */
const EVERY = 2000
const POINTS = 300
/** Samples that a point looks back: reports of several workers do not come at one moment. */
const BACK = 2

/** The bandwidth of the last minutes, from running totals. Pure: time comes with them. */
export class BandwidthHistory {
  readonly #samples: Sample[] = []

  observe({ at, stack }: RunningTotals): void {
    const last = this.#samples.at(-1)
    if (last && at < last.at + EVERY) return
    const { totals } = stack.month
    this.#samples.push({ at, toClients: totals[slot.to_client_wire]!, toPeers: totals[slot.to_peer_wire]! })
    if (this.#samples.length > POINTS + BACK) this.#samples.shift()
  }

  points(): BandwidthPoint[] {
    return this.#samples.slice(BACK).map((sample, index) => {
      const before = this.#samples[index]!
      const seconds = (sample.at - before.at) / 1000
      // Sums begin anew with the month.
      const rate = (now: number, then: number) => Math.max(0, Math.round((8 * (now - then)) / seconds))
      return {
        at: sample.at,
        toClients: rate(sample.toClients, before.toClients),
        toPeers: rate(sample.toPeers, before.toPeers),
      }
    })
  }
}
