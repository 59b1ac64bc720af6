import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Leftovers } from '../src/leftovers.ts'

let asked: { at: number; ids: readonly string[] }[]
let reachable: string[]
let leftovers: Leftovers

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
  asked = []
  reachable = []
  leftovers = new Leftovers({
    end: async (ids) => {
      asked.push({ at: Date.now() / 1000, ids })
      return ids.filter((id) => !reachable.includes(id))
    },
  })
})
afterEach(() => {
  leftovers.close()
  vi.useRealTimers()
})

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000)

it('asks again for what is left until nothing is, with pauses that grow', async () => {
  reachable = ['a']
  leftovers.begin(['a', 'b', 'c'])
  await pass(5)
  expect(asked).toEqual([
    { at: 0, ids: ['a', 'b', 'c'] },
    { at: 5, ids: ['b', 'c'] },
  ])
  await pass(75)
  expect(asked.slice(2).map(({ at }) => at)).toEqual([15, 35, 75])
  reachable = ['a', 'b', 'c']
  await pass(80)
  expect([asked.at(-1)?.at, leftovers.size]).toEqual([155, 0])
  await pass(7200)
  expect(asked.at(-1)?.at).toBe(155)
})

it('waits no longer than five minutes, gives up after an hour, and leaves the rest to the next start', async () => {
  leftovers.begin(['a'])
  await pass(7200)
  const times = asked.map(({ at }) => at)
  const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0))
  expect(Math.max(...pauses)).toBe(300)
  expect(times.at(-1)).toBeGreaterThan(3000)
  expect(times.at(-1)).toBeLessThanOrEqual(3600)
  expect([leftovers.size, vi.getTimerCount()]).toEqual([1, 0])
})

it('asks nobody where nothing was left, and no more once it is closed', async () => {
  leftovers.begin([])
  await pass(10)
  expect(asked).toEqual([])
  leftovers.begin(['a'])
  await pass(1)
  leftovers.close()
  await pass(60)
  expect(asked).toHaveLength(1)
})
