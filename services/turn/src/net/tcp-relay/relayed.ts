/** One TCP allocation's relayed transport address: the socket that listens, and the connections with peers. */
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Endpoint, PeerConnection } from '../../core/index.ts'
import type { StreamClient } from '../../datapath/stream-client.ts'
import { CHANNEL_HEADER } from '../../ledger/relayed.ts'
import { type Gate, Pipe } from './pipe.ts'

/** Payload of a full segment over Ethernet with timestamps. A stream has no packets: so many bytes are counted as one. */
const SEGMENT = 1448

/** Kept at `allocation.attachment`: what meter and ledger read there beside the allocation's own counters. */
export class RelayedListener {
  /** As at `RelaySocket`. A TCP allocation's client gets no ChannelData: its header, which they count, is taken off here. */
  ownBytes = 0
  ownPackets = 0
  indicationExtra = 0
  readonly server: Server
  readonly family: 4 | 6
  readonly local: Endpoint
  readonly control: StreamClient | undefined

  constructor(server: Server, local: Endpoint, control: StreamClient | undefined) {
    this.server = server
    this.local = local
    this.family = local.family
    this.control = control
  }
}

/** A connection with a peer, and once it is bound the client's. */
export class PeerLink {
  readonly socket: Socket
  #pipe: Pipe | undefined

  /** @param closed is called once, when all of it is closed */
  constructor(socket: Socket, closed: () => void) {
    this.socket = socket
    // What it failed of shows by its closing.
    socket.on('error', () => {})
    socket.once('close', () => {
      if (!this.#pipe) closed()
    })
  }

  /** Joins it with the client's connection; `closed` is called when both are closed. */
  bind(client: Duplex, connection: PeerConnection, now: () => number, closed: () => void): void {
    this.#pipe = new Pipe(client, this.socket, gatesOf(connection, now), closed)
  }

  destroy(): void {
    this.socket.destroy()
    this.#pipe?.destroy()
  }
}

/** Payload is counted when it is given to the socket it leaves by; A is the client and B the peer. */
function gatesOf({ allocation, own }: PeerConnection, now: () => number): { toA: Gate; toB: Gate } {
  const relayed = allocation.attachment as RelayedListener
  const admit = (bytes: number) => {
    if (allocation.take(bytes, now())) return 'now'
    // A rate is a matter of time; what a credential may relay in all is not.
    return allocation.allowance?.refused === 'credit' ? 'never' : 'later'
  }
  return {
    toB: {
      admit,
      passed(bytes) {
        const packets = Math.ceil(bytes / SEGMENT)
        allocation.clientToPeerBytes += bytes
        allocation.clientToPeerPackets += packets
        if (!own) return
        relayed.ownBytes += bytes
        relayed.ownPackets += packets
      },
    },
    toA: {
      admit,
      passed(bytes) {
        const packets = Math.ceil(bytes / SEGMENT)
        allocation.peerToClientBytes += bytes
        allocation.peerToClientPackets += packets
        relayed.indicationExtra -= CHANNEL_HEADER * packets
      },
    },
  }
}
