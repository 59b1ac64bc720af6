import { expect, it } from 'vitest'
import { type Delivery, WebhookQueue } from '../../src/budgets/webhook-queue.ts'

const T0 = Date.UTC(2026, 2, 10)
const delivery = (id: string, dueAt = T0): Delivery => ({ id, app: 'a', body: '{}', createdAt: T0, attempts: 0, dueAt })
const ids = (list: readonly Delivery[]) => list.map(({ id }) => id)

it('gives what is due once, oldest first, and only so many at a time', () => {
  const queue = new WebhookQueue()
  for (const id of ['1', '2', '3']) queue.add(delivery(id))
  expect(ids(queue.take(T0 - 1, 2))).toEqual([])
  const [first] = queue.take(T0, 2)
  expect(ids(queue.take(T0, 2))).toEqual([])
  queue.delivered(first!)
  expect(ids(queue.take(T0, 2))).toEqual(['3'])
  expect(ids(queue.list())).toEqual(['2', '3'])
})

it('waits longer after each failure and gives up after a day', () => {
  const queue = new WebhookQueue()
  queue.add(delivery('1'))
  const waits: number[] = []
  for (let now = T0; ; ) {
    const again = queue.failed(queue.take(now, 1)[0]!, now)
    if (again === undefined) break
    expect(queue.nextDue).toBe(again)
    expect(queue.take(again - 1, 1)).toEqual([])
    waits.push((again - now) / 1000)
    now = again
  }
  expect(waits.slice(0, 8)).toEqual([1, 5, 30, 120, 600, 3600, 3600, 3600])
  expect(waits).toHaveLength(29)
  expect(queue.size).toBe(0)
  expect(queue.nextDue).toBe(Number.POSITIVE_INFINITY)
})

it('is bounded: the oldest that is not under way goes', () => {
  const queue = new WebhookQueue(2)
  queue.add(delivery('1'))
  queue.take(T0, 1)
  expect(queue.add(delivery('2'))).toBeUndefined()
  expect(queue.add(delivery('3'))?.id).toBe('2')
  expect(ids(queue.list())).toEqual(['1', '3'])
})
