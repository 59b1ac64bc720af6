/**
 * How V8 collects what a relay worker leaves behind: an object and a buffer for each packet, which nothing keeps. Read by
 * isolates that start afterwards.
 *
 * Left alone, V8 gives such a thread a young generation of 1 to 3 MB and collects it ten times a second with helper
 * threads, for which the worker waits: where the cores are busy, longer than the collection takes. A larger one is collected
 * less often at the same price, as what survives is as little; and alone it is done sooner (docs/BENCH.md has the figures).
 */
import { setFlagsFromString } from 'node:v8'

export function collectGarbageForPackets(): void {
  setFlagsFromString('--min-semi-space-size=16')
  setFlagsFromString('--no-parallel-scavenge')
}
