/** The end of a relay that lets its calls end first. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '@hairpin/config'
import type { FastifyBaseLogger } from 'fastify'
import type { RelayEngine } from './engine.ts'

/** Milliseconds between two looks at what is left. */
const INTERVAL = 200
/** Seconds to end what is left, within which everything else is closed too. */
const REST = 8

/** Seconds that the whole stop may take: what a supervisor must allow for more than the drain. */
export function stopSeconds({ turn }: Pick<Config, 'turn'>): number {
  return Math.max(15, turn.drain.seconds + REST)
}

/** Resolves when no allocation is left or the time is over. */
export async function drainEngine(
  engine: Pick<RelayEngine, 'drain' | 'snapshot'>,
  { seconds, alternates }: Config['turn']['drain'],
  logger: FastifyBaseLogger,
): Promise<void> {
  const alternate = (family: 4 | 6) => alternates.find((candidate) => candidate.family === family)
  engine.drain({ alternate: { 4: alternate(4), 6: alternate(6) } })
  const until = performance.now() + seconds * 1000
  let left = await liveAllocations(engine)
  if (seconds > 0) logger.info({ allocations: left, seconds }, 'relay drains')
  while (left > 0 && performance.now() < until) {
    await sleep(INTERVAL)
    left = await liveAllocations(engine)
  }
  logger.info({ allocations: left }, left > 0 ? 'relay stops and ends what is left' : 'relay stops, nothing is left')
}

async function liveAllocations(engine: Pick<RelayEngine, 'snapshot'>): Promise<number> {
  const gauges = (await engine.snapshot()).filter(({ name }) => name === 'hairpin_allocations')
  return gauges.reduce((sum, { value }) => sum + value, 0)
}
