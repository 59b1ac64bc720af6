import { expect, test } from 'vitest'
import { runCompressed } from './compressed.ts'

/** Bytes that may come and go between two collections. */
const TOLERANCE = 2 * 1024 * 1024

test('half an hour of clients that come, move, go and vanish leaves nothing, and memory stays flat', () => {
  const result = runCompressed({ seconds: 1800, clients: 200, seed: 1 })
  expect(result.clients).toBeGreaterThan(500)
  expect(result.peak).toBeGreaterThan(150)
  expect(result.relayed).toBeGreaterThan(1000)
  for (const reason of ['deleted', 'expired', 'disconnected']) expect(result.ends[reason]).toBeGreaterThan(10)
  expect(result.left).toEqual({ allocations: 0, sockets: 0, ports: 0, quota: 0 })
  expect(result.idle).toBe(true)
  // The first sixth is for filling up: clients arrive, code is compiled.
  const [, settled, ...later] = result.memory
  expect(Math.max(...later) - settled!).toBeLessThan(TOLERANCE)
}, 60_000)
