import { createApp, createLogger, HttpError } from '@hairpin/http'
import type { FastifyRequest } from 'fastify'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { usageApi } from '../../src/ledger/http.ts'
import { openLedgerDatabase } from '../../src/ledger/schema.ts'
import { compareUsage, queryUsage, type UsageQuery } from '../../src/ledger/usage.ts'
import { LedgerWriter } from '../../src/ledger/writer.ts'
import { batch, counters, provider, snapshot, T0 } from './helpers.ts'

const price = provider()
const app = createApp({ logger: createLogger('silent') })
let asked: UsageQuery[] = []

function authenticate(request: FastifyRequest) {
  const key = request.headers.authorization
  if (key === 'Bearer shop') return { app: 'shop' }
  if (key === 'Bearer admin') return { app: undefined }
  throw new HttpError(401, 'TURN_UNAUTHORIZED', 'Send a valid API key.')
}

beforeEach(() => {
  asked = []
})
afterEach(() => app.close())

async function get(url: string, key = 'Bearer shop') {
  return app.inject({ url, headers: key === '' ? {} : { authorization: key } })
}

it('answers the usage API', async () => {
  const db = openLedgerDatabase(':memory:')
  const writer = new LedgerWriter({ open: () => db, price, log: { warn: console.warn, info() {} } })
  const sent = (gigabytes: number) => counters({ toClientPayload: gigabytes * 1e9, toClientFramed: gigabytes * 1e9 })
  writer.ingest(
    batch([
      snapshot({ allocationId: 1, user: '=cmd', counters: sent(1) }),
      snapshot({ allocationId: 2, app: 'chat', counters: sent(3) }),
    ]),
  )
  writer.flush(T0)
  app.register(
    usageApi({
      authenticate,
      now: () => T0 + 1000,
      usage: {
        query: (query) => {
          asked.push(query)
          return queryUsage(db, price, query)
        },
        compare: (of) => compareUsage(db, [price], of),
      },
    }),
  )

  // An app's key sees its own data only; the default range is this month.
  const own = await get('/api/v1/usage?groupBy=app,user')
  expect(own.statusCode).toBe(200)
  expect(own.headers['cache-control']).toBe('no-store')
  expect(own.json()).toMatchObject({
    from: '2026-03-01T00:00:00.000Z',
    currency: 'USD',
    rows: [{ app: 'shop', user: '=cmd', bytes: 1e9, calls: 1, cost: '0.010000' }],
    total: { bytes: 1e9 },
    truncated: false,
  })
  expect((await get('/api/v1/usage?app=shop')).json().total.bytes).toBe(1e9)
  const other = await get('/api/v1/usage?app=chat')
  expect([other.statusCode, other.json().error.code]).toEqual([403, 'USAGE_APP_FORBIDDEN'])

  // An administrator sees all, or what is asked for.
  expect((await get('/api/v1/usage', 'Bearer admin')).json().total.bytes).toBe(4e9)
  expect((await get('/api/v1/usage?app=chat', 'Bearer admin')).json().total.bytes).toBe(3e9)

  // Strangers are told nothing, not even about their query.
  for (const url of ['/api/v1/usage', '/api/v1/usage.csv', '/api/v1/usage/compare', '/api/v1/usage?groupBy=zodiac'])
    expect((await get(url, '')).statusCode).toBe(401)

  const csv = await get('/api/v1/usage.csv?groupBy=user&from=2026-03-01&to=2026-04-01')
  expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8; header=present')
  expect(csv.headers['content-disposition']).toBe('attachment; filename="usage-2026-03-01-2026-04-01.csv"')
  expect(csv.body).toMatch(/\r\n'=cmd,1000000000,/)

  expect((await get('/api/v1/usage/compare')).json()).toMatchObject([
    { id: 'test', billableBytes: 1e9, cost: '0.010000' },
  ])
  expect((await get('/api/v1/usage/compare?month=2026-02')).json()).toMatchObject([{ billableBytes: 0 }])
  expect((await get('/api/v1/usage/compare?app=chat')).statusCode).toBe(403)

  asked = []
  await get('/api/v1/usage?from=2026-03-01T12:00:00%2B01:00&to=2026-03-02&user=ann&limit=5')
  expect(asked).toEqual([
    { app: 'shop', user: 'ann', from: Date.UTC(2026, 2, 1, 11), to: Date.UTC(2026, 2, 2), groupBy: [], limit: 5 },
  ])

  for (const [search, code] of [
    ['from=yesterday', 'USAGE_TIME_INVALID'],
    ['from=2026-03-01T12:00:00', 'USAGE_TIME_INVALID'],
    ['from=2026-13-01', 'USAGE_TIME_INVALID'],
    ['from=2026-03-02&to=2026-03-01', 'USAGE_RANGE_INVALID'],
    ['groupBy=zodiac', 'USAGE_GROUP_INVALID'],
    ['groupBy=call,day', 'USAGE_GROUP_INVALID'],
    ['limit=0', 'BAD_REQUEST'],
    ['who=me', 'BAD_REQUEST'],
  ]) {
    const reply = await get(`/api/v1/usage?${search}`)
    expect([search, reply.statusCode, reply.json().error.code]).toEqual([search, 400, code])
  }
})
