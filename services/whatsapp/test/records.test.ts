import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp, createLogger } from '@hairpin/http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recordsApi } from '../src/records/api.ts'
import { type Customers, customers } from '../src/records/customers.ts'
import { openRecords, openRecordsReader, RECORDS_FILE } from '../src/records/database.ts'
import { queryCalls } from '../src/records/query.ts'
import { RecordStore } from '../src/records/store.ts'
import type { FinishedCall } from '../src/service.ts'

const noon = Date.parse('2026-03-02T12:00:00Z')
const HOUR = 3_600_000
const number = '491701234567'
const all = { from: 0, to: noon + 365 * 24 * HOUR, limit: 100 }

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hairpin-records-'))
  path = join(folder, RECORDS_FILE)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function open(more: { kept?: Customers; days?: number; now?: () => number } = {}) {
  const { kept = customers('secret', false), days = 30, now = () => noon } = more
  const faults: object[] = []
  const db = openRecords(path)
  const log = { error: (fields: object) => faults.push(fields) }
  return { db, faults, store: new RecordStore({ db, customers: kept, days, log, now }) }
}

const call = (key: string, more: Partial<FinishedCall> = {}): FinishedCall => ({
  key,
  id: key,
  direction: 'user',
  number,
  name: 'Maria',
  agent: 'ben',
  startedAt: noon,
  answeredAt: noon + 5000,
  endedAt: noon + 65_000,
  ending: { reason: 'customer-hung-up', cause: undefined },
  toAgent: { packets: 3000, bytes: 300_000 },
  toWhatsapp: { packets: 2900, bytes: 290_000 },
  ...more,
})

describe('records of calls', () => {
  it('hold no number, no name and no id of Meta’s, but tell calls of the same customer', () => {
    const { db, store } = open()
    store.add(call('wacid.1'))
    store.add(call('wacid.2'))
    store.add(call('wacid.3', { number: '491709994567' }))
    const { calls } = queryCalls(db, all)
    expect(calls.map((each) => each.number)).toEqual(['…4567', '…4567', '…4567'])
    expect(new Set(calls.map(({ customer }) => customer)).size).toBe(2)
    const text = JSON.stringify(db.prepare('SELECT * FROM call').all())
    for (const secret of [number, 'Maria', 'wacid.1']) expect(text).not.toContain(secret)
    store.close()
  })

  it('hold number and id where the operator wants them', () => {
    const { db, store } = open({ kept: customers('secret', true) })
    store.add(call('wacid.1'))
    expect(queryCalls(db, all).calls[0]).toMatchObject({ id: 'wacid.1', number, seconds: 60, outcome: 'completed' })
    store.close()
  })

  it('hide a short number whole', () => {
    expect(customers('secret', false).shown('12345678')).toBe('…')
    expect(customers('secret', false).shown(undefined)).toBeNull()
  })

  it('count a call once, and sum up by agent, direction and outcome', () => {
    const { db, store } = open()
    store.add(call('1'))
    store.add(call('1'))
    store.add(call('2', { agent: 'anna', direction: 'business' }))
    store.add(call('3', { agent: undefined, answeredAt: undefined, ending: { reason: 'no-answer', cause: undefined } }))
    const total = (agent: string | null, direction: string, outcome: string, seconds: number) => ({
      agent,
      direction,
      outcome,
      calls: 1,
      seconds,
      bytes: 590_000,
    })
    expect(queryCalls(db, all).totals).toEqual([
      total(null, 'user', 'no-answer', 0),
      total('anna', 'business', 'completed', 60),
      total('ben', 'user', 'completed', 60),
    ])
    store.close()
  })

  it('are dropped when they are old', () => {
    const first = open()
    first.store.add(call('old', { startedAt: noon - 31 * 24 * HOUR }))
    first.store.add(call('new'))
    first.store.close()
    const { db, store } = open()
    expect(queryCalls(db, all).calls.length).toBe(1)
    store.close()
  })

  it('wait while they cannot be written, and calls go on', () => {
    const { db, faults, store } = open()
    const other = openRecords(path)
    other.exec('BEGIN IMMEDIATE')
    store.add(call('1'))
    store.opened('wacid.2')
    expect(faults.length).toBe(2)
    other.exec('ROLLBACK')
    other.close()
    store.close()
    const reader = openRecordsReader(path)
    expect(queryCalls(reader, all).calls.length).toBe(1)
    reader.close()
    expect(() => db.prepare('SELECT 1')).toThrow()
  })
})

