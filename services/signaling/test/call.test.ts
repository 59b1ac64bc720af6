import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CallBook, type EndedCall, otherSide, peersOf } from '../src/core/call.ts'

function book(ringMs = 60_000) {
  let n = 0
  return new CallBook(ringMs, () => `call${++n}`)
}

/** `a1` is the first device of user `a`. */
const from = (device: string) => ({ device, user: device.charAt(0), name: device.charAt(0) })
const to = (...devices: string[]) => {
  const user = devices[0]?.charAt(0) ?? ''
  return { user, name: user, devices }
}

describe('a call', () => {
  it('rings, connects and ends with a hang-up', () => {
    const calls = book()
    expect(calls.offer(from('a1'), to('b1'), 0)).toMatchObject({ kind: 'ring', call: { id: 'call1' } })
    expect(calls.answer('b1', 'a', 1500)).toMatchObject({ setupMs: 1500, elsewhere: [] })
    expect(calls.hangUp('b1')).toMatchObject({ reason: 'hang-up', by: 'b1', devices: ['a1', 'b1'] })
    expect(calls.count()).toEqual({ ringing: 0, connected: 0 })
  })

  it('is cancelled by its caller, and rejected by its callee, before the answer', () => {
    const calls = book()
    calls.offer(from('a1'), to('b1'), 0)
    expect(calls.reject('a1', 'b')).toBeUndefined()
    expect(calls.hangUp('a1', 'b')?.reason).toBe('cancelled')
    calls.offer(from('a1'), to('b1'), 0)
    expect(calls.reject('b1', 'a')?.reason).toBe('rejected')
    calls.offer(from('a1'), to('b1'), 0)
    expect(calls.hangUp('b1')?.reason).toBe('rejected')
  })

  it('is not answered by its caller, by a third party, or twice as a new one', () => {
    const calls = book()
    calls.offer(from('a1'), to('b1'), 0)
    expect(calls.answer('a1', 'b', 1)).toBeUndefined()
    expect(calls.answer('c1', 'a', 1)).toBeUndefined()
    expect(calls.answer('b1', 'a', 1)?.setupMs).toBe(1)
    expect(calls.answer('b1', 'a', 2)).toMatchObject({ setupMs: undefined })
  })

  it('leaves a busy callee alone', () => {
    const calls = book()
    calls.offer(from('a1'), to('b1'), 0)
    expect(calls.offer(from('c1'), to('b1'), 0).kind).toBe('busy')
    expect(calls.offer(from('c1'), to('a1'), 0).kind).toBe('busy')
    expect(calls.of('c1')).toBeUndefined()
  })

  it('renegotiates when a party of a connected call offers again', () => {
    const calls = book()
    calls.offer(from('a1'), to('b1'), 0)
    expect(calls.offer(from('a1'), to('b1'), 1).kind).toBe('renegotiate')
    calls.answer('b1', 'a', 2)
    expect(calls.offer(from('b1'), to('a1'), 3).kind).toBe('renegotiate')
  })

  it('stands when the callee offers at the same moment', () => {
    const calls = book()
    calls.offer(from('a1'), to('b1'), 0)
    expect(calls.offer(from('b1'), to('a1'), 0)).toMatchObject({ kind: 'glare', call: { caller: { user: 'a' } } })
  })

  it('is left when its party calls somebody else', () => {
    const calls = book()
    calls.offer(from('a1'), to('b1'), 0)
    calls.answer('b1', 'a', 1)
    expect(calls.offer(from('a1'), to('c1'), 2)).toMatchObject({ kind: 'ring', left: { reason: 'hang-up', by: 'a1' } })
    expect(calls.of('b1')).toBeUndefined()
  })

  it('ignores a late hang-up that names somebody else', () => {
    const calls = book()
    calls.offer(from('a1'), to('c1'), 0)
    expect(calls.hangUp('a1', 'b')).toBeUndefined()
    expect(calls.of('a1')).toBeDefined()
  })

  it('ends unanswered after the ring time, and not after the answer', () => {
    const calls = book(60_000)
    calls.offer(from('a1'), to('b1'), 0)
    calls.offer(from('c1'), to('d1'), 10)
    calls.answer('d1', 'c', 20)
    expect(calls.nextDeadline()).toBe(60_000)
    expect(calls.expire(59_999)).toEqual([])
    expect(calls.expire(60_000)).toMatchObject([{ reason: 'no-answer', by: undefined, devices: ['a1', 'b1'] }])
    expect(calls.expire(1e9)).toEqual([])
    expect(calls.nextDeadline()).toBeUndefined()
  })
})

