import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fastify } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import type { DashboardSource } from '../../src/dashboard/data.ts'
import { BandwidthHistory } from '../../src/dashboard/history.ts'
import { dashboard } from '../../src/dashboard/http.ts'
import type { RunningTotals } from '../../src/ledger/running.ts'
import { provider, T0, totals } from '../ledger/helpers.ts'

function running(at: number, toClients: number, toPeers: number): RunningTotals {
  const sums = totals({ to_client_wire: toClients, to_peer_wire: toPeers })
  const period = { billableBytes: toClients + toPeers, totals: sums, cost: '1.500000' }
  const stack = { month: period, day: { ...period, cost: '0.500000' } }
  return { at, currency: 'USD', apps: [{ app: 'shop', ...stack }], stack, forecast: '4.500000' }
}

describe('the bandwidth of the last minutes', () => {
  it('is the growth of the running totals, in bits a second', () => {
    const history = new BandwidthHistory()
    for (let second = 0; second <= 10; second++)
      history.observe(running(T0 + second * 1000, second * 1000, second * 500))
    expect(history.points()).toEqual(
      [4, 6, 8, 10].map((second) => ({ at: T0 + second * 1000, toClients: 8000, toPeers: 4000 })),
    )
  })

  it('is never negative when a month begins, and bounded', () => {
    const history = new BandwidthHistory()
    for (let i = 0; i < 1000; i++) history.observe(running(T0 + i * 2000, i < 500 ? i * 1000 : 0, 0))
    const points = history.points()
    expect(points).toHaveLength(300)
    expect(Math.min(...points.map(({ toClients }) => toClients))).toBe(0)
  })
})

describe('the dashboard', () => {
  const cleanUp: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of cleanUp.splice(0)) await step()
  })

  function app(asked: string[] = []) {
    const root = mkdtempSync(`${tmpdir()}/hairpin-dashboard-`)
    const price = provider()
    const source: DashboardSource = {
      price,
      totals: running(T0, 1000, 500),
      ledgerUp: true,
      bandwidth: [],
      samples: [
        { name: 'hairpin_allocations', labels: { app: 'shop', transport: 'udp' }, value: 2 },
        { name: 'hairpin_allocations', labels: { app: 'shop', transport: 'tcp' }, value: 1 },
      ],
      measured: [
        {
          budget: { app: 'shop', period: 'daily', limit: { bytes: 3000 }, marks: [{ percent: 50, actions: [] }] },
          ratio: 0.5,
        },
      ],
      standings: new Map([['shop', { throttle: 1000, refuse: false, close: false }]]),
    }
    const usage = {
      async query({ groupBy }: { groupBy: readonly string[] }) {
        asked.push(groupBy.join())
        return { rows: [] } as never
      },
      compare: async () => [],
    }
    const made = fastify()
    made.register(dashboard({ now: async () => source, usage, root }))
    cleanUp.push(
      () => made.close(),
      () => rmSync(root, { recursive: true }),
    )
    return made
  }

  it('has what goes on now', async () => {
    const answer = await app().inject('/dashboard/now')
    expect(answer.headers['content-security-policy']).toContain("default-src 'self'")
    expect(answer.json()).toMatchObject({
      allocations: 3,
      cost: { today: '0.500000', month: '1.500000', forecast: '4.500000' },
      bytes: { today: 1500, month: 1500 },
      apps: [{ app: 'shop', allocations: 3, today: '0.500000', month: '1.500000', bytes: 1500 }],
      budgets: [{ app: 'shop', limit: '3000 B', ratio: 0.5, marks: [50], standing: { throttle: 1000 } }],
      ledger: true,
    })
  })

  it('asks the ledger once for all who look at the same time', async () => {
    const asked: string[] = []
    const made = app(asked)
    await Promise.all([made.inject('/dashboard/usage'), made.inject('/dashboard/usage')])
    await made.inject('/dashboard/usage')
    expect(asked).toEqual(['app,user', 'day'])
  })

  it('says what to do when its page is not built', async () => {
    const answer = await app().inject('/dashboard')
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'DASHBOARD_NOT_BUILT'])
  })
})
