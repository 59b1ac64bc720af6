/** The report of the signaling servers. */
import { disagreement, plain, quiet, ratioTo, sum } from '../report/columns.ts'
import type { Tables } from '../report/report.ts'

const ratio = ratioTo('ws')
const MB = 1 / 2 ** 20

const load = [plain('server cores', 'serverCores', 2), plain('generator cores', 'generatorCores', 2), quiet]

/** By scenario; ratios are to bare `ws`. */
export const signalingTables: Tables = {
  idle: [
    plain('held', 'held', 0),
    plain('KB resident each', 'rss', 1, 1 / 1024),
    ratio('rss'),
    plain('KB heap each', 'heap', 1, 1 / 1024),
    ratio('heap'),
    plain('KB with garbage', 'running', 1, 1 / 1024),
    plain('joins/s', 'perSecond', 0),
    plain('CPU µs/join', 'cpuUs', 0),
  ],
  messages: [
    plain('messages/s', 'perSecond', 0),
    ratio('perSecond'),
    disagreement('perSecond'),
    plain('CPU µs/message', 'cpuUs', 1),
    ratio('cpuUs', 'CPU x ws'),
    sum('lost', 'lost'),
    sum('wrong', 'wrong'),
    ...load,
  ],
  delivery: [
    plain('p50 µs', 'p50', 0),
    plain('p99 µs', 'p99', 0),
    ratio('p99'),
    plain('CPU µs/message', 'cpuUs', 1),
    ratio('cpuUs', 'CPU x ws'),
    sum('lost', 'lost'),
    sum('wrong', 'wrong'),
    ...load,
  ],
  slow: [
    plain('MB offered', 'offeredMB', 0),
    plain('MB more resident', 'growth', 0, MB),
    plain('p99 µs before', 'p99Before', 0),
    plain('during', 'p99During', 0),
    plain('worst', 'maxDuring', 0),
    sum('lost', 'lost'),
    sum('wrong', 'wrong'),
  ],
  flood: [
    plain('k offered', 'flooded', 0, 1e-3),
    plain('thrown out', 'thrownOut', 0),
    plain('MB more resident', 'growth', 0, MB),
    plain('p99 µs before', 'p99Before', 0),
    plain('during', 'p99During', 0),
    plain('worst', 'maxDuring', 0),
    sum('lost', 'lost'),
    sum('wrong', 'wrong'),
  ],
  crowd: [
    plain('s until all joined', 'joinSeconds', 1),
    plain('MB for one more', 'listBytes', 0, MB),
    plain('server CPU ms', 'listCpuMs', 0),
    plain('ms until all have it', 'listMs', 0),
  ],
}
