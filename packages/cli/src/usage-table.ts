import type { UsageReport, UsageRow } from '@hairpin/turn/offline'
import { alignedTable, printable } from './aligned-table.ts'

/** A report as text, a line per row and one for the whole. Names are shown without what a terminal would act on. */
export function usageTable(report: UsageReport): string {
  const keys = report.groupBy as (keyof UsageRow)[]
  const header = [...keys, 'calls', 'hours', 'GB relayed', 'GB billed', report.currency]
  const figures = (row: Omit<UsageRow, 'call'>) => [
    String(row.calls),
    (row.seconds / 3600).toFixed(2),
    gigabytes(row.bytes),
    gigabytes(row.billableBytes),
    row.cost ?? 'unknown',
  ]
  const rows = report.rows.map((row) => [...keys.map((key) => printable(String(row[key] ?? ''))), ...figures(row)])
  const total = [...keys.map((_, i) => (i === 0 ? 'total' : '')), ...figures(report.total)]
  const table = alignedTable([header, ...rows, total], keys.length)
  const cut = report.truncated ? '\nMore rows were left out; the total has them all.' : ''
  return `${report.from.slice(0, 7)}, price "${report.price}"\n\n${table}${cut}`
}

/** 10^9 bytes. */
function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(6)
}
