import { expect, it } from 'vitest'
import { parseBudgets } from '../../src/budgets/parse.ts'

it('reads budgets in money and in bytes, with what their marks do', () => {
  const text =
    '* monthly 50 EUR: 80% webhook, 100% webhook refuse; shop daily 1.5 GB : 90%, 100% throttle:50000,150% close;'
  expect(parseBudgets(text, 'EUR')).toEqual([
    {
      app: '*',
      period: 'monthly',
      limit: { money: '50', currency: 'EUR' },
      marks: [
        { percent: 80, actions: [{ type: 'webhook' }] },
        { percent: 100, actions: [{ type: 'webhook' }, { type: 'refuse' }] },
      ],
    },
    {
      app: 'shop',
      period: 'daily',
      limit: { bytes: 1_500_000_000 },
      marks: [
        { percent: 90, actions: [] },
        { percent: 100, actions: [{ type: 'throttle', bytesPerSecond: 50_000 }] },
        { percent: 150, actions: [{ type: 'close' }] },
      ],
    },
  ])
  expect(parseBudgets(undefined, 'EUR')).toEqual([])
})

it.each([
  ['50 EUR', 'is not like'],
  ['* monthly 50 EUR:', 'is not like'],
  ['a/b monthly 50 EUR: 100%', 'no app name'],
  ['* weekly 50 EUR: 100%', 'is not like'],
  ['* monthly 50 USD: 100%', 'neither in EUR'],
  ['* monthly 50 EUR: refuse', 'does not begin like 80%'],
  ['* monthly 50 EUR: 100% explode', '"explode" is none of them'],
  ['* monthly 50 EUR: 0%', '/marks/0/percent'],
  ['* monthly 0 GB: 100%', '/limit'],
  ['* monthly 50 EUR: 100% throttle:0', '/marks/0/actions/0'],
])('refuses %s', (text, why) => {
  expect(() => parseBudgets(text, 'EUR')).toThrow(`HAIRPIN_BUDGETS: "${text.replace(/:$/, ':')}" `)
  expect(() => parseBudgets(text, 'EUR')).toThrow(why)
})
