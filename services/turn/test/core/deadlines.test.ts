import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Deadlines, type Timed } from '../../src/core/deadlines.ts'
import { EndpointMap } from '../../src/core/endpoint-map.ts'

test('items come out in order of their deadlines, however they were set, moved and removed', () => {
  const step = fc.record({
    item: fc.nat(19),
    action: fc.constantFrom('set', 'set', 'remove'),
    at: fc.nat(1000),
  } as const)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const items = Array.from({ length: 20 }, (): Timed => ({ expiresAt: 0, heapIndex: -1 }))
      const model = new Map<Timed, number>()
      const deadlines = new Deadlines<Timed>()
      for (const { item, action, at } of steps) {
        const target = items[item]!
        if (action === 'remove') {
          deadlines.remove(target)
          model.delete(target)
        } else {
          deadlines.set(target, at)
          model.set(target, at)
        }
        expect(deadlines.size).toBe(model.size)
        expect(deadlines.next).toBe(Math.min(Number.POSITIVE_INFINITY, ...model.values()))
      }
      const order: number[] = []
      for (let item = deadlines.take(1000); item; item = deadlines.take(1000)) {
        expect(item.heapIndex).toBe(-1)
        order.push(item.expiresAt)
      }
      expect(order).toEqual([...model.values()].sort((a, b) => a - b))
    }),
  )
})

test('nothing is taken before its time', () => {
  const deadlines = new Deadlines<Timed>()
  deadlines.set({ expiresAt: 0, heapIndex: -1 }, 10)
  expect(deadlines.take(9)).toBeUndefined()
  expect(deadlines.take(10)).toBeDefined()
})

test('an endpoint map tells ports and addresses apart and forgets what is deleted', () => {
  const map = new EndpointMap<string>()
  map.set('1.1.1.1', 1, 'a')
  map.set('1.1.1.1', 2, 'b')
  map.set('1.1.1.2', 1, 'c')
  map.set('1.1.1.2', 1, 'd')
  expect([map.size, map.get('1.1.1.1', 1), map.get('1.1.1.1', 2), map.get('1.1.1.2', 1)]).toEqual([3, 'a', 'b', 'd'])
  map.delete('1.1.1.1', 1)
  map.delete('1.1.1.1', 1)
  map.delete('9.9.9.9', 9)
  expect([map.size, map.get('1.1.1.1', 1), map.get('1.1.1.2', 1)]).toEqual([2, undefined, 'd'])
})
