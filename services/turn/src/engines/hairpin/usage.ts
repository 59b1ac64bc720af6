import type { Allocation, ServerEvents } from '../../core/index.ts'
import { firstFamily, type RelaySocket } from '../../datapath/relay-socket.ts'
import type { UsageFeed } from '../../ledger/feed.ts'

/** Tells the ledger's feed of the core's allocations. Clock times: the core's own never jumps, a bill's day does. */
export function feedEvents(feed: UsageFeed): Pick<ServerEvents, 'allocationOpened' | 'allocationClosed'> {
  return {
    allocationOpened(allocation: Allocation) {
      const { id, principal, listener, client } = allocation
      const family = firstFamily(allocation)
      const { app, user } = principal
      const identity = { app, user, transport: listener.transport, family, clientFamily: client.family }
      const local = () => allocation.attachment as RelaySocket | undefined
      feed.opened(id, identity, { counters: allocation, local }, Date.now())
    },
    allocationClosed({ id }: Allocation) {
      feed.closed(id, Date.now())
    },
  }
}
