import type { DatabaseSync } from 'node:sqlite'
import { type Static, Type } from 'typebox'
import { addExact, Bill } from './bill.ts'
import { DAY, dayStart, monthEnd, monthStart } from './calendar.ts'
import { billableBytes, compareProviders, type Exact, toMicros } from './cost.ts'
import { addTotals, columns, type Direction, directionSlot, slot, type Totals, zeroTotals } from './counters.ts'
import { formatMicros } from './money.ts'
import type { Provider } from './prices.ts'
import { appDays, totalsOfRow, unsettledRows } from './totals.ts'

export const groupKeys = ['app', 'user', 'day', 'hour', 'transport', 'call'] as const
export type GroupKey = (typeof groupKeys)[number]

/** Times are milliseconds since 1970; `to` is exclusive. A bucket counts where it starts. */
export interface UsageQuery {
  readonly app?: string
  readonly user?: string
  readonly from: number
  readonly to: number
  /** None: one row. `call` gives each call whole, if it opened in the range, and excludes `hour` and `day`. */
  readonly groupBy: readonly GroupKey[]
  /** Rows at most, default 10,000; the rest is cut off and `truncated` says so. */
  readonly limit?: number
}

const Count = Type.Object({ payload: Type.Number(), wire: Type.Number(), packets: Type.Number() })

const figures = {
  bytes: Type.Number({ description: 'Sent on to clients and peers, on the wire.' }),
  billableBytes: Type.Number({ description: "Of the price's basis." }),
  calls: Type.Number({ description: 'Relayed allocations that began.' }),
  seconds: Type.Number({ description: 'Their lifetime.' }),
  cost: Type.Union([Type.String(), Type.Null()], { description: 'Six decimals; null: the price is unknown.' }),
  fromClient: Count,
  toClient: Count,
  fromPeer: Count,
  toPeer: Count,
  localBytes: Type.Number({ description: 'Part of toPeer.wire that stayed on this host.' }),
}

export const UsageFigures = Type.Object(figures)
export type UsageFigures = Static<typeof UsageFigures>

export const UsageRow = Type.Object({
  app: Type.Optional(Type.String()),
  user: Type.Optional(Type.String()),
  day: Type.Optional(Type.String({ description: 'YYYY-MM-DD, UTC.' })),
  hour: Type.Optional(Type.String({ description: 'Its start, ISO 8601, UTC.' })),
  transport: Type.Optional(Type.String()),
  call: Type.Optional(Type.String()),
  opened: Type.Optional(Type.String()),
  closed: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  ...figures,
})
export type UsageRow = Static<typeof UsageRow>

export const UsageReport = Type.Object({
  from: Type.String(),
  to: Type.String(),
  groupBy: Type.Array(Type.String()),
  price: Type.String(),
  currency: Type.String(),
  rows: Type.Array(UsageRow),
  total: UsageFigures,
  truncated: Type.Boolean(),
})
export type UsageReport = Static<typeof UsageReport>

export const ComparedProvider = Type.Object({
  id: Type.String(),
  name: Type.String(),
  basis: Type.String(),
  currency: Type.String(),
  billableBytes: Type.Number(),
  cost: Type.Union([Type.String(), Type.Null()]),
  source: Type.String(),
  verified: Type.Union([Type.String(), Type.Null()]),
  confidence: Type.String(),
})
export type ComparedProvider = Static<typeof ComparedProvider>

const DEFAULT_LIMIT = 10_000

type Keys = Omit<UsageRow, keyof typeof figures>

interface Group {
  readonly keys: Keys
  readonly totals: Totals
  cost: Exact | null
}

/**
 * Who used the relay, and what did it cost; up to the writer's last flush.
 * @throws SQLite's error
 */
export function queryUsage(db: DatabaseSync, price: Provider, query: UsageQuery): UsageReport {
  const bill = billOf(db, price, query)
  const groups = new Map<string, Group>()
  const all: Group = { keys: {}, totals: zeroTotals(), cost: 0n }
  const limit = query.limit ?? DEFAULT_LIMIT
  const byCall = query.groupBy.includes('call')
  let left = 0
  for (const row of select(db, query)) {
    const keys = keysOf(row, query.groupBy)
    const name = JSON.stringify(keys)
    let group = groups.get(name)
    if (!group) {
      group = { keys, totals: zeroTotals(), cost: 0n }
      // Calls come in their order, each one once: a million of them need not be held to show the first.
      if (byCall && groups.size >= limit) left++
      else groups.set(name, group)
    }
    const totals = totalsOfRow(row)
    const cost = bill.share(dayStart(Number(row.start) * 1000), totals)
    for (const sum of [group, all]) {
      addTotals(sum.totals, totals)
      sum.cost = addExact(sum.cost, cost)
    }
  }
  const rows = [...groups.values()]
    .map((group) => ({ ...group.keys, ...figuresOf(price, group) }))
    .sort((a, b) => when(a).localeCompare(when(b)) || b.billableBytes - a.billableBytes)
  return {
    from: new Date(query.from).toISOString(),
    to: new Date(query.to).toISOString(),
    groupBy: [...query.groupBy],
    price: price.id,
    currency: price.currency,
    rows: query.groupBy.length === 0 ? [figuresOf(price, all)] : rows.slice(0, limit),
    total: figuresOf(price, all),
    truncated: rows.length + left > limit,
  }
}

