import { describe, expect, it } from 'vitest'
import { Bill } from '../../src/ledger/bill.ts'
import {
  billableBytes,
  compareProviders,
  exactCost,
  forecastBytes,
  forecastCost,
  marginalCost,
  monthCost,
  toMicros,
} from '../../src/ledger/cost.ts'
import { divideRounded, formatMicros, parseMicros } from '../../src/ledger/money.ts'
import { loadPriceTable } from '../../src/ledger/prices.ts'
import { GB, GiB, provider, totals } from './helpers.ts'

const tiered = provider({
  allowance: 100,
  tiers: [
    { upTo: 10_000, price: '0.09' },
    { upTo: 50_000, price: '0.085' },
    { upTo: null, price: '0.05' },
  ],
})

const traffic = totals({
  from_client_wire: 1_000,
  to_client_wire: 20_000,
  from_peer_wire: 19_000,
  to_peer_wire: 900,
  local_to_peer_wire: 300,
})

describe('billable bytes', () => {
  it.each([
    // 20,000 to clients + 900 to peers - 300 that stayed on the host
    ['egress', 20_600n],
    ['toClient', 20_000n],
    // 20,000 + 1,000
    ['clientBoth', 21_000n],
    // 20,000 + 900
    ['totalRelayed', 20_900n],
  ] as const)('of basis %s', (basis, bytes) => {
    expect(billableBytes(basis, traffic)).toBe(bytes)
  })
})

describe('a month', () => {
  it.each([
    ['nothing', 0n, '0.000000'],
    ['within the allowance', 100n * GB, '0.000000'],
    // 1 GB x 0.09
    ['one unit past the allowance', 101n * GB, '0.090000'],
    // 9,900 x 0.09 = 891
    ['up to the end of the first tier', 10_000n * GB, '891.000000'],
    // 891 + 1 x 0.085
    ['one unit into the second tier', 10_001n * GB, '891.085000'],
    // 891 + 40,000 x 0.085 = 891 + 3,400 = 4,291
    ['up to the end of the second tier', 50_000n * GB, '4291.000000'],
    // 4,291 + 10,000 x 0.05 = 4,791
    ['in the last tier', 60_000n * GB, '4791.000000'],
    // 0.5 GB x 0.09 = 0.045
    ['half a unit', 100n * GB + GB / 2n, '0.045000'],
    // 1 byte = 0.09 / 10^9 = 0.00000000009: rounds to nothing
    ['a byte', 100n * GB + 1n, '0.000000'],
    // 5,556 bytes x 0.00009 millionths = 0.50004 millionths: rounds up
    ['just half a millionth', 100n * GB + 5_556n, '0.000001'],
  ])('%s', (_name, bytes, money) => {
    expect(formatMicros(monthCost(tiered, bytes)!)).toBe(money)
  })

  it('counts binary units where the provider does', () => {
    const binary = provider({ unit: 'GiB', allowance: 500 })
    expect(monthCost(binary, 500n * GiB)).toBe(0n)
    // 100 GiB x 0.01
    expect(formatMicros(monthCost(binary, 600n * GiB)!)).toBe('1.000000')
    // 600 GB = 558.793545 GiB; 58.793545 x 0.01 = 0.58793545
    expect(formatMicros(monthCost(binary, 600n * GB)!)).toBe('0.587935')
  })

  it('has an unknown cost where the price is unknown', () => {
    expect(monthCost(provider({ tiers: [{ upTo: null, price: null }] }), 1n)).toBeNull()
    expect(monthCost(provider({ allowance: 5, tiers: [{ upTo: null, price: null }] }), 1n)).toBeNull()
    const open = provider({
      tiers: [
        { upTo: 10, price: '1' },
        { upTo: null, price: null },
      ],
    })
    expect(monthCost(open, 10n * GB)).toBe(10_000_000n)
    expect(monthCost(open, 10n * GB + 1n)).toBeNull()
  })

  it('starts where the allowance ends even if that is past whole tiers', () => {
    const generous = provider({
      allowance: 20,
      tiers: [
        { upTo: 10, price: '5' },
        { upTo: null, price: '1' },
      ],
    })
    // tier 1 is all free; 5 GB x 1
    expect(formatMicros(monthCost(generous, 25n * GB)!)).toBe('5.000000')
  })

  it('does not drift over ten thousand small additions', () => {
    let exact = 0n
    for (let i = 0n; i < 10_000n; i++)
      exact += exactCost(tiered, 200n * GB + (i + 1n) * 12_345n)! - exactCost(tiered, 200n * GB + i * 12_345n)!
    // 123,450,000 bytes x 0.09 / 10^9 = 0.0111105
    expect(formatMicros(toMicros(tiered, exact))).toBe('0.011111')
    expect(exact * 10n ** 3n).toBe(123_450_000n * 90_000n * 10n ** 3n)
  })
})

it('prices the next bytes by where the month stands', () => {
  expect(marginalCost(tiered, 0n, 100n * GB)).toBe(0n)
  // 50 GB still free, 50 GB x 0.09 = 4.50
  expect(formatMicros(marginalCost(tiered, 50n * GB, 100n * GB)!)).toBe('4.500000')
  // 1 x 0.09 + 1 x 0.085
  expect(formatMicros(marginalCost(tiered, 9_999n * GB, 2n * GB)!)).toBe('0.175000')
})

