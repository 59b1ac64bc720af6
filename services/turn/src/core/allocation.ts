/**
 * Allocations, permissions and channels: RFC 8656 sections 3, 9 and 12. The data path reads these directly:
 * nothing here scans, builds strings or allocates per packet.
 */
import { familyOf, type PasswordAlgorithm } from '@hairpin/stun'
import type { Allowance } from './allowance.ts'
import type { Timed } from './deadlines.ts'
import { EndpointMap } from './endpoint-map.ts'
import type { Mobility } from './mobility.ts'
import type { FiveTuple, PortPool, PortRequest, Principal, QuotaPolicy, RelayTransport } from './policies.ts'
import type { ReplyTo } from './reply.ts'
import type { PeerConnection } from './tcp/connections.ts'
import type { TokenBucket } from './token-bucket.ts'
import type { Endpoint, Listener } from './types.ts'

/**
 * A relayed transport address. An allocation has one, or one of each family (RFC 8656 section 7.2,
 * ADDITIONAL-ADDRESS-FAMILY). Its deadline is only used where there are two: they are refreshed and expire apart.
 */
export interface Relay extends Timed {
  readonly kind: 'relay'
  readonly allocation: Allocation
  readonly family: 4 | 6
  port: number
  /** What the client is told: the advertised address and the port. */
  advertised: Endpoint
  state: 'opening' | 'open'
  /** Ports tried so far: another worker or process may hold one that the pool gives. */
  attempts: number
  /** For the driver alone, such as the relay socket. */
  attachment: unknown
}

/** What made the allocation: enough to answer a retransmission of its Allocate the same. */
export interface Creation {
  readonly reply: ReplyTo
  readonly request: PortRequest | 'reserved'
  /** Seconds granted. */
  readonly lifetime: number
  token?: Uint8Array | undefined
  /** Of two families asked for, the one that there was none of: answered as ADDRESS-ERROR-CODE. */
  missing?: { readonly family: 4 | 6; readonly rejection: 'address-family' | 'capacity' } | undefined
}

/** Leave to exchange packets with one peer address, any port (section 9). */
export interface Permission extends Timed {
  readonly kind: 'permission'
  readonly allocation: Allocation
  readonly address: string
  /** The address is one of the server's own relayed addresses: only live relayed ports of it may be reached. */
  own: boolean
}

/** A channel number bound to one peer (section 12). The objects are stable: a refresh only moves `expiresAt`. */
export interface Channel extends Timed {
  readonly kind: 'channel'
  readonly allocation: Allocation
  readonly number: number
  readonly peer: Endpoint
  /** As `Permission.own`: relay only while `ports.isLive` says so of its port; `allocation.reachable(channel)` says so. */
  own: boolean
}

export interface AllocationInit {
  readonly id: number
  readonly listener: Listener
  readonly client: Endpoint
  readonly username: string
  readonly principal: Principal
  readonly credentialExpiresAt: number
  readonly key: Uint8Array
  readonly algorithm: PasswordAlgorithm
  readonly createdAt: number
  readonly creation: Creation
  /** UDP when left out. */
  readonly relayTransport?: 'udp' | 'tcp' | undefined
  readonly ports: PortPool
  /** Where it is counted, and so given back. */
  readonly quota: QuotaPolicy
}

/** One client's allocation, keyed by its five-tuple (listener, client address and port). */
export class Allocation implements Timed {
  readonly kind = 'allocation'
  readonly id: number
  /** Both change when a client with a ticket comes from elsewhere: read them for each packet, keep neither. */
  listener: Listener
  client: Endpoint
  readonly username: string
  readonly principal: Principal
  /** Milliseconds since the epoch; Infinity for none. The core itself only minds it when allocating. */
  readonly credentialExpiresAt: number
  /** Long-term key of the password that made the allocation: signs and checks everything after. */
  readonly key: Uint8Array
  /** What the key was derived with. */
  readonly algorithm: PasswordAlgorithm
  /** Milliseconds, on the clock of `now`. */
  readonly createdAt: number
  readonly relays: Relay[] = []
  /** Of the relayed transport address: TCP by RFC 6062. */
  readonly relayTransport: RelayTransport

