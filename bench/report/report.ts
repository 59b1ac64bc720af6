/** Medians over the rounds, one table per scenario and shape, ratios to coturn. */
import { QUIET_CORES } from '../measure/patience.ts'
import { median, spread } from '../measure/stats.ts'
import { DIRECT } from '../scenarios/fleet.ts'
import type { Measurement } from '../scenarios/measurement.ts'
import { fixed, table } from './table.ts'

const REFERENCE = 'coturn'

interface Column {
  readonly title: string
  cell(rows: Rows, all: ReadonlyMap<string, Rows>): string
}

type Rows = readonly Measurement[]

const isQuiet = ({ values }: Measurement) => (values.foreignCores ?? 0) <= QUIET_CORES

/** Windows that other load disturbed count only where there is no other. */
function usable(rows: Rows): Rows {
  const quiet = rows.filter(isQuiet)
  return quiet.length > 0 ? quiet : rows
}

const values = (rows: Rows, key: string) => rows.map((row) => row.values[key] ?? Number.NaN).filter(Number.isFinite)
const middle = (rows: Rows, key: string) => median(values(usable(rows), key))

const plain = (title: string, key: string, digits: number, scale = 1): Column => ({
  title,
  cell: (rows) => fixed(middle(rows, key) * scale, digits),
})

/** Median of the rounds' own ratios, both sides measured seconds apart; of the medians where no round has both undisturbed. */
const ratio = (key: string, title = `x ${REFERENCE}`): Column => ({
  title,
  cell: (rows, all) => {
    const reference = all.get(REFERENCE) ?? []
    const pairs = rows.filter(isQuiet).flatMap((row) => {
      const other = reference.find((candidate) => candidate.round === row.round && isQuiet(candidate))?.values[key]
      const own = row.values[key]
      return other && own !== undefined ? [own / other] : []
    })
    return fixed(pairs.length > 0 ? median(pairs) : middle(rows, key) / middle(reference, key), 2)
  },
})

const disagreement: Column = {
  title: '±',
  cell: (rows) => {
    const all = values(usable(rows), 'cpuUs')
    return all.length > 1 ? `${fixed(spread(all) * 100, 0)} %` : '–'
  },
}

const added = (title: string, key: string): Column => ({
  title,
  cell: (rows, all) => fixed(middle(rows, key) - middle(all.get(DIRECT) ?? [], key), 0),
})

const sum =
  (...keys: readonly string[]) =>
  (rows: Rows) =>
    `${keys.flatMap((key) => values(rows, key)).reduce((total, value) => total + value, 0)}`

const bound: Column = {
  title: 'limit',
  cell: (rows) => (rows.some((row) => row.values.generatorBound === 1) ? 'generator' : 'relay'),
}

const columns: Readonly<Record<string, readonly Column[]>> = {
  relay: [
    plain('CPU µs/packet', 'cpuUs', 2),
    ratio('cpuUs'),
    disagreement,
    plain('loss %', 'loss', 3, 100),
    plain('p50 µs', 'p50', 0),
    plain('p99 µs', 'p99', 0),
    added('added p50', 'p50'),
    added('added p99', 'p99'),
    { title: 'wrong', cell: sum('duplicates', 'misrouted', 'corrupt') },
    plain('sent kpps', 'sentRate', 1, 1e-3),
    { title: 'quiet', cell: (rows) => `${rows.filter(isQuiet).length}/${rows.length}` },
  ],
  capacity: [
    plain('kpps', 'best', 1, 1e-3),
    ratio('best'),
    plain('CPU µs/packet', 'cpuUs', 2),
    plain('p99 µs', 'p99', 0),
    bound,
  ],
  binding: [
    plain('k requests/s', 'best', 1, 1e-3),
    ratio('best'),
    plain('CPU µs/request', 'cpuUs', 2),
    plain('p99 µs', 'p99', 0),
    bound,
  ],
  setup: [
    plain('allocations/s', 'perSecond', 0),
    ratio('perSecond'),
    plain('CPU µs/allocation', 'cpuUs', 0),
    ratio('cpuUs', `CPU x ${REFERENCE}`),
    plain('server cores', 'serverCpu', 2),
    plain('generator cores', 'generatorCpu', 2),
  ],
  memory: [
    plain('KB/allocation', 'perAllocation', 1, 1 / 1024),
    ratio('perAllocation'),
    plain('MB at start', 'before', 1, 1 / 2 ** 20),
  ],
}

/** @param order names of the contenders as the tables list them. */
export function report(measurements: Rows, order: readonly string[]): string {
  const parts = [...groupBy(measurements, ({ scenario, shape }) => `${scenario}: ${shape}`)].map(([title, rows]) => {
    const all = groupBy(rows, ({ contender }) => contender)
    const shown = columns[rows[0]!.scenario]!
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
