/** What the columns of the report's tables are made of: medians over the rounds. */
import { QUIET_CORES } from '../measure/patience.ts'
import { median, spread } from '../measure/stats.ts'
import type { Measurement } from '../scenarios/measurement.ts'
import { fixed } from './table.ts'

export interface Column {
  readonly title: string
  cell(rows: Rows, all: ReadonlyMap<string, Rows>): string
}

export type Rows = readonly Measurement[]

export const isQuiet = ({ values }: Measurement) => (values.foreignCores ?? 0) <= QUIET_CORES

/** Windows that other load disturbed count only where there is no other. */
function usable(rows: Rows): Rows {
  const quiet = rows.filter(isQuiet)
  return quiet.length > 0 ? quiet : rows
}

export const values = (rows: Rows, key: string) =>
  rows.map((row) => row.values[key] ?? Number.NaN).filter(Number.isFinite)
export const middle = (rows: Rows, key: string) => median(values(usable(rows), key))

export const plain = (title: string, key: string, digits: number, scale = 1): Column => ({
  title,
  cell: (rows) => fixed(middle(rows, key) * scale, digits),
})

/** Median of the rounds' own ratios, both sides measured seconds apart; of the medians where no round has both undisturbed. */
export const ratioTo =
  (reference: string) =>
  (key: string, title = `x ${reference}`): Column => ({
    title,
    cell: (rows, all) => {
      const others = all.get(reference) ?? []
      const pairs = rows.filter(isQuiet).flatMap((row) => {
        const other = others.find((candidate) => candidate.round === row.round && isQuiet(candidate))?.values[key]
        const own = row.values[key]
        return other && own !== undefined ? [own / other] : []
      })
      return fixed(pairs.length > 0 ? median(pairs) : middle(rows, key) / middle(others, key), 2)
    },
  })

/** How far the rounds are apart. */
export const disagreement = (key: string): Column => ({
  title: '±',
  cell: (rows) => {
    const all = values(usable(rows), key)
    return all.length > 1 ? `${fixed(spread(all) * 100, 0)} %` : '–'
  },
})

/** Of all rounds together. */
export const sum = (title: string, ...keys: readonly string[]): Column => ({
  title,
  cell: (rows) => `${keys.flatMap((key) => values(rows, key)).reduce((total, value) => total + value, 0)}`,
})

export const quiet: Column = { title: 'quiet', cell: (rows) => `${rows.filter(isQuiet).length}/${rows.length}` }
