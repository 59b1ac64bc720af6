/** The tables of the relays. */
import { DIRECT } from '../scenarios/fleet.ts'
import { type Column, disagreement, middle, plain, quiet, ratioTo, sum } from './columns.ts'
import type { Tables } from './report.ts'
import { fixed } from './table.ts'

const ratio = ratioTo('coturn')

const added = (title: string, key: string): Column => ({
  title,
  cell: (rows, all) => fixed(middle(rows, key) - middle(all.get(DIRECT) ?? [], key), 0),
})

const bound: Column = {
  title: 'limit',
  cell: (rows) => (rows.some((row) => row.values.generatorBound === 1) ? 'generator' : 'relay'),
}

/** By scenario; ratios are to coturn. */
export const relayTables: Tables = {
  relay: [
    plain('CPU µs/packet', 'cpuUs', 2),
    ratio('cpuUs'),
    disagreement('cpuUs'),
    plain('loss %', 'loss', 3, 100),
    plain('p50 µs', 'p50', 0),
    plain('p99 µs', 'p99', 0),
    added('added p50', 'p50'),
    added('added p99', 'p99'),
    sum('wrong', 'duplicates', 'misrouted', 'corrupt'),
    plain('sent kpps', 'sentRate', 1, 1e-3),
    quiet,
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
    ratio('cpuUs', 'CPU x coturn'),
    plain('server cores', 'serverCpu', 2),
    plain('generator cores', 'generatorCpu', 2),
  ],
  memory: [
    plain('KB/allocation', 'perAllocation', 1, 1 / 1024),
    ratio('perAllocation'),
    plain('MB at start', 'before', 1, 1 / 2 ** 20),
  ],
}
