import { expect, it } from 'vitest'
import type { RunningTotals } from '../../src/ledger/running.ts'
import { CostCounter } from '../../src/metrics/costs.ts'

function totals(costs: Readonly<Record<string, string | null>>, at = Date.UTC(2026, 2, 10)): RunningTotals {
  const apps = Object.entries(costs).map(([app, cost]) => {
    const period = { billableBytes: 0, totals: [], cost }
    return { app, month: period, day: period }
  })
  const stack = { billableBytes: 0, totals: [], cost: null }
  return { at, currency: 'EUR', apps, stack: { month: stack, day: stack }, forecast: null }
}

const valuesOf = (counter: CostCounter) =>
  Object.fromEntries(counter.samples().map(({ labels, value }) => [labels.app, value]))

it('begins with zero, whatever the month cost before the start, and never falls', () => {
  const counter = new CostCounter()
  counter.observe(totals({ shop: '5.000000' }))
  expect(valuesOf(counter)).toEqual({ shop: 0 })
  counter.observe(totals({ shop: '7.500000', game: '1.000000' }))
  expect(valuesOf(counter)).toEqual({ shop: 2.5, game: 1 })
  counter.observe(totals({ shop: '7.250000', game: '1.000000' }))
  expect(valuesOf(counter)).toEqual({ shop: 2.5, game: 1 })
  expect(counter.samples()[0]?.labels).toEqual({ app: 'shop', currency: 'EUR' })
})

it('goes on in a new month', () => {
  const counter = new CostCounter()
  counter.observe(totals({}))
  counter.observe(totals({ shop: '2.000000' }))
  counter.observe(totals({ shop: '0.500000' }, Date.UTC(2026, 3, 1)))
  expect(valuesOf(counter)).toEqual({ shop: 2.5 })
})

it('says nothing while the price is unknown', () => {
  const counter = new CostCounter()
  counter.observe(totals({ shop: null }))
  expect(counter.samples()).toEqual([])
})
