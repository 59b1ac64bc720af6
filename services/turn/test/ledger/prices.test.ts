import { describe, expect, it } from 'vitest'
import { choosePrice, loadPriceTable, PriceError, parsePriceTable } from '../../src/ledger/prices.ts'
import { provider } from './helpers.ts'

const file = new URL('../../../../infra/prices.json', import.meta.url)
const table = (...providers: object[]) => ({ default: 'test', providers })

describe('the price table of the repository', () => {
  it('is valid and leaves unknown prices null', () => {
    const { providers } = loadPriceTable(file)
    const unknown = providers.filter((entry) => entry.tiers[0]?.price === null).map((entry) => entry.id)
    expect(unknown).toEqual(['linode', 'twilio', 'metered', 'xirsys'])
    expect(providers.find((entry) => entry.id === 'cloudflare')?.basis).toBe('toClient')
  })

  it('says of every entry where it is from', () => {
    for (const entry of loadPriceTable(file).providers) expect(entry.source, entry.id).not.toBe('')
  })
})

describe('a wrong price table is refused with its fault', () => {
  it.each([
    ['a price as a number', table(provider({ tiers: [{ upTo: null, price: 0.01 as never }] })), 'tiers/0/price'],
    ['too many decimals', table(provider({ tiers: [{ upTo: null, price: '0.0000001' }] })), 'price'],
    ['an unknown basis', table(provider({ basis: 'ingress' as never })), 'basis'],
    ['an unknown property', table({ ...provider(), vat: 19 }), '/providers/0'],
    ['no tiers', table(provider({ tiers: [] })), 'tiers'],
    ['no last tier', table(provider({ tiers: [{ upTo: 5, price: '1' }] })), 'last tier of "test"'],
    [
      'tiers that do not rise',
      table(
        provider({
          tiers: [
            { upTo: 5, price: '1' },
            { upTo: 5, price: '1' },
            { upTo: null, price: '1' },
          ],
        }),
      ),
      'do not rise',
    ],
    ['an entry twice', table(provider(), provider()), 'twice'],
    ['a default that is not there', { default: 'none', providers: [provider()] }, 'default "none"'],
  ])('%s', (_name, json, message) => {
    expect(() => parsePriceTable(json)).toThrow(PriceError)
    expect(() => parsePriceTable(json)).toThrow(message)
  })
})

describe('HAIRPIN_PRICES', () => {
  const prices = loadPriceTable(file)

  it('names an entry, or nothing for the default', () => {
    expect(choosePrice(prices, 'aws').id).toBe('aws')
    expect(choosePrice(prices, undefined).id).toBe(prices.default)
    expect(choosePrice(prices, '  ').id).toBe(prices.default)
  })

  it('gives an own price', () => {
    expect(choosePrice(prices, '0.004 EUR/GB')).toMatchObject({
      id: 'own',
      basis: 'egress',
      unit: 'GB',
      currency: 'EUR',
      allowance: 0,
      tiers: [{ upTo: null, price: '0.004' }],
    })
    expect(choosePrice(prices, '0.4 USD/GiB clientBoth free 500')).toMatchObject({
      basis: 'clientBoth',
      unit: 'GiB',
      allowance: 500,
    })
  })

  it.each(['cheap', '0.004EUR/GB', '0.0000001 EUR/GB', '1 EUR/TB', '-1 EUR/GB'])('refuses "%s"', (text) => {
    expect(() => choosePrice(prices, text)).toThrow(PriceError)
  })
})
