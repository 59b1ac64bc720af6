import { describe, expect, it } from 'vitest'
import { PushBook, type PushChange } from '../../src/core/push-book.ts'

const limits = { pushEndpoints: 2, missedCalls: 2, pushTotal: 3 }
const endpoint = (address: string) => ({ kind: 'fcm' as const, address })
const call = (callId: string) => ({ callId, name: 'anna', date: 0 })

describe('the book of push endpoints', () => {
  it('keeps the newest of a user, and of all', () => {
    const changes: PushChange[] = []
    const book = new PushBook(limits, undefined, (change) => changes.push(change))
    for (const address of ['a1', 'a2', 'a3']) book.register('a', endpoint(address), 2)
    expect(book.endpointsOf('a').map(({ address }) => address)).toEqual(['a2', 'a3'])
    book.register('b', endpoint('b1'), 2)
    book.register('c', endpoint('c1'), 2)
    expect(['a', 'b', 'c'].map((user) => book.endpointsOf(user).length)).toEqual([1, 1, 1])
    expect(changes.flatMap((change) => (change.kind === 'drop' ? [change.address] : []))).toEqual(['a1', 'a2'])
  })

  it('gives an address to its last registrant', () => {
    const book = new PushBook(limits, undefined, () => undefined)
    book.register('a', endpoint('x'), 2)
    book.register('b', endpoint('x'), 2)
    expect([book.owner('x'), book.endpointsOf('a').length, book.endpointsOf('b').length]).toEqual(['b', 0, 1])
  })

  it('tells the last missed calls, once', () => {
    const book = new PushBook(limits, { endpoints: [], missed: [{ user: 'a', call: call('c0') }] }, () => undefined)
    for (const id of ['c1', 'c2']) book.miss('a', call(id))
    expect(book.takeMissed('a').map(({ callId }) => callId)).toEqual(['c1', 'c2'])
    expect(book.takeMissed('a')).toEqual([])
  })

  it('remembers nothing anew of what it is given at the start', () => {
    const changes: PushChange[] = []
    new PushBook(limits, { endpoints: [{ user: 'a', endpoint: endpoint('x') }], missed: [] }, (one) =>
      changes.push(one),
    )
    expect(changes).toEqual([])
  })
})
