import { expect, it } from 'vitest'
import { type Counted, UsageFeed } from '../../src/ledger/feed.ts'
import { T0 } from './helpers.ts'

const identity = { app: 'shop', user: 'ann', transport: 'udp', family: 4 } as const

function allocation(): Counted & { counters: Record<keyof Counted['counters'], number> } {
  return {
    counters: { clientToPeerBytes: 0, clientToPeerPackets: 0, peerToClientBytes: 0, peerToClientPackets: 0 },
    local: () => undefined,
  }
}

it('reports who opened, who relayed and who closed, and nobody else', () => {
  const feed = new UsageFeed('e1', 'relay-1/0')
  const [ann, bob] = [allocation(), allocation()]
  const ids = (now: number) => feed.batch(now)?.allocations.map(({ allocationId }) => allocationId)
  expect(ids(T0)).toBeUndefined()
  feed.opened(1, identity, ann, T0)
  feed.opened(2, identity, bob, T0)
  expect(feed.batch(T0 + 1000)).toMatchObject({ epoch: 'e1', relay: 'relay-1/0', at: T0 + 1000 })
  expect(ids(T0 + 2000)).toBeUndefined()
  bob.counters.peerToClientPackets++
  expect(ids(T0 + 3000)).toEqual([2])
  feed.closed(1, T0 + 3500)
  feed.closed(1, T0 + 3600)
  expect(feed.batch(T0 + 4000)?.allocations).toMatchObject([{ allocationId: 1, openedAt: T0, closedAt: T0 + 3500 }])
  expect(ids(T0 + 5000)).toBeUndefined()
})

it('reports an allocation that opened and closed in between once, with all it counted', () => {
  const feed = new UsageFeed('e1', 'relay-1/0')
  const ann = allocation()
  feed.opened(1, identity, ann, T0)
  Object.assign(ann.counters, { clientToPeerBytes: 500, clientToPeerPackets: 5 })
  feed.closed(1, T0 + 10)
  // What its owner does with the object afterwards is nothing to the ledger.
  ann.counters.clientToPeerBytes = 0
  const [only, ...rest] = feed.batch(T0 + 1000)?.allocations ?? []
  expect(rest).toEqual([])
  expect(only).toMatchObject({ closedAt: T0 + 10 })
  expect(Array.from(only!.counters).slice(0, 3)).toEqual([500, 520, 5])
})

it('says once a minute that an idle allocation lives', () => {
  const feed = new UsageFeed('e1', 'relay-1/0')
  feed.opened(1, identity, allocation(), T0)
  const reports = Array.from({ length: 181 }, (_, second) => feed.batch(T0 + second * 1000)).filter(Boolean)
  expect(reports.map((report) => (report!.at - T0) / 1000)).toEqual([0, 60, 120, 180])
})

it('lets ten thousand idle allocations cost next to nothing', () => {
  const feed = new UsageFeed('e1', 'relay-1/0')
  for (let id = 0; id < 10_000; id++) feed.opened(id, identity, allocation(), T0)
  feed.batch(T0)
  const start = performance.now()
  for (let round = 1; round <= 50; round++) expect(feed.batch(T0 + round)).toBeUndefined()
  // About 0.1 ms each; the bound allows for a machine that is busy with other work.
  expect((performance.now() - start) / 50).toBeLessThan(5)
})