  /** `pending` until its relay sockets are open. */
  state: 'pending' | 'live' | 'closed' = 'pending'
  expiresAt = Number.POSITIVE_INFINITY
  heapIndex = -1

  /** Payload bytes and packets relayed, counted by the data path (the core never does). */
  clientToPeerBytes = 0
  clientToPeerPackets = 0
  peerToClientBytes = 0
  peerToClientPackets = 0

  /** For the driver alone, such as the (first) relay socket: spares it a lookup per packet. */
  attachment: unknown = undefined

  /** Unauthenticated answers to this five-tuple; made when first needed. */
  answers: TokenBucket | undefined = undefined

  /** For the core alone, as are all members below that change anything. */
  readonly creation: Creation
  /** Data connections with peers; none but of a TCP allocation. */
  readonly connections = new Set<PeerConnection>()
  readonly permissions = new Map<string, Permission>()
  readonly #channels = new Map<number, Channel>()
  readonly #channelsByPeer = new EndpointMap<Channel>()
  readonly quota: QuotaPolicy
  /** Set when the client asked for tickets. */
  mobility: Mobility | undefined = undefined
  /** Where the client is about to move to: it is found there too, and reached where it was until it sends data from there. */
  next: FiveTuple | undefined = undefined
  /** Undefined where nothing is limited. */
  allowance: Allowance | undefined = undefined
  readonly #ports: PortPool

  constructor(init: AllocationInit) {
    this.id = init.id
    this.listener = init.listener
    this.client = init.client
    this.username = init.username
    this.principal = init.principal
    this.credentialExpiresAt = init.credentialExpiresAt
    this.key = init.key
    this.algorithm = init.algorithm
    this.createdAt = init.createdAt
    this.creation = init.creation
    this.quota = init.quota
    this.relayTransport = init.relayTransport ?? 'udp'
    this.#ports = init.ports
  }

  /** Of the first relayed address; `relayFor` knows both. */
  get family(): 4 | 6 {
    return this.relays[0]?.family ?? 4
  }

  /** The relayed address for peers of this family. */
  relayFor(family: 4 | 6): Relay | undefined {
    const first = this.relays[0]
    return first === undefined || first.family === family ? first : this.relays[1]
  }

  /** Client → peer: the channel a ChannelData names, if it is bound. Expired ones are gone once `handleTimeout` ran. */
  channelByNumber(number: number): Channel | undefined {
    return this.#channels.get(number)
  }

  /** Peer → client: the channel bound to exactly this peer. A channel is enough; `permitted` need not be asked. */
  channelFor(address: string, port: number): Channel | undefined {
    return this.#channelsByPeer.get(address, port)
  }

  /** Whether the channel's peer may be reached now: always, except that an own address needs a live relayed port. */
  reachable(channel: Channel): boolean {
    return !channel.own || this.#ports.isLive(channel.peer.port, channel.peer.family, this.relayTransport)
  }

  /**
   * Whether packets may be exchanged with this peer outside a channel. Permissions are per address; the port only
   * matters where the address is one of the server's own.
   */
  permitted(address: string, port: number, now: number): boolean {
    const permission = this.permissions.get(address)
    if (permission === undefined || permission.expiresAt <= now) return false
    return !permission.own || this.#ports.isLive(port, familyOf(address), this.relayTransport)
  }

  /**
   * The data path's question for every packet, either way: may these bytes of payload pass now? Takes them if so; if not,
   * the packet is dropped as `bandwidth`.
   */
  take(bytes: number, now: number): boolean {
    return this.allowance === undefined || this.allowance.take(bytes, now)
  }

  /** Whether this is where the client is about to move to. The data path, and the core, asks while `next` is set. */
  isNext(listener: Listener, address: string, port: number): boolean {
    const { next } = this
    return next?.listener.id === listener.id && next.client.port === port && next.client.address === address
  }

  get channels(): Iterable<Channel> {
    return this.#channels.values()
  }

  get channelCount(): number {
    return this.#channels.size
  }

  addChannel(channel: Channel): void {
    this.#channels.set(channel.number, channel)
    this.#channelsByPeer.set(channel.peer.address, channel.peer.port, channel)
  }

  removeChannel(channel: Channel): void {
    this.#channels.delete(channel.number)
    this.#channelsByPeer.delete(channel.peer.address, channel.peer.port)
  }
}
