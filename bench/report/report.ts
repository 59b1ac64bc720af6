/** One table per scenario and shape, and how noisy the machine was. */
import { QUIET_CORES } from '../measure/patience.ts'
import { median } from '../measure/stats.ts'
import { DIRECT } from '../scenarios/fleet.ts'
import { type Column, type Rows, values } from './columns.ts'
import { fixed, table } from './table.ts'

/** The columns of each scenario. */
export type Tables = Readonly<Record<string, readonly Column[]>>

/** @param order names of the contenders as the tables list them. */
export function report(measurements: Rows, order: readonly string[], tables: Tables): string {
  const parts = [...groupBy(measurements, ({ scenario, shape }) => `${scenario}: ${shape}`)].map(([title, rows]) => {
    const all = groupBy(rows, ({ contender }) => contender)
    const shown = tables[rows[0]!.scenario]!
    const names = [...order, DIRECT].filter((name) => all.has(name))
    const body = names.map((name) => [name, ...shown.map((column) => column.cell(all.get(name)!, all))])
    return `${title}\n\n${table(['', ...shown.map(({ title }) => title)], body)}`
  })
  const noise = noiseOf(measurements)
  return [...parts, ...(noise ? [noise] : [])].join('\n\n')
}

function noiseOf(measurements: Rows): string | undefined {
  const foreign = values(measurements, 'foreignCores')
  const disturbed = foreign.filter((cores) => cores > QUIET_CORES).length
  const stolen = values(measurements, 'stolenCores')
  if (foreign.length === 0) return undefined
  return (
    `Noise: ${disturbed} of ${foreign.length} windows with more than ${QUIET_CORES} cores of other load on the machine ` +
    `(median ${fixed(median(foreign), 2)}, worst ${fixed(Math.max(...foreign), 2)}); ` +
    `stolen by the hypervisor: median ${fixed(median(stolen), 3)} cores.`
  )
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}
