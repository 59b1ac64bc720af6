/** Sets of CIDR ranges as sorted, merged intervals of integers: a check is one binary search. */
import { parseAddress } from '@hairpin/stun'

/** IPv4 has a place of its own above IPv6: not even `::/0` means it, nor does an IPv4-mapped address fall into it. */
const IPV4_BASE = 1n << 128n

interface Interval {
  readonly first: bigint
  last: bigint
}

export class CidrSet {
  readonly #intervals: Interval[] = []

  /** @throws RangeError naming the range that is none: `10.0.0.0/8`, `fc00::/7`, or a bare address. */
  constructor(ranges: readonly string[]) {
    const all = ranges.map(parseRange).sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))
    for (const interval of all) {
      const before = this.#intervals.at(-1)
      if (before && interval.first <= before.last + 1n) {
        if (interval.last > before.last) before.last = interval.last
      } else this.#intervals.push(interval)
    }
  }

  has(address: Uint8Array): boolean {
    const value = toInteger(address)
    let low = 0
    let high = this.#intervals.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const interval = this.#intervals[middle]!
      if (value < interval.first) high = middle - 1
      else if (value > interval.last) low = middle + 1
      else return true
    }
    return false
  }
}

function parseRange(range: string): Interval {
  const [text = '', prefixText, ...rest] = range.trim().split('/')
  const bytes = text.includes('%') ? undefined : parseAddress(text)
  const bits = (bytes?.length ?? 0) * 8
  const prefix = prefixText === undefined ? bits : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : -1
  if (!bytes || rest.length > 0 || prefix < 0 || prefix > bits) throw new RangeError(`not a CIDR range: "${range}"`)
  const size = 1n << BigInt(bits - prefix)
  const value = toInteger(bytes)
  const first = value - (value % size)
  return { first, last: first + size - 1n }
}

function toInteger(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return bytes.length === 4 ? IPV4_BASE + value : value
}