/** What the traffic of a month (UTC) would have cost everywhere; of one app alone as if it were the only one. */
export function compareUsage(
  db: DatabaseSync,
  providers: readonly Provider[],
  { at, app }: { readonly at: number; readonly app?: string | undefined },
): ComparedProvider[] {
  const month = zeroTotals()
  for (const row of appDays(db, monthStart(at), monthEnd(at)))
    if (app === undefined || row.app === app) addTotals(month, row.totals)
  return compareProviders(providers, month).map(({ provider, billableBytes, cost }) => {
    const { id, name, basis, currency, source, verified, confidence } = provider
    const money = cost === null ? null : formatMicros(cost)
    return {
      id,
      name,
      basis,
      currency,
      billableBytes: Number(billableBytes),
      cost: money,
      source,
      verified,
      confidence,
    }
  })
}

/** The bill needs the whole stack, from the first of the first month. */
function billOf(db: DatabaseSync, price: Provider, { from, to }: UsageQuery): Bill {
  const days = new Map<number, Totals>()
  for (const { day, totals } of appDays(db, monthStart(from), to)) {
    const sum = days.get(day)
    if (sum) addTotals(sum, totals)
    else days.set(day, totals)
  }
  return new Bill(price, days)
}

const list = columns.join(', ')
const sums = columns.map((name) => `sum(${name}) AS ${name}`).join(', ')
const buckets = `SELECT start, series, ${list} FROM minute UNION ALL SELECT start, series, ${list} FROM hour
  UNION ALL SELECT start, series, ${list} FROM day UNION ALL ${unsettledRows}`

/** Rows by the wanted keys and day, which the bill needs; `start` in seconds. */
function select(db: DatabaseSync, query: UsageQuery): Iterable<Record<string, unknown>> {
  const { app, user, from, to, groupBy } = query
  const filter = `${app === undefined ? '' : 'AND app = :app'} ${user === undefined ? '' : 'AND user = :user'}`
  const values = { ...(app === undefined ? {} : { app }), ...(user === undefined ? {} : { user }) }
  if (groupBy.includes('call')) {
    return db
      .prepare(
        `SELECT opened / 1000 AS start, epoch, allocation, opened, closed, app, user, transport, ${list}
          FROM call JOIN series ON series.id = series WHERE opened >= :from AND opened < :to ${filter} ORDER BY opened`,
      )
      .iterate({ from, to, ...values })
  }
  const range = { from: from / 1000, to: to / 1000 }
  const whole = from % DAY === 0 && to % DAY === 0 && user === undefined
  if (whole && groupBy.every((key) => key === 'app' || key === 'day')) {
    return appDays(db, from, to)
      .filter((row) => app === undefined || row.app === app)
      .map(({ day, app, totals }) => ({ start: day / 1000, app, ...byName(totals) }))
  }
  const step = groupBy.includes('hour') ? 3600 : 86_400
  const named = groupBy.filter((key) => key === 'app' || key === 'user' || key === 'transport')
  return db
    .prepare(
      `SELECT start - start % ${step} AS start ${named.map((key) => `, ${key}`).join('')}, ${sums}
        FROM (${buckets}) JOIN series ON series.id = series WHERE start >= :from AND start < :to ${filter}
        GROUP BY 1 ${named.map((key) => `, ${key}`).join('')}`,
    )
    .iterate({ ...range, ...values })
}

function byName(totals: Totals): Record<string, number> {
  return Object.fromEntries(columns.map((name, index) => [name, totals[index]!]))
}

function keysOf(row: Readonly<Record<string, unknown>>, groupBy: readonly GroupKey[]): Keys {
  const keys: Keys = {}
  const iso = (ms: unknown) => new Date(Number(ms)).toISOString()
  for (const key of groupBy) {
    if (key === 'day') keys.day = iso(Number(row.start) * 1000).slice(0, 10)
    else if (key === 'hour') keys.hour = iso(Number(row.start) * 1000)
    else if (key === 'call') {
      keys.call = `${row.epoch}-${row.allocation}`
      keys.opened = iso(row.opened)
      keys.closed = row.closed === null ? null : iso(row.closed)
    } else keys[key] = String(row[key])
  }
  return keys
}

function figuresOf(price: Provider, { totals, cost }: Pick<Group, 'totals' | 'cost'>): UsageFigures {
  const count = (direction: Direction) => {
    const at = directionSlot[direction]
    return { payload: totals[at]!, wire: totals[at + 1]!, packets: totals[at + 2]! }
  }
  return {
    bytes: totals[slot.to_client_wire]! + totals[slot.to_peer_wire]!,
    billableBytes: Number(billableBytes(price.basis, totals)),
    calls: totals[slot.allocations]!,
    seconds: totals[slot.duration_ms]! / 1000,
    cost: cost === null ? null : formatMicros(toMicros(price, cost)),
    fromClient: count('fromClient'),
    toClient: count('toClient'),
    fromPeer: count('fromPeer'),
    toPeer: count('toPeer'),
    localBytes: totals[slot.local_to_peer_wire]!,
  }
}

/** Rows with a time are in its order, others by their bytes. */
function when(row: UsageRow): string {
  return row.hour ?? row.day ?? row.opened ?? ''
}
