/** A short soak of a real relay; `node scripts/run.mjs soak` is the long one. */
import { expect, test } from 'vitest'
import { runLive } from '../soak/live.ts'

test('when calls over UDP, TCP and TLS have ended, well or badly, neither allocation nor socket is left', async () => {
  const result = await runLive({ seconds: 5, clients: 20 })
  expect(result.failures).toEqual([])
  expect(result.calls).toBeGreaterThan(20)
  expect(result.echoed).toBe(result.sent)
  expect(result.peak.allocations).toBeGreaterThanOrEqual(10)
  expect(result.peak.descriptors).toBeGreaterThan(result.before.descriptors)
  expect(result.after.allocations).toBe(0)
  expect(result.after.descriptors).toBeLessThanOrEqual(result.before.descriptors)
}, 120_000)
