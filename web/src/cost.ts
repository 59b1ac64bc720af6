/** What a call costs whoever runs the relay, as far as one side of it can tell. */
import type { CallStatsSample } from '@hairpin/client'

/** As `GET /api/v1/price` gives it. */
export interface Price {
  readonly name: string
  readonly basis: 'egress' | 'toClient' | 'clientBoth' | 'totalRelayed'
  /** Bytes that the price is for. */
  readonly unit: number
  readonly currency: string
  /** Decimal text; null: unknown. */
  readonly price: string | null
}

export interface CallCost {
  /** In the price's currency. */
  readonly soFar: number
  /** If it goes on as in the last seconds; undefined at first. */
  readonly perHour?: number
}

/** IP, UDP and ChannelData headers of a packet between a client and its relay (IPv4), and of one between relay and peer. */
const TO_CLIENT = 32
const TO_PEER = 28

/** Weight of a new rate against the former ones. */
const SMOOTHING = 0.2

/**
 * Adds a call up over its samples. Invariant: the sum never falls; a new path begins a new count. An estimate: by this
 * side's packets, with IPv4 headers, and as if both sides' relays were this stack's.
 */
export class CostMeter {
  readonly #price: Price
  #before: CallStatsSample | undefined
  #billable = 0
  #rate: number | undefined

  constructor(price: Price) {
    this.#price = price
  }

  /** Undefined while the price is unknown. */
  observe(sample: CallStatsSample): CallCost | undefined {
    const { price, unit } = this.#price
    if (price === null) return undefined
    const before = this.#before
    this.#before = sample
    const grown = billable(this.#price.basis, sample, before && sample.bytesIn >= before.bytesIn ? before : undefined)
    this.#billable += grown
    if (before && sample.at > before.at) {
      const rate = (grown * 1000) / (sample.at - before.at)
      this.#rate = this.#rate === undefined ? rate : this.#rate + SMOOTHING * (rate - this.#rate)
    }
    const perByte = Number(price) / unit
    return {
      soFar: this.#billable * perByte,
      ...(this.#rate === undefined ? {} : { perHour: this.#rate * 3600 * perByte }),
    }
  }
}

/** Bytes since `before` that the relays of both sides would bill (docs/COST.md). */
function billable(basis: Price['basis'], now: CallStatsSample, before: CallStatsSample | undefined): number {
  const local = now.pair?.localKind === 'relay'
  const remote = now.pair?.remoteKind === 'relay'
  if (!local && !remote) return 0
  const inward = { bytes: now.bytesIn - (before?.bytesIn ?? 0), packets: now.packetsIn - (before?.packetsIn ?? 0) }
  const outward = { bytes: now.bytesOut - (before?.bytesOut ?? 0), packets: now.packetsOut - (before?.packetsOut ?? 0) }
  const toClient = ({ bytes, packets }: typeof inward) => bytes + packets * TO_CLIENT
  const toPeer = ({ bytes, packets }: typeof inward) => bytes + packets * TO_PEER
  // Between two relays of one host nothing leaves it: each direction leaves once, to its client.
  const received = [...(local ? [inward] : []), ...(remote ? [outward] : [])].reduce(
    (sum, way) => sum + toClient(way),
    0,
  )
  const sent = [...(local ? [outward] : []), ...(remote ? [inward] : [])]
  switch (basis) {
    case 'toClient':
      return received
    case 'clientBoth':
      return received + sent.reduce((sum, way) => sum + toClient(way), 0)
    case 'totalRelayed':
      return received + sent.reduce((sum, way) => sum + toPeer(way), 0)
    case 'egress':
      return local && remote ? received : received + sent.reduce((sum, way) => sum + toPeer(way), 0)
  }
}
