import { csvField } from '@hairpin/http'
import type { UsageReport, UsageRow } from './usage.ts'

/** Directions in the order of the columns. */
const directions = ['fromClient', 'toClient', 'fromPeer', 'toPeer'] as const
const keys = ['app', 'user', 'day', 'hour', 'transport', 'call'] as const

/** A usage report by RFC 4180: header, then one line per row, each ended by CRLF. UTF-8. */
export function usageCsv(report: UsageReport): string {
  const named = keys.filter((key) => report.groupBy.includes(key))
  const times = report.groupBy.includes('call') ? (['opened', 'closed'] as const) : []
  const header = [
    ...named,
    ...times,
    'bytes',
    'billable_bytes',
    'calls',
    'seconds',
    'cost',
    'currency',
    ...directions.flatMap((name) => ['payload', 'wire', 'packets'].map((part) => `${snake(name)}_${part}`)),
    'local_bytes',
  ]
  const line = (row: UsageRow) =>
    [
      ...named.map((key) => row[key] ?? ''),
      ...times.map((key) => row[key] ?? null),
      row.bytes,
      row.billableBytes,
      row.calls,
      row.seconds,
      row.cost,
      report.currency,
      ...directions.flatMap((name) => [row[name].payload, row[name].wire, row[name].packets]),
      row.localBytes,
    ]
      .map(csvField)
      .join(',')
  return [header.join(','), ...report.rows.map(line)].map((text) => `${text}\r\n`).join('')
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
