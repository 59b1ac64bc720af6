import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { type Static, Type } from 'typebox'

export interface RecordQuery {
  /** ms since 1970, of the calls' beginnings; `to` is not in it. */
  readonly from: number
  readonly to: number
  readonly agent?: string | undefined
  readonly direction?: 'user' | 'business' | undefined
  readonly outcome?: string | undefined
  /** The hash of a number. */
  readonly customer?: string | undefined
  /** Calls at most, the newest; totals are of all. */
  readonly limit: number
}

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()])
const Count = Type.Integer({ minimum: 0 })

const ReportedCall = Type.Object({
  id: Type.String(),
  direction: Type.String(),
  number: Nullable(Type.String()),
  customer: Nullable(Type.String()),
  agent: Nullable(Type.String()),
  /** ISO 8601. */
  started: Type.String(),
  answered: Nullable(Type.String()),
  ended: Type.String(),
  /** From the answer on. */
  seconds: Count,
  outcome: Type.String(),
  cause: Nullable(Type.String()),
  toAgent: Type.Object({ packets: Count, bytes: Count }),
  toWhatsapp: Type.Object({ packets: Count, bytes: Count }),
})

const Total = Type.Object({
  /** Null: nobody answered. */
  agent: Nullable(Type.String()),
  direction: Type.String(),
  outcome: Type.String(),
  calls: Count,
  seconds: Count,
  bytes: Count,
})

export const CallsReport = Type.Object({
  from: Type.String(),
  to: Type.String(),
  calls: Type.Array(ReportedCall),
  totals: Type.Array(Total),
})
export type CallsReport = Static<typeof CallsReport>

const FILTERS = ['agent', 'direction', 'outcome', 'customer'] as const

export function queryCalls(db: DatabaseSync, query: RecordQuery): CallsReport {
  const named = FILTERS.filter((name) => query[name] !== undefined)
  const where = ['started >= ? AND started < ?', ...named.map((name) => `${name} = ?`)].join(' AND ')
  const values: SQLInputValue[] = [query.from, query.to, ...named.map((name) => query[name]!)]
  const calls = db.prepare(`SELECT * FROM call WHERE ${where} ORDER BY started DESC, id LIMIT ?`)
  const totals = db.prepare(
    `SELECT agent, direction, outcome, count(*) AS calls, coalesce(sum(ended - answered), 0) AS ms,
      sum(to_agent_bytes + to_whatsapp_bytes) AS bytes
     FROM call WHERE ${where} GROUP BY agent, direction, outcome ORDER BY agent, direction, outcome`,
  )
  return {
    from: iso(query.from),
    to: iso(query.to),
    calls: calls.all(...values, query.limit).map((row) => reported(row as unknown as Row)),
    totals: totals.all(...values).map((row) => {
      const { agent, direction, outcome, calls: count, ms, bytes } = row as unknown as TotalRow
      return { agent, direction, outcome, calls: count, seconds: Math.round(ms / 1000), bytes }
    }),
  }
}

interface TotalRow {
  agent: string | null
  direction: string
  outcome: string
  calls: number
  ms: number
  bytes: number
}

interface Row {
  id: string
  direction: string
  number: string | null
  customer: string | null
  agent: string | null
  started: number
  answered: number | null
  ended: number
  outcome: string
  cause: string | null
  to_agent_packets: number
  to_agent_bytes: number
  to_whatsapp_packets: number
  to_whatsapp_bytes: number
}

function reported(row: Row): CallsReport['calls'][number] {
  const { id, direction, number, customer, agent, started, answered, ended, outcome, cause } = row
  return {
    id,
    direction,
    number,
    customer,
    agent,
    started: iso(started),
    answered: answered === null ? null : iso(answered),
    ended: iso(ended),
    seconds: answered === null ? 0 : Math.round((ended - answered) / 1000),
    outcome,
    cause,
    toAgent: { packets: row.to_agent_packets, bytes: row.to_agent_bytes },
    toWhatsapp: { packets: row.to_whatsapp_packets, bytes: row.to_whatsapp_bytes },
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
