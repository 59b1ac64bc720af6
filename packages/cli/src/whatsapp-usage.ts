import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type CallsReport, openRecordsReader, queryCalls, RECORDS_FILE } from '@hairpin/whatsapp/records'
import { alignedTable, printable } from './aligned-table.ts'
import { UsageError } from './options.ts'

/**
 * `hairpin usage --whatsapp`: the WhatsApp calls of a month, from their file beside a running bridge or without one.
 * @param from and `to`: ms since 1970
 * @throws UsageError
 */
export function whatsappUsage(dataDir: string, from: number, to: number, json: boolean): string {
  const file = join(dataDir, RECORDS_FILE)
  if (!existsSync(file)) throw new UsageError(`no records of calls at ${file}: set HAIRPIN_DATA_DIR to the data folder`)
  const db = openRecordsReader(file)
  try {
    const report = queryCalls(db, { from, to, limit: json ? 100_000 : 1 })
    return json ? JSON.stringify(report, null, 2) : whatsappTable(report)
  } finally {
    db.close()
  }
}

function whatsappTable({ from, totals }: CallsReport): string {
  const figures = (calls: number, seconds: number, bytes: number) => [
    String(calls),
    (seconds / 60).toFixed(1),
    (bytes / 1e6).toFixed(3),
  ]
  const rows = totals.map(({ agent, direction, outcome, calls, seconds, bytes }) => [
    agent === null ? '(nobody)' : printable(agent),
    direction,
    outcome,
    ...figures(calls, seconds, bytes),
  ])
  const sum = (name: 'calls' | 'seconds' | 'bytes') => totals.reduce((all, row) => all + row[name], 0)
  const header = ['agent', 'direction', 'outcome', 'calls', 'minutes', 'MB']
  const total = ['total', '', '', ...figures(sum('calls'), sum('seconds'), sum('bytes'))]
  return `${from.slice(0, 7)}, WhatsApp calls\n\n${alignedTable([header, ...rows, total], 3)}`
}
