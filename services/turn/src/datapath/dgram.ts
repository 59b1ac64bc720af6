import {
  type Allocation,
  type AllocationTable,
  type DropReason,
  dataIndication,
  type Endpoint,
  type Listener,
} from '../core/index.ts'
import type { OwnAddresses } from '../net/own-addresses.ts'
import type { ClientSocket } from './client-socket.ts'
import type { DataPath, FlowOutput } from './data-path.ts'
import type { RelaySocket } from './relay-socket.ts'

/** Bytes of a ChannelData header. */
const HEADER = 4

export interface DgramOptions {
  readonly allocations: AllocationTable
  /** By `Listener.id`. */
  readonly clients: readonly ClientSocket[]
  readonly own: OwnAddresses
  /** A client that was about to move has sent from where it moves to; left out where none can. */
  readonly arrived?: ((allocation: Allocation) => void) | undefined
  readonly now: () => number
}

/**
 * The portable data path: one lookup by five-tuple, one send, two counters for each packet. Per packet it makes no
 * string, closure, timer or callback of its own and copies no payload.
 */
export class DgramDataPath implements DataPath {
  readonly name = 'dgram'
  readonly #allocations: AllocationTable
  readonly #clients: readonly ClientSocket[]
  readonly #own: OwnAddresses
  readonly #now: () => number
  readonly #arrived: ((allocation: Allocation) => void) | undefined

  constructor(options: DgramOptions) {
    this.#allocations = options.allocations
    this.#clients = options.clients
    this.#own = options.own
    this.#now = options.now
    this.#arrived = options.arrived
  }

  fromClient(datagram: Buffer, listener: Listener, address: string, port: number): DropReason | undefined {
    const allocation = this.#allocations.find(listener, address, port)
    if (allocation === undefined) return 'no-allocation'
    const relay = allocation.attachment as RelaySocket | undefined
    if (relay === undefined) return 'pending'
    if (allocation.next !== undefined && allocation.isNext(listener, address, port)) this.#arrived?.(allocation)
    if (datagram.length < HEADER) return 'malformed'
    const length = (datagram[2]! << 8) | datagram[3]!
    // Over UDP the padding may be there or not (section 12.5); less than the length says is a broken message.
    if (HEADER + length > datagram.length) return 'malformed'
    const channel = allocation.channelByNumber((datagram[0]! << 8) | datagram[1]!)
    if (channel === undefined) return 'no-channel'
    if (channel.own && !allocation.reachable(channel)) return 'peer-denied'
    return this.#sendToPeer(allocation, relay, channel.peer, channel.own, datagram, HEADER, length)
  }

  fromPeer(allocation: Allocation, datagram: Buffer, source: string, port: number): DropReason | undefined {
    const relay = allocation.attachment as RelaySocket | undefined
    if (relay === undefined) return 'pending'
    const { allowance } = allocation
    const address = this.#own.translates ? this.#own.toExternal(source, port) : source
    const channel = allocation.channelFor(address, port)
    if (channel === undefined) {
      if (!allocation.permitted(address, port, this.#now())) return 'no-permission'
      if (allowance !== undefined && !allowance.take(datagram.length, this.#now())) return allowance.refused
      const dropped = this.#sendIndication(allocation, relay, { address, port }, datagram)
      if (dropped !== undefined) return dropped
    } else {
      if (channel.own && !allocation.reachable(channel)) return 'peer-denied'
      if (allowance !== undefined && !allowance.take(datagram.length, this.#now())) return allowance.refused
      // Two call sites, each of one class: clients over UDP never pay for those over streams.
      if (relay.stream === undefined) {
        const client = this.#clients[allocation.listener.id]
        if (client === undefined) return 'pending'
        if (!client.sendChannelData(channel.number, datagram, allocation.client)) return 'send-failed'
      } else {
        const dropped = relay.stream.sendChannelData(channel.number, datagram)
        if (dropped !== undefined) return dropped
        relay.indicationExtra += -datagram.length & 3
      }
    }
    allocation.peerToClientBytes += datagram.length
    allocation.peerToClientPackets++
    return undefined
  }

  toPeer(allocation: Allocation, peer: Endpoint, payload: Uint8Array): DropReason | undefined {
    const relay = allocation.attachment as RelaySocket | undefined
    if (relay === undefined) return 'pending'
    const own = allocation.permissions.get(peer.address)?.own ?? false
    return this.#sendToPeer(allocation, relay, peer, own, payload, 0, payload.length)
  }

  /** Channels and permissions are read from the allocation itself. */
  flowChanged(_output: FlowOutput): void {}

  /** Every packet is counted as it passes. */
  collect(): void {}

  #sendIndication(
    allocation: Allocation,
    relay: RelaySocket,
    peer: { address: string; port: number },
    datagram: Buffer,
  ): DropReason | undefined {
    const indication = dataIndication(allocation, peer, datagram)
    if (relay.stream === undefined) {
      const { client: to } = allocation
      const client = this.#clients[allocation.listener.id]
      if (client === undefined) return 'pending'
      if (!client.send(indication, 0, indication.length, to.port, to.address)) return 'send-failed'
    } else {
      const dropped = relay.stream.sendData(indication)
      if (dropped !== undefined) return dropped
    }
    relay.indicationExtra += indication.length - datagram.length - HEADER
    return undefined
  }

  #sendToPeer(
    allocation: Allocation,
    relay: RelaySocket,
    peer: Endpoint,
    own: boolean,
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): DropReason | undefined {
    const { allowance } = allocation
    if (allowance !== undefined && !allowance.take(length, this.#now())) return allowance.refused
    const socket = relay.other === undefined ? relay : relay.towards(peer.family)
    const to = this.#own.translates ? this.#own.toLocal(peer.address, peer.port) : peer.address
    // Port 0 names nobody; the socket would throw.
    if (peer.port === 0 || !socket.send(bytes, offset, length, peer.port, to)) return 'send-failed'
    allocation.clientToPeerBytes += length
    allocation.clientToPeerPackets++
    if (own) {
      relay.ownBytes += length
      relay.ownPackets++
    }
    if (socket.second !== undefined) {
      socket.second.sent++
      if (own) socket.second.sentOwn++
    }
    return undefined
  }
}
