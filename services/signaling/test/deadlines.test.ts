import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deadlines } from '../src/core/deadlines.ts'

describe('deadlines', () => {
  it('give the earliest first, whatever was set, changed and deleted', () => {
    const step = fc.record({
      do: fc.constantFrom('set', 'set', 'set', 'delete', 'take'),
      item: fc.nat(20),
      at: fc.nat(100),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const deadlines = new Deadlines<number>()
        const model = new Map<number, number>()
        for (const { do: action, item, at } of steps) {
          if (action === 'set') {
            deadlines.set(item, at)
            model.set(item, at)
          } else if (action === 'delete') {
            deadlines.delete(item)
            model.delete(item)
          } else {
            const taken = deadlines.take(at)
            const earliest = Math.min(...model.values())
            if (earliest > at) expect(taken).toBeUndefined()
            else {
              expect(model.get(taken as number)).toBe(earliest)
              model.delete(taken as number)
            }
          }
          expect(deadlines.size).toBe(model.size)
          expect(deadlines.next()).toBe(model.size === 0 ? undefined : Math.min(...model.values()))
        }
      }),
      { numRuns: 1000 },
    )
  })
})
