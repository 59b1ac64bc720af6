import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CallBook, type EndedCall, other } from '../src/core/call.ts'

function book(ringMs = 60_000) {
  let n = 0
  return new CallBook(ringMs, () => `call${++n}`)
}

describe('a call', () => {
  it('rings, connects and ends with a hang-up', () => {
    const calls = book()
    expect(calls.offer('a', 'b', 0)).toMatchObject({ kind: 'ring', call: { id: 'call1', caller: 'a', callee: 'b' } })
    expect(calls.answer('b', 'a', 1500)).toMatchObject({ setupMs: 1500 })
    expect(calls.hangUp('b')).toMatchObject({ reason: 'hang-up', by: 'b' })
    expect(calls.count()).toEqual({ ringing: 0, connected: 0 })
  })

  it('is cancelled by its caller, and rejected by its callee, before the answer', () => {
    const calls = book()
    calls.offer('a', 'b', 0)
    expect(calls.reject('a', 'b')).toBeUndefined()
    expect(calls.hangUp('a', 'b')?.reason).toBe('cancelled')
    calls.offer('a', 'b', 0)
    expect(calls.reject('b', 'a')?.reason).toBe('rejected')
    calls.offer('a', 'b', 0)
    expect(calls.hangUp('b')?.reason).toBe('rejected')
  })

  it('is not answered by its caller, by a third party, or twice as a new one', () => {
    const calls = book()
    calls.offer('a', 'b', 0)
    expect(calls.answer('a', 'b', 1)).toBeUndefined()
    expect(calls.answer('c', 'a', 1)).toBeUndefined()
    expect(calls.answer('b', 'a', 1)?.setupMs).toBe(1)
    expect(calls.answer('b', 'a', 2)).toMatchObject({ setupMs: undefined })
  })

  it('leaves a busy callee alone', () => {
    const calls = book()
    calls.offer('a', 'b', 0)
    expect(calls.offer('c', 'b', 0).kind).toBe('busy')
    expect(calls.offer('c', 'a', 0).kind).toBe('busy')
    expect(calls.of('c')).toBeUndefined()
  })

  it('renegotiates when a party of a connected call offers again', () => {
    const calls = book()
    calls.offer('a', 'b', 0)
    expect(calls.offer('a', 'b', 1).kind).toBe('renegotiate')
    calls.answer('b', 'a', 2)
    expect(calls.offer('b', 'a', 3).kind).toBe('renegotiate')
  })

  it('stands when the callee offers at the same moment', () => {
    const calls = book()
    calls.offer('a', 'b', 0)
    expect(calls.offer('b', 'a', 0)).toMatchObject({ kind: 'glare', call: { caller: 'a' } })
  })

  it('is left when its party calls somebody else', () => {
    const calls = book()
    calls.offer('a', 'b', 0)
    calls.answer('b', 'a', 1)
    expect(calls.offer('a', 'c', 2)).toMatchObject({ kind: 'ring', left: { reason: 'hang-up', by: 'a' } })
    expect(calls.of('b')).toBeUndefined()
  })

  it('ignores a late hang-up that names somebody else', () => {
    const calls = book()
    calls.offer('a', 'c', 0)
    expect(calls.hangUp('a', 'b')).toBeUndefined()
    expect(calls.of('a')).toBeDefined()
  })

  it('ends unanswered after the ring time, and not after the answer', () => {
    const calls = book(60_000)
    calls.offer('a', 'b', 0)
    calls.offer('c', 'd', 10)
    calls.answer('d', 'c', 20)
    expect(calls.nextDeadline()).toBe(60_000)
    expect(calls.expire(59_999)).toEqual([])
    expect(calls.expire(60_000)).toMatchObject([{ reason: 'no-answer', by: undefined, call: { caller: 'a' } }])
    expect(calls.expire(1e9)).toEqual([])
    expect(calls.nextDeadline()).toBeUndefined()
  })
})

describe('any interleaving of any operations', () => {
  const party = fc.constantFrom('a', 'b', 'c', 'd')
  const operation = fc.record({
    kind: fc.constantFrom('offer', 'answer', 'reject', 'hangUp', 'hangUpNull', 'disconnect', 'wait'),
    from: party,
    to: party,
    ms: fc.nat(40_000),
  })

  it('leaves every party in at most one call, both sides agreeing, and ends each call exactly once', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const calls = book(60_000)
        const begun = new Set<string>()
        const ended = new Set<string>()
        const note = (end: EndedCall | undefined) => {
          if (end === undefined) return
          expect(begun.has(end.call.id)).toBe(true)
          expect(ended.has(end.call.id)).toBe(false)
          ended.add(end.call.id)
        }
        let now = 0
        for (const { kind, from, to, ms } of operations) {
          now += ms
          for (const end of calls.expire(now)) note(end)
          if (kind === 'offer' && from !== to) {
            const result = calls.offer(from, to, now)
            if ('left' in result) note(result.left)
            if (result.kind === 'ring') begun.add(result.call.id)
          }
          if (kind === 'answer') calls.answer(from, to, now)
          if (kind === 'reject') note(calls.reject(from, to))
          if (kind === 'hangUp') note(calls.hangUp(from, to))
          if (kind === 'hangUpNull') note(calls.hangUp(from))
          if (kind === 'disconnect') note(calls.disconnect(from))
          const live = new Set<string>()
          for (const one of ['a', 'b', 'c', 'd']) {
            const call = calls.of(one)
            if (call === undefined) continue
            live.add(call.id)
            expect(calls.of(other(call, one))).toBe(call)
            expect(other(call, one)).not.toBe(one)
            if (!call.answered) expect(now - call.offeredAt).toBeLessThan(60_000)
          }
          const { ringing, connected } = calls.count()
          expect(ringing + connected).toBe(live.size)
          expect(begun.size).toBe(ended.size + live.size)
        }
        for (const one of ['a', 'b', 'c', 'd']) note(calls.disconnect(one))
        expect(ended).toEqual(begun)
        expect(calls.nextDeadline()).toBeUndefined()
      }),
      { numRuns: 2000 },
    )
  })
})
