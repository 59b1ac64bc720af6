import { randomUUID } from 'node:crypto'
import type { Principal } from '../../core/index.ts'
import { UsageFeed, type UsageSink } from '../../ledger/feed.ts'
import { CHANNEL_HEADER } from '../../ledger/relayed.ts'
import type { Meter } from './hooks.ts'

/** Milliseconds between reports. */
const INTERVAL = 1000

/** Tells the ledger what each allocation relayed, seen from outside of node-turn; always UDP over IPv4. */
export class NodeTurnUsage {
  readonly #sink: UsageSink
  readonly #epoch = randomUUID()
  readonly #feed = new UsageFeed(this.#epoch, 'relay-1/node-turn')
  readonly #timer = setInterval(() => this.#report(), INTERVAL)
  #lastId = 0

  constructor(sink: UsageSink) {
    this.#sink = sink
  }

  allocated({ app, user }: Principal): Meter {
    const id = ++this.#lastId
    const counters = { clientToPeerBytes: 0, clientToPeerPackets: 0, peerToClientBytes: 0, peerToClientPackets: 0 }
    const local = { ownBytes: 0, ownPackets: 0, indicationExtra: 0 }
    this.#feed.opened(id, { app, user, transport: 'udp', family: 4 }, { counters, local: () => local }, Date.now())
    return {
      clientToPeer(bytes, own) {
        counters.clientToPeerBytes += bytes
        counters.clientToPeerPackets++
        if (!own) return
        local.ownBytes += bytes
        local.ownPackets++
      },
      peerToClient(bytes) {
        counters.peerToClientBytes += bytes
        counters.peerToClientPackets++
        local.indicationExtra -= bytes + CHANNEL_HEADER
      },
      sentToClient(bytes) {
        local.indicationExtra += bytes
      },
      ended: () => this.#feed.closed(id, Date.now()),
    }
  }

  /** The last report: once nothing is relayed any more. */
  close(): void {
    clearInterval(this.#timer)
    this.#report()
    this.#sink.endEpoch(this.#epoch, Date.now())
  }

  #report(): void {
    const batch = this.#feed.batch(Date.now())
    if (batch) this.#sink.ingest(batch)
  }
}

/** Counts the same for two. */
export function both(one: Meter, other: Meter): Meter {
  return {
    clientToPeer(bytes, own) {
      one.clientToPeer(bytes, own)
      other.clientToPeer(bytes, own)
    },
    peerToClient(bytes) {
      one.peerToClient(bytes)
      other.peerToClient(bytes)
    },
    sentToClient(bytes) {
      one.sentToClient(bytes)
      other.sentToClient(bytes)
    },
    ended() {
      one.ended()
      other.ended()
    },
  }
}
