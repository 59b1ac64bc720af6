import { Value } from 'typebox/value'
import { beforeEach, describe, expect, it } from 'vitest'
import { Budget, BudgetKeeper } from '../../src/ledger/budget.ts'
import type { RunningTotals } from '../../src/ledger/running.ts'
import { T0, totals } from './helpers.ts'

const DAY = 86_400_000
const monthly: Budget = {
  app: 'shop',
  period: 'monthly',
  limit: { money: '10', currency: 'USD' },
  marks: [
    { percent: 50, actions: [] },
    { percent: 80, actions: [{ type: 'webhook' }, { type: 'throttle', bytesPerSecond: 50_000 }] },
    { percent: 100, actions: [{ type: 'webhook' }, { type: 'refuse' }] },
    { percent: 120, actions: [{ type: 'close' }] },
  ],
}

function used(at: number, cost: string | null, bytes = 0, dayBytes = bytes): RunningTotals {
  const period = (billableBytes: number) => ({ billableBytes, cost, totals: totals({}) })
  const stack = { month: period(bytes), day: period(dayBytes) }
  return { at, currency: 'USD', stack, apps: [{ app: 'shop', ...stack }], forecast: null }
}

let keeper: BudgetKeeper
beforeEach(() => {
  keeper = new BudgetKeeper([monthly])
})
const percents = (at: number, cost: string | null) =>
  keeper.evaluate(used(at, cost)).events.map(({ percent }) => percent)

describe('a budget', () => {
  it('gives each mark once, when it is reached', () => {
    expect(percents(T0, '4.999999')).toEqual([])
    expect(percents(T0, '5.000000')).toEqual([50])
    expect(percents(T0, '7')).toEqual([])
    expect(percents(T0, '10')).toEqual([80, 100])
    expect(percents(T0, '11')).toEqual([])
  })

  it('gives them again in the next period, UTC', () => {
    expect(percents(Date.UTC(2026, 2, 31, 23, 59, 59, 999), '6')).toEqual([50])
    expect(percents(Date.UTC(2026, 3, 1), '6')).toEqual([50])
  })

  it('throttles, refuses and closes for as long as the mark is passed', () => {
    expect(keeper.standing('shop')).toEqual({ throttle: undefined, refuse: false, close: false })
    const throttled = keeper.evaluate(used(T0, '8')).changed
    expect([...throttled]).toEqual([['shop', { throttle: 50_000, refuse: false, close: false }]])
    expect(keeper.evaluate(used(T0, '9')).changed.size).toBe(0)
    keeper.evaluate(used(T0, '12'))
    expect(keeper.standing('shop')).toEqual({ throttle: 50_000, refuse: true, close: true })
    const april = keeper.evaluate(used(Date.UTC(2026, 3, 1), '0')).changed
    expect([...april]).toEqual([['shop', { throttle: undefined, refuse: false, close: false }]])
  })

  it('that is raised lets traffic through again, and counts its marks anew', () => {
    keeper.evaluate(used(T0, '10'))
    keeper.set([{ ...monthly, limit: { money: '20', currency: 'USD' } }])
    const { events, changed, measured } = keeper.evaluate(used(T0, '10'))
    expect(changed.get('shop')?.refuse).toBe(false)
    expect(events.map(({ percent }) => percent)).toEqual([50])
    expect(measured.map(({ ratio }) => ratio)).toEqual([0.5])
  })

  it('that is taken away leaves nothing standing', () => {
    keeper.evaluate(used(T0, '10'))
    keeper.set([])
    expect(keeper.evaluate(used(T0, '10')).changed.get('shop')?.refuse).toBe(false)
  })

  it('is not told of again after a restart, but stands', () => {
    const { events } = keeper.evaluate(used(T0, '10'))
    keeper = new BudgetKeeper(
      [monthly],
      events.map(({ key }) => key),
    )
    const again = keeper.evaluate(used(T0 + 1, '10'))
    expect(again.events).toEqual([])
    expect(again.changed.get('shop')?.refuse).toBe(true)
  })

  it('in bytes, by day, starts again at midnight UTC', () => {
    keeper.set([
      {
        app: 'shop',
        period: 'daily',
        limit: { bytes: 1000 },
        marks: [{ percent: 100, actions: [{ type: 'refuse' }] }],
      },
    ])
    expect(keeper.evaluate(used(T0, null, 5000, 999)).events).toEqual([])
    expect(keeper.evaluate(used(T0, null, 5000, 1000)).events).toHaveLength(1)
    expect(keeper.standing('shop').refuse).toBe(true)
    keeper.evaluate(used(T0 + DAY, null, 5000, 0))
    expect(keeper.standing('shop').refuse).toBe(false)
    expect(keeper.evaluate(used(T0 + DAY, null, 6000, 1000)).events).toHaveLength(1)
  })

  it('in money says when it cannot be measured', () => {
    expect(keeper.evaluate(used(T0, null)).unmeasured).toEqual([monthly])
    keeper.set([{ ...monthly, limit: { money: '10', currency: 'EUR' } }])
    expect(keeper.evaluate(used(T0, '10')).unmeasured).toHaveLength(1)
  })

  it('of nothing is used up by the first paid byte', () => {
    keeper.set([{ ...monthly, limit: { money: '0', currency: 'USD' } }])
    expect(percents(T0, '0.000000')).toEqual([])
    expect(percents(T0, '0.000001')).toEqual([50, 80, 100, 120])
  })

  it('for every app is one for each that has none of its own', () => {
    keeper.set([{ ...monthly, app: '*' }])
    expect(keeper.evaluate(used(T0, '10')).events.map(({ budget, percent }) => `${budget.app} ${percent}`)).toEqual([
      'shop 50',
      'shop 80',
      'shop 100',
    ])
    expect(keeper.standing('shop').refuse).toBe(true)
    keeper.set([
      { ...monthly, app: '*' },
      { ...monthly, period: 'daily', limit: { money: '1000', currency: 'USD' } },
    ])
    expect(keeper.evaluate(used(T0, '10')).changed.get('shop')?.refuse).toBe(false)
  })

  it('of an app without traffic is not used', () => {
    keeper.set([{ ...monthly, app: 'idle' }])
    expect(keeper.evaluate(used(T0, '10')).measured).toMatchObject([{ budget: { app: 'idle' }, ratio: 0 }])
  })

  it('takes the tightest of several', () => {
    const throttle = (bytesPerSecond: number) => [
      { percent: 10, actions: [{ type: 'throttle' as const, bytesPerSecond }] },
    ]
    keeper.set([
      { ...monthly, marks: throttle(90) },
      { ...monthly, period: 'daily', marks: throttle(20) },
    ])
    expect(keeper.evaluate(used(T0, '5')).changed.get('shop')?.throttle).toBe(20)
  })
})

it('has a schema that refuses what cannot be kept', () => {
  expect(Value.Check(Budget, monthly)).toBe(true)
  expect(Value.Check(Budget, { ...monthly, marks: [] })).toBe(false)
  expect(Value.Check(Budget, { ...monthly, period: 'weekly' })).toBe(false)
  expect(Value.Check(Budget, { ...monthly, limit: { money: '10' } })).toBe(false)
  expect(Value.Check(Budget, { ...monthly, limit: { bytes: 0 } })).toBe(false)
})
