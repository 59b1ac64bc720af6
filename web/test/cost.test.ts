import type { CallStatsSample, PathKind } from '@hairpin/client'
import { describe, expect, it } from 'vitest'
import { CostMeter, type Price } from '../src/cost.ts'
import { amount } from '../src/format.ts'

const price: Price = { name: 'Test', basis: 'egress', unit: 1_000_000_000, currency: 'EUR', price: '1000' }
const kinds = (localKind: PathKind, remoteKind: PathKind) =>
  ({ kind: localKind, localKind, remoteKind, protocol: 'udp' }) as const

function sample(
  seconds: number,
  pair: CallStatsSample['pair'],
  megabytesIn: number,
  megabytesOut: number,
): CallStatsSample {
  return {
    at: seconds * 1000,
    ...(pair ? { pair } : {}),
    bytesIn: megabytesIn * 1e6,
    bytesOut: megabytesOut * 1e6,
    packetsIn: megabytesIn * 1000,
    packetsOut: megabytesOut * 1000,
    framesDecoded: 0,
    framesSent: 0,
    lossIn: 0,
  }
}

describe('the cost of a call', () => {
  // In micro-EUR of 1000 EUR a GB: a byte is one. In: 2 MB in 2000 packets, out: 1 MB in 1000.
  it.each([
    ['egress', 'host', 'srflx', 0],
    ['egress', 'relay', 'relay', 3_000_000 + 3000 * 32],
    ['egress', 'relay', 'host', 3_000_000 + 2000 * 32 + 1000 * 28],
    ['egress', 'host', 'relay', 3_000_000 + 1000 * 32 + 2000 * 28],
    ['toClient', 'relay', 'relay', 3_000_000 + 3000 * 32],
    ['toClient', 'relay', 'host', 2_000_000 + 2000 * 32],
    ['clientBoth', 'relay', 'host', 3_000_000 + 3000 * 32],
    ['clientBoth', 'relay', 'relay', 6_000_000 + 6000 * 32],
    ['totalRelayed', 'relay', 'relay', 6_000_000 + 3000 * 32 + 3000 * 28],
  ] as const)('by %s, %s to %s', (basis, local, remote, micros) => {
    const cost = new CostMeter({ ...price, basis }).observe(sample(0, kinds(local, remote), 2, 1))
    expect(cost?.soFar).toBeCloseTo(micros / 1e6, 9)
  })

  it('adds up over a change of path, and says what an hour would cost', () => {
    const meter = new CostMeter(price)
    const relayed = kinds('relay', 'relay')
    expect(meter.observe(sample(0, relayed, 0, 0))).toEqual({ soFar: 0 })
    const first = meter.observe(sample(10, relayed, 1, 1))!
    expect(first.perHour).toBeCloseTo(first.soFar * 360, 6)
    // Another relay: its counters begin at nothing.
    const second = meter.observe(sample(20, relayed, 0.5, 0.5))!
    expect(second.soFar).toBeCloseTo(first.soFar * 1.5, 9)
    // Then a direct path: it costs nothing more.
    const third = meter.observe(sample(30, kinds('host', 'host'), 5, 5))!
    expect(third.soFar).toBe(second.soFar)
  })

  it('is not known where the price is not', () => {
    expect(new CostMeter({ ...price, price: null }).observe(sample(0, kinds('relay', 'relay'), 1, 1))).toBeUndefined()
  })
})

it('shows small amounts with the digits that make them more than nothing', () => {
  expect(amount(0, 'EUR')).toBe('€0.00')
  expect(amount(0.000012, 'EUR')).toBe('€0.000012')
  expect(amount(0.0345, 'USD')).toBe('$0.035')
  expect(amount(12.345, 'USD')).toBe('$12.35')
})