describe('a call to a user with several devices', () => {
  it('rings on all of them, and the first answer wins', () => {
    const calls = book()
    calls.offer(from('a1'), to('b1', 'b2', 'b3'), 0)
    const call = calls.of('b3')
    expect(call && peersOf(call, 'a1')).toEqual(['b1', 'b2', 'b3'])
    expect(calls.answer('b2', 'a', 5)).toMatchObject({ setupMs: 5, elsewhere: ['b1', 'b3'] })
    expect(call && peersOf(call, 'a1')).toEqual(['b2'])
    expect(calls.answer('b1', 'a', 6)).toBeUndefined()
    expect(calls.of('b3')).toBeUndefined()
    expect(calls.hangUp('b2')?.devices).toEqual(['a1', 'b2'])
  })

  it('is declined on all of them by one, and cancelled on all by the caller', () => {
    const calls = book()
    calls.offer(from('a1'), to('b1', 'b2'), 0)
    expect(calls.reject('b2', 'a')).toMatchObject({ reason: 'rejected', by: 'b2', devices: ['a1', 'b1', 'b2'] })
    calls.offer(from('a1'), to('b1', 'b2'), 0)
    expect(calls.hangUp('a1')).toMatchObject({ reason: 'cancelled', devices: ['a1', 'b1', 'b2'] })
  })

  it('goes on while one of them is left, and rings on those that come late', () => {
    const calls = book()
    calls.offer(from('a1'), to('b1', 'b2'), 0)
    expect(calls.disconnect('b1')).toBeUndefined()
    expect(calls.join('b3', 'b')?.id).toBe('call1')
    expect(calls.disconnect('b2')).toBeUndefined()
    expect(calls.disconnect('b3')).toMatchObject({ reason: 'disconnected' })
    calls.offer(from('a1'), to('b1', 'b2'), 0)
    calls.answer('b1', 'a', 1)
    expect(calls.join('b3', 'b')).toBeUndefined()
    expect(calls.join('a2', 'a')).toBeUndefined()
  })

  it('makes the whole user busy, but leaves its other devices free to call', () => {
    const calls = book()
    calls.offer(from('a1'), to('b1', 'b2'), 0)
    calls.answer('b1', 'a', 1)
    expect(calls.offer(from('c1'), to('b1', 'b2'), 2).kind).toBe('busy')
    expect(calls.offer(from('a2'), to('b1', 'b2'), 2).kind).toBe('busy')
    expect(calls.offer(from('b2'), to('c1'), 2)).toMatchObject({ kind: 'ring', left: undefined })
    expect(calls.count()).toEqual({ ringing: 1, connected: 1 })
  })
})

describe('any interleaving of any operations', () => {
  const everyDevice = ['a1', 'b1', 'b2', 'c1', 'c2', 'c3'] as const
  const operation = fc.record({
    kind: fc.constantFrom('offer', 'answer', 'reject', 'hangUp', 'hangUpNull', 'leave', 'come', 'wait'),
    device: fc.constantFrom(...everyDevice),
    user: fc.constantFrom('a', 'b', 'c'),
    ms: fc.nat(40_000),
  })

  it('leaves every device in at most one call, all sides agreeing, and ends each call exactly once', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
        const calls = book(60_000)
        const here = new Set<string>(['a1', 'b1', 'b2', 'c1'])
        const devicesOf = (user: string) => [...here].filter((device) => device.startsWith(user))
        const begun = new Set<string>()
        const ended = new Set<string>()
        const answeredBy = new Map<string, string>()
        const note = (end: EndedCall | undefined) => {
          if (end === undefined) return
          expect(begun.has(end.call.id)).toBe(true)
          expect(ended.has(end.call.id)).toBe(false)
          ended.add(end.call.id)
        }
        let now = 0
        for (const { kind, device, user, ms } of operations) {
          now += ms
          for (const end of calls.expire(now)) note(end)
          const present = here.has(device)
          if (kind === 'come' && !present) {
            here.add(device)
            calls.join(device, device.charAt(0))
          }
          if (kind === 'leave' && present) {
            here.delete(device)
            note(calls.disconnect(device))
          }
          if (kind === 'offer' && present && !device.startsWith(user) && devicesOf(user).length > 0) {
            const result = calls.offer(from(device), to(...devicesOf(user)), now)
            if ('left' in result) note(result.left)
            if (result.kind === 'ring') begun.add(result.call.id)
          }
          if (kind === 'answer') {
            const answered = calls.answer(device, user, now)
            if (answered?.setupMs !== undefined) {
              expect(answeredBy.has(answered.call.id)).toBe(false)
              answeredBy.set(answered.call.id, device)
            }
          }
          if (kind === 'reject') note(calls.reject(device, user))
          if (kind === 'hangUp') note(calls.hangUp(device, user))
          if (kind === 'hangUpNull') note(calls.hangUp(device))

          const live = new Set<string>()
          for (const one of everyDevice) {
            const call = calls.of(one)
            if (call === undefined) continue
            expect(here.has(one)).toBe(true)
            live.add(call.id)
            expect(otherSide(call, one).user).not.toBe(one.charAt(0))
            const peers = peersOf(call, one)
            expect(peers.length).toBeGreaterThan(0)
            for (const peer of peers) expect(calls.of(peer)).toBe(call)
            expect(call.answeredBy).toBe(answeredBy.get(call.id))
            if (call.answeredBy === undefined) {
              expect(now - call.offeredAt).toBeLessThan(60_000)
              expect([...call.ringing].sort()).toEqual(devicesOf(call.callee.user).sort())
            } else {
              expect(call.ringing.size).toBe(0)
              expect([call.caller.device, call.answeredBy]).toContain(one)
            }
          }
          const { ringing, connected } = calls.count()
          expect(ringing + connected).toBe(live.size)
          expect(begun.size).toBe(ended.size + live.size)
        }
        for (const one of here) note(calls.disconnect(one))
        expect(ended).toEqual(begun)
        expect(calls.count()).toEqual({ ringing: 0, connected: 0 })
        expect(calls.nextDeadline()).toBeUndefined()
      }),
      { numRuns: 3000 },
    )
  })
})
