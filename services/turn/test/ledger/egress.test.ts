import { expect, it } from 'vitest'
import type { Allocation } from '../../src/core/index.ts'
import { egressBytes } from '../../src/engines/hairpin/meter.ts'
import { feedEvents } from '../../src/engines/hairpin/usage.ts'
import { billableBytes } from '../../src/ledger/cost.ts'
import { UsageFeed } from '../../src/ledger/feed.ts'
import { totalsOf } from '../../src/ledger/meter.ts'

const families = [4, 6] as const
const cases = (['udp', 'tcp', 'tls'] as const).flatMap((transport) =>
  families.flatMap((client) =>
    families.flatMap((family) => (['udp', 'tcp'] as const).map((relay) => [transport, client, family, relay] as const)),
  ),
)

it.each(cases)('over %s from IPv%d to IPv%d %s, metric and ledger bill the same egress', (...labels) => {
  const [transport, client, family, relayTransport] = labels
  const allocation = {
    id: 7,
    listener: { transport },
    client: { family: client },
    family,
    relayTransport,
    principal: { app: 'shop', user: 'ann' },
    clientToPeerBytes: 10_007,
    clientToPeerPackets: 13,
    peerToClientBytes: 20_011,
    peerToClientPackets: 29,
    attachment: { ownBytes: 503, ownPackets: 3, indicationExtra: 77 },
  } as unknown as Allocation
  const feed = new UsageFeed('e1', 'relay-1/0')
  const events = feedEvents(feed)
  events.allocationOpened!(allocation, 0)
  events.allocationClosed!(allocation, 'closed', 0)
  const [reported] = feed.batch(Date.now())!.allocations
  expect(billableBytes('egress', totalsOf(reported!, Date.now()))).toBe(BigInt(egressBytes(allocation)))
})