describe('the journal', () => {
  it('names after a kill the calls that Meta holds', () => {
    // Not closed, as by a kill.
    const { store } = open()
    for (const id of ['a', 'b', 'b', 'c']) store.opened(id)
    store.closed('a')
    store.closed('never seen')
    expect(open().store.leftovers()).toEqual(['b', 'c'])
  })
})

describe('GET /api/v1/whatsapp/calls', () => {
  const key = 'key-of-the-demo-app'
  const secrets = {
    apiKeys: [
      { app: 'other', key: 'key-of-another-app' },
      { app: 'demo', key },
    ],
    internalKey: 'internal-key',
  }

  async function api() {
    const kept = customers('secret', false)
    const { db, store } = open({ kept })
    const app = createApp({ logger: createLogger('silent') })
    await app.register(recordsApi({ db, customers: kept, secrets, app: 'demo', now: () => noon + HOUR }))
    const get = (url: string, bearer = key) =>
      app.inject({ url: `/api/v1/whatsapp/calls${url}`, headers: { authorization: `Bearer ${bearer}` } })
    return { store, get }
  }

  it('is for the app whose users the agents are', async () => {
    const { get, store } = await api()
    for (const bearer of ['', 'wrong', 'key-of-another-app', 'internal-key']) {
      const { statusCode, body } = await get('?from=nonsense', bearer)
      expect([statusCode, JSON.parse(body).error.code]).toEqual([401, 'WHATSAPP_UNAUTHORIZED'])
    }
    expect((await get('')).statusCode).toBe(200)
    store.close()
  })

  it('finds calls by time, agent, direction, outcome and number', async () => {
    const { get, store } = await api()
    store.add(call('1'))
    store.add(call('2', { agent: 'anna', startedAt: noon - 48 * HOUR }))
    store.add(
      call('3', { number: '4930111111111', direction: 'business', ending: { reason: 'rejected', cause: undefined } }),
    )
    const found = async (query: string) => JSON.parse((await get(query)).body).calls.length
    expect(await found('')).toBe(3)
    expect(await found('?from=2026-03-02')).toBe(2)
    expect(await found('?to=2026-03-01T00:00:00%2B01:00')).toBe(1)
    expect(await found('?agent=anna')).toBe(1)
    expect(await found('?direction=business&outcome=rejected')).toBe(1)
    expect(await found(`?number=${number}`)).toBe(2)
    expect(await found('?number=4930222222222')).toBe(0)
    expect(await found('?limit=1')).toBe(1)
    store.close()
  })

  it.each([
    ['?from=yesterday', 'BAD_REQUEST'],
    ['?from=2026-13-45', 'WHATSAPP_TIME_INVALID'],
    ['?from=2026-03-02&to=2026-03-01', 'WHATSAPP_RANGE_INVALID'],
    ['?who=me', 'BAD_REQUEST'],
    ['?number=abc', 'BAD_REQUEST'],
  ])('refuses %s', async (query, code) => {
    const { get, store } = await api()
    const { statusCode, body } = await get(query)
    expect([statusCode, JSON.parse(body).error.code]).toEqual([400, code])
    store.close()
  })

  it('comes as CSV, in which no name is a formula', async () => {
    const { get, store } = await api()
    store.add(call('1', { agent: '=cmd()' }))
    const { body, headers } = await get('.csv')
    expect(headers['content-type']).toContain('text/csv')
    const [header, line, ...rest] = body.split('\r\n')
    expect(header).toMatch(/^id,direction,number,customer,agent,started,answered,ended,seconds,outcome,cause,/)
    expect(line).toContain(',…4567,')
    expect(line).toContain(",'=cmd(),2026-03-02T12:00:00.000Z,")
    expect(rest).toEqual([''])
    store.close()
  })
})
