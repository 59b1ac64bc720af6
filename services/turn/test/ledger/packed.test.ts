import { expect, it } from 'vitest'
import { packBatch, unpackBatch } from '../../src/ledger/packed.ts'
import { batch, counters, snapshot, T0 } from './helpers.ts'

it('a batch comes through another thread as it was', () => {
  const allocations = [
    snapshot({ counters: counters({ fromClientPayload: 2 ** 52, toPeerPackets: 7 }) }),
    snapshot({ allocationId: 2 ** 40, user: 'zoë', transport: 'tls', family: 6, clientFamily: 4, closedAt: T0 + 5 }),
    snapshot({ allocationId: 3, relayTransport: 'tcp', openedAt: T0 - 1 }),
  ]
  const sent = batch(allocations)
  const got = unpackBatch(structuredClone(packBatch(sent)))
  const plain = (of: typeof sent) => ({
    ...of,
    allocations: of.allocations.map((allocation) => ({
      ...allocation,
      counters: [...(allocation.counters as number[])],
    })),
  })
  expect(plain(got)).toEqual(plain(sent))
  expect(got.allocations[0]).not.toHaveProperty('closedAt')
})