describe('the forecast', () => {
  it('goes on as the month went so far', () => {
    // 10 of April's 30 days: 50 GB → 150 GB, of which 50 are paid: 50 x 0.09 = 4.50
    const now = Date.UTC(2026, 3, 11)
    expect(forecastBytes(50n * GB, now)).toBe(150n * GB)
    expect(formatMicros(forecastCost(tiered, 50n * GB, now)!)).toBe('4.500000')
    // now it is within the allowance: nothing is owed yet
    expect(monthCost(tiered, 50n * GB)).toBe(0n)
  })

  it('knows how long a month is', () => {
    // 14 of February's 28 days (2026), of 29 in 2028
    expect(forecastBytes(14n, Date.UTC(2026, 1, 15))).toBe(28n)
    expect(forecastBytes(14n, Date.UTC(2028, 1, 15))).toBe(29n)
    expect(forecastBytes(31n, Date.UTC(2026, 11, 31, 24) - 1)).toBe(31n)
  })

  it('says nothing in the first moment of a month', () => {
    expect(forecastBytes(5n, Date.UTC(2026, 3, 1))).toBeNull()
    expect(forecastCost(tiered, 5n, Date.UTC(2026, 3, 1))).toBeNull()
  })
})

describe('the bill', () => {
  const day = (month: number, date: number) => Date.UTC(2026, month, date)
  const sent = (gigabytes: number) => totals({ to_client_wire: gigabytes * 1e9 })

  it('uses up the allowance in the order of days and shares a day by bytes', () => {
    // 1st: 80 GB, free. 2nd: 80 GB, of which 20 free and 60 x 0.09 = 5.40.
    const bill = new Bill(
      tiered,
      new Map([
        [day(3, 2), sent(80)],
        [day(3, 1), sent(80)],
      ]),
    )
    expect(bill.share(day(3, 1), sent(80))).toBe(0n)
    // a quarter of the 2nd: 1.35
    expect(formatMicros(toMicros(tiered, bill.share(day(3, 2), sent(20))!))).toBe('1.350000')
    expect(formatMicros(bill.total(day(3, 1), day(4, 1))!)).toBe('5.400000')
  })

  it('gives a new allowance at the first of the month, UTC', () => {
    const bill = new Bill(
      tiered,
      new Map([
        [day(0, 31), sent(150)],
        [day(1, 1), sent(150)],
      ]),
    )
    // each month on its own: 50 x 0.09 = 4.50
    expect(formatMicros(bill.total(day(0, 1), day(1, 1))!)).toBe('4.500000')
    expect(formatMicros(bill.total(day(1, 1), day(2, 1))!)).toBe('4.500000')
    expect(formatMicros(bill.total(day(0, 1), day(2, 1))!)).toBe('9.000000')
  })

  it('is unknown from the day that reaches an unknown price', () => {
    const open = provider({
      tiers: [
        { upTo: 100, price: '1' },
        { upTo: null, price: null },
      ],
    })
    const bill = new Bill(
      open,
      new Map([
        [day(0, 1), sent(90)],
        [day(0, 2), sent(90)],
      ]),
    )
    expect(bill.total(day(0, 1), day(0, 2))).toBe(90_000_000n)
    expect(bill.share(day(0, 2), sent(1))).toBeNull()
    expect(bill.total(day(0, 1), day(0, 3))).toBeNull()
  })

  it('has nothing to share on a day without billable bytes', () => {
    const bill = new Bill(tiered, new Map([[day(0, 1), totals({ from_peer_wire: 5 })]]))
    expect(bill.share(day(0, 1), totals({ from_peer_wire: 5 }))).toBe(0n)
    expect(bill.share(day(0, 2), sent(1))).toBe(0n)
  })
})

it('compares the month at every provider of the table', () => {
  const table = loadPriceTable(new URL('../../../../infra/prices.json', import.meta.url))
  // 30 TB sent to clients, 1 TB to peers, 1.5 TB received from clients
  const month = totals({ to_client_wire: 30e12, to_peer_wire: 1e12, from_client_wire: 1.5e12 })
  const costs = Object.fromEntries(
    compareProviders(table.providers, month).map((row) => [row.provider.id, row.cost && formatMicros(row.cost)]),
  )
  expect(costs).toMatchObject({
    // (31,000 - 20,000) x 0.001
    hetzner: '11.000000',
    // (31,000 - 10,000) x 0.0085
    oracle: '178.500000',
    // 9,900 x 0.09 + 21,000 x 0.085 = 891 + 1,785
    aws: '2676.000000',
    // to clients only: (30,000 - 1,000) x 0.05
    cloudflare: '1450.000000',
    twilio: null,
    xirsys: null,
  })
})

describe('money', () => {
  it('is read and written without binary fractions', () => {
    expect(parseMicros('0.0085')).toBe(8_500n)
    expect(parseMicros('12')).toBe(12_000_000n)
    expect(formatMicros(1n)).toBe('0.000001')
    expect(formatMicros(-1_500_000n)).toBe('-1.500000')
    expect(formatMicros(123_456_789_012_345_678n)).toBe('123456789012.345678')
  })

  it.each(['', '1.', '.5', '-1', '1e3', '0.0000001', '1,5', ' 1'])('refuses "%s"', (text) => {
    expect(() => parseMicros(text)).toThrow(RangeError)
  })

  it('rounds halves up', () => {
    expect([divideRounded(1n, 2n), divideRounded(1n, 3n), divideRounded(2n, 3n)]).toEqual([1n, 0n, 1n])
  })
})
