/**
 * From bytes to money. Pure, and exact: everything is whole numbers until one rounding at the end (half up, to a
 * millionth of the currency). An `Exact` is a cost before that division: micro-units times bytes per unit.
 */
import { monthEnd, monthStart } from './calendar.ts'
import { slot, type Totals } from './counters.ts'
import { divideRounded, type Micros, parseMicros } from './money.ts'
import type { Basis, Provider } from './prices.ts'

export type Exact = bigint

export const unitBytes: Readonly<Record<Provider['unit'], bigint>> = { GB: 1_000_000_000n, GiB: 1_073_741_824n }

/**
 * Bytes that a provider of this basis would bill, all on the wire:
 * - `egress`: sent to clients and peers, less what went to a relayed address of the same host (it never left).
 * - `toClient`: sent to clients.
 * - `clientBoth`: sent to and received from clients.
 * - `totalRelayed`: every relayed packet once, as it was sent on: to clients and to peers, local ones as well.
 */
export function billableBytes(basis: Basis, totals: Totals): bigint {
  const toClient = totals[slot.to_client_wire]!
  switch (basis) {
    case 'egress':
      return BigInt(toClient) + BigInt(totals[slot.to_peer_wire]!) - BigInt(totals[slot.local_to_peer_wire]!)
    case 'toClient':
      return BigInt(toClient)
    case 'clientBoth':
      return BigInt(toClient) + BigInt(totals[slot.from_client_wire]!)
    case 'totalRelayed':
      return BigInt(toClient) + BigInt(totals[slot.to_peer_wire]!)
  }
}

/**
 * Cost of a month's first `bytes` billable bytes: the allowance is taken off the first ones, the rest falls into tiers
 * by its place in the month. Null when some of it falls into a tier of unknown price.
 */
export function exactCost(provider: Provider, bytes: bigint): Exact | null {
  // An unknown first price makes all of it unknown: "free so far" would flatter the provider.
  if (provider.tiers[0]!.price === null) return null
  const unit = unitBytes[provider.unit]
  let from = BigInt(provider.allowance ?? 0) * unit
  let cost = 0n
  for (const { upTo, price } of provider.tiers) {
    if (bytes <= from) break
    const end = upTo === null ? bytes : min(bytes, BigInt(upTo) * unit)
    if (end <= from) continue
    if (price === null) return null
    cost += (end - from) * parseMicros(price)
    from = end
  }
  return cost
}

/** An exact cost in money, rounded. */
export function toMicros(provider: Provider, exact: Exact): Micros {
  return divideRounded(exact, unitBytes[provider.unit])
}

/** Cost of a month's first `bytes` billable bytes; null when the price is unknown. */
export function monthCost(provider: Provider, bytes: bigint): Micros | null {
  const exact = exactCost(provider, bytes)
  return exact === null ? null : toMicros(provider, exact)
}

/** What the `next` bytes cost when `used` bytes of the month are already used; null when the price is unknown. */
export function marginalCost(provider: Provider, used: bigint, next: bigint): Micros | null {
  const [before, after] = [exactCost(provider, used), exactCost(provider, used + next)]
  return before === null || after === null ? null : toMicros(provider, after - before)
}

/**
 * Bytes at the end of the month if the rest of it goes on like its part before `now`: linear in elapsed time (UTC).
 * In the first hours of a month a single call swings it; null in its first millisecond.
 */
export function forecastBytes(used: bigint, now: number): bigint | null {
  const start = monthStart(now)
  const elapsed = BigInt(Math.trunc(now) - start)
  if (elapsed <= 0n) return null
  return (used * BigInt(monthEnd(now) - start)) / elapsed
}

/** Cost of the whole month by `forecastBytes`. */
export function forecastCost(provider: Provider, used: bigint, now: number): Micros | null {
  const bytes = forecastBytes(used, now)
  return bytes === null ? null : monthCost(provider, bytes)
}

export interface Comparison {
  readonly provider: Provider
  readonly billableBytes: bigint
  /** In the provider's own currency: there are no exchange rates here. */
  readonly cost: Micros | null
}

/** What one month's traffic would have cost at every provider, in the table's order. */
export function compareProviders(providers: readonly Provider[], month: Totals): Comparison[] {
  return providers.map((provider) => {
    const bytes = billableBytes(provider.basis, month)
    return { provider, billableBytes: bytes, cost: monthCost(provider, bytes) }
  })
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
