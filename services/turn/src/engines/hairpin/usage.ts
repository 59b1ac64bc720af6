import type { Allocation, ServerEvents } from '../../core/index.ts'
import { firstFamily, type RelaySocket } from '../../datapath/relay-socket.ts'
import { headerBytes } from '../../ledger/counters.ts'
import type { UsageFeed } from '../../ledger/feed.ts'
import type { MovedHeaders } from '../../ledger/relayed.ts'

/** A client's last move. */
interface Move {
  /** Bytes of the header of a packet where it was first. */
  readonly first: number
  /** Up to the move. */
  readonly headers: MovedHeaders
  /** Packets from the client and to it at the move. */
  readonly sent: number
  readonly received: number
}

function clientHeader({ listener, client }: Allocation): number {
  return headerBytes(listener.transport, client.family)
}

function headersSince(move: Move | undefined, allocation: Allocation): MovedHeaders | undefined {
  if (!move) return undefined
  const more = clientHeader(allocation) - move.first
  return {
    fromClient: move.headers.fromClient + more * (allocation.clientToPeerPackets - move.sent),
    toClient: move.headers.toClient + more * (allocation.peerToClientPackets - move.received),
  }
}

/** Tells the ledger's feed of the core's allocations. Clock times: the core's own never jumps, a bill's day does. */
export function feedEvents(
  feed: UsageFeed,
): Pick<ServerEvents, 'allocationOpened' | 'allocationMoving' | 'allocationClosed'> {
  const moves = new Map<number, Move>()
  return {
    allocationOpened(allocation: Allocation) {
      const { id, principal, listener, client, relayTransport } = allocation
      const family = firstFamily(allocation)
      const { app, user } = principal
      const identity = {
        app,
        user,
        transport: listener.transport,
        relayTransport,
        family,
        clientFamily: client.family,
      }
      const local = () => allocation.attachment as RelaySocket | undefined
      const movedHeaders = () => headersSince(moves.get(id), allocation)
      feed.opened(id, identity, { counters: allocation, local, movedHeaders }, Date.now())
    },
    allocationMoving(allocation: Allocation) {
      const before = moves.get(allocation.id)
      moves.set(allocation.id, {
        first: before?.first ?? clientHeader(allocation),
        headers: headersSince(before, allocation) ?? { fromClient: 0, toClient: 0 },
        sent: allocation.clientToPeerPackets,
        received: allocation.peerToClientPackets,
      })
    },
    allocationClosed({ id }: Allocation) {
      feed.closed(id, Date.now())
      moves.delete(id)
    },
  }
}
