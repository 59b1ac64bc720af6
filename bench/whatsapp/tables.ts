/** The report of the bridges. */
import { type Column, disagreement, middle, plain, quiet, sum } from '../report/columns.ts'
import type { Tables } from '../report/report.ts'
import { fixed } from '../report/table.ts'
import { DIRECT } from '../scenarios/fleet.ts'

const MB = 1 / 2 ** 20

const added = (title: string, key: string): Column => ({
  title,
  cell: (rows, all) => fixed((middle(rows, key) - middle(all.get(DIRECT) ?? [], key)) / 1e3, 2),
})

export const whatsappTables: Tables = {
  bridge: [
    plain('CPU % of a core', 'cpuShare', 1, 100),
    disagreement('cpuShare'),
    plain('CPU µs/packet', 'cpuUs', 1),
    plain('calls on a core', 'callsPerCore', 0),
    plain('MB for each call', 'perCall', 2, MB),
    plain('MB at start', 'before', 0, MB),
    plain('p50 ms', 'p50', 2, 1e-3),
    plain('p99 ms', 'p99', 2, 1e-3),
    added('added p50', 'p50'),
    added('added p99', 'p99'),
    plain('loss %', 'loss', 3, 100),
    sum('wrong', 'wrong'),
    plain('generator cores', 'generatorCores', 2),
    quiet,
  ],
}
