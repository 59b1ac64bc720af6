/**
 * The TURN/STUN server without I/O: RFC 8489, RFC 8656 and RFC 6062.
 *
 * THE INVARIANT: all state changes happen inside one call that is given `now`, and the caller performs the outputs it
 * returned, in order, before the next call. So core and sockets never disagree, and the same calls give the same outputs.
 */
import {
  Attribute,
  Class,
  checkFingerprint,
  encodeUnknownAttributes,
  type Message,
  Method,
  parseMessage,
} from '@hairpin/stun'
import type { Allocation } from './allocation.ts'
import type { AllocationTable } from './allocation-table.ts'
import { authenticate } from './auth.ts'
import { asksForTcp, handleAllocate } from './handlers/allocate.ts'
import { handleBinding } from './handlers/binding.ts'
import { handleChannelBind } from './handlers/channel-bind.ts'
import { handleConnect } from './handlers/connect.ts'
import { handleConnectionBind } from './handlers/connection-bind.ts'
import { handleCreatePermission } from './handlers/create-permission.ts'
import { handleDiscovery } from './handlers/discovery.ts'
import { handleRefresh } from './handlers/refresh.ts'
import { handleSend } from './handlers/send-indication.ts'
import { closeAllocation, detach, expire, relayFailed, relayOpened } from './lifecycle.ts'
import { cancelMove, completeMove } from './mobility.ts'
import type { TurnServerOptions } from './options.ts'
import { reject } from './reply.ts'
import type { AuthenticRequest, Request } from './request.ts'
import { type Drain, ServerState } from './state.ts'
import type { PeerConnections } from './tcp/connections.ts'
import { admitPeer, connectionClosed, peerConnected } from './tcp/lifecycle.ts'
import { workerElsewhere } from './tcp/ownership.ts'
import type { CloseReason, Endpoint, Listener, Output } from './types.ts'
import { applyChanges, type Changes } from './update.ts'

/** Requests that need credentials, by method. */
const HANDLERS = new Map<number, (state: ServerState, request: AuthenticRequest) => void>([
  [Method.Allocate, handleAllocate],
  [Method.Refresh, handleRefresh],
  [Method.CreatePermission, handleCreatePermission],
  [Method.ChannelBind, handleChannelBind],
  [Method.Connect, handleConnect],
  [Method.ConnectionBind, handleConnectionBind],
])

/** Comprehension-required attributes the server understands, at least so far as to know that they may be left alone. */
const KNOWN: readonly number[] = [
  Attribute.MappedAddress,
  Attribute.Username,
  Attribute.MessageIntegrity,
  Attribute.ErrorCode,
  Attribute.UnknownAttributes,
  Attribute.ChannelNumber,
  Attribute.Lifetime,
  Attribute.XorPeerAddress,
  Attribute.Data,
  Attribute.Realm,
  Attribute.Nonce,
  Attribute.XorRelayedAddress,
  Attribute.RequestedAddressFamily,
  Attribute.EvenPort,
  Attribute.RequestedTransport,
  Attribute.MessageIntegritySha256,
  Attribute.PasswordAlgorithm,
  Attribute.Userhash,
  Attribute.XorMappedAddress,
  Attribute.ReservationToken,
  Attribute.ConnectionId,
]

const KNOWN_FOR_TCP: ReadonlySet<number> = new Set([...KNOWN, Attribute.DontFragment])

/** Of Binding where NAT behaviour discovery is served. */
const KNOWN_TO_DISCOVERY: ReadonlySet<number> = new Set([
  ...KNOWN,
  Attribute.ChangeRequest,
  Attribute.Padding,
  Attribute.ResponsePort,
])

/**
 * `now` is in milliseconds since the epoch on a clock that does not jump: `performance.timeOrigin + performance.now()`.
 * After each call look at `nextDeadline`, and call `handleTimeout` when it comes.
 */
export class TurnServer {
  readonly #state: ServerState
  readonly #known: ReadonlySet<number>

  constructor(options: TurnServerOptions) {
    this.#state = new ServerState(options)
    this.#known = new Set(options.dontFragment ? [...KNOWN, Attribute.DontFragment] : KNOWN)
  }

  get allocations(): AllocationTable {
    return this.#state.allocations
  }

  /** One STUN datagram or stream frame of a client (ChannelData goes to the data path). Never throws on bytes. */
  receive(bytes: Uint8Array, listener: Listener, from: Endpoint, now: number): Output[] {
    const state = this.#state
    const parsed = parseMessage(bytes)
    if (parsed.ok) this.#dispatch(parsed.message, listener, from, now)
    else state.ignore(parsed.reason === 'not-stun' || parsed.reason === 'bad-cookie' ? 'not-stun' : 'malformed')
    return state.drain()
  }

  /** Answers `openRelay`: the socket is bound; once all of them are the client is told. Unknown and closed allocations are ignored. */
  relayOpened(id: number, family: 4 | 6, now: number): Output[] {
    const allocation = this.#state.allocations.byId(id)
    if (allocation) relayOpened(this.#state, allocation, family, now)
    return this.#state.drain()
  }

  /**
   * Answers `openRelay`: it could not be bound. Another port is tried a few times (a new `openRelay`), then the client
   * gets 508. On a live allocation: its socket broke, and the allocation ends unless it has one of the other family.
   */
  relayFailed(id: number, family: 4 | 6, now: number): Output[] {
    const allocation = this.#state.allocations.byId(id)
    if (allocation) relayFailed(this.#state, allocation, family, now)
    return this.#state.drain()
  }

  /** Connections with the peers of TCP allocations. */
  get connections(): PeerConnections {
    return this.#state.connections
  }

  /** Answers `connectPeer`: the peer has accepted. Unknown and closed connections are ignored. */
  peerConnected(connection: number, now: number): Output[] {
    const found = this.#state.connections.byId(connection)
    if (found) peerConnected(this.#state, found, now)
    return this.#state.drain()
  }

  /** Answers `connectPeer` when it failed; or a data connection is gone, with the one it was bound to. */
  peerClosed(connection: number, now: number): Output[] {
    const found = this.#state.connections.byId(connection)
    if (found) connectionClosed(this.#state, found, now)
    return this.#state.drain()
  }

  /** A peer has connected to the relayed address. Without a `connection` in the answer, it is to be closed at once. */
  peerArrived(
    allocation: Allocation,
    peer: Endpoint,
    now: number,
  ): { readonly connection: number | undefined; readonly outputs: Output[] } {
    const admitted = admitPeer(this.#state, allocation, peer, now)
    if (typeof admitted === 'string') this.#state.ignore(admitted)
    return { connection: typeof admitted === 'string' ? undefined : admitted.id, outputs: this.#state.drain() }
  }

  /**
   * Takes no new allocations from now on: they draw 300 with the alternate of the client's family (RFC 8489 section 10),
   * or 508 where there is none. What is allocated is served as before. `undefined` takes them again.
   */
  drain(drain: Drain | undefined): void {
    this.#state.draining = drain
  }

  get draining(): boolean {
    return this.#state.draining !== undefined
  }

  /**
   * A client's stream is gone, and with it its allocation (RFC 8656 section 6), unless it is about to move elsewhere: now it
   * does. One with a ticket is kept for a minute: the client may be on its way to another network.
   */
  disconnected(listener: Listener, from: Endpoint, now: number): Output[] {
    const allocation = this.#state.allocations.find(listener, from.address, from.port)
    if (allocation?.isNext(listener, from.address, from.port)) cancelMove(this.#state, allocation)
    else if (allocation?.next) completeMove(this.#state, allocation, now)
    else if (allocation?.mobility && allocation.state === 'live') detach(this.#state, allocation, now)
    else if (allocation) closeAllocation(this.#state, allocation, 'disconnected', now)
    return this.#state.drain()
  }

  /** Data came from where the client is about to move to: now it has. For the data path; Send indications are seen here. */
  arrived(allocation: Allocation, now: number): Output[] {
    completeMove(this.#state, allocation, now)
    return this.#state.drain()
  }

  /** Ends an allocation: an operator's or a policy's doing. */
  close(allocation: Allocation, reason: CloseReason, now: number): Output[] {
    closeAllocation(this.#state, allocation, reason, now)
    return this.#state.drain()
  }

  /**
   * Ends every allocation for which `revoked` says so, such as those of a username; the client hears of it by 437 at its
   * next request. That it cannot allocate again is for the password policy. Scans: an operator's doing.
   */
  revoke(revoked: (allocation: Allocation) => boolean, now: number): Output[] {
    for (const allocation of [...this.#state.allocations])
      if (revoked(allocation)) closeAllocation(this.#state, allocation, 'revoked', now)
    return this.#state.drain()
  }

  /** Puts new policies in force without dropping what they allow (update.ts says from when each counts). */
  update(changes: Changes, now: number): Output[] {
    applyChanges(this.#state, changes, now)
    return this.#state.drain()
  }

  /** Ends them all. */
  shutdown(now: number): Output[] {
    for (const allocation of [...this.#state.allocations]) closeAllocation(this.#state, allocation, 'shutdown', now)
    return this.#state.drain()
  }

  /** When `handleTimeout` wants to be called, in milliseconds on the clock of `now`; Infinity when nothing is due ever. */
  get nextDeadline(): number {
    return this.#state.deadlines.next
  }

  /** Expires what is due: allocations, permissions, channels. Early, late and repeated calls are harmless. */
  handleTimeout(now: number): Output[] {
    const state = this.#state
    for (let item = state.deadlines.take(now); item; item = state.deadlines.take(now)) expire(state, item, now)
    return state.drain()
  }

  /** RFC 8489 section 6.3: fingerprint, class and method, authentication, unknown attributes; then the method's handler. */
  #dispatch(message: Message, listener: Listener, from: Endpoint, now: number) {
    const state = this.#state
    const fingerprint = checkFingerprint(message)
    if (fingerprint === 'invalid') return state.ignore('fingerprint')

    if (message.class === Class.Indication) {
      if (message.method !== Method.Send) return state.ignore('unknown-method')
      if (message.unknownRequired(this.#known).length > 0) return state.ignore('malformed')
      return handleSend(state, message, listener, from, now)
    }
    const handler = HANDLERS.get(message.method)
    if (message.class !== Class.Request || (!handler && message.method !== Method.Binding))
      return state.ignore('unknown-method')

    const request: Request = {
      message,
      method: message.method,
      transactionId: message.transactionId,
      listener,
      from,
      now,
      fingerprint: fingerprint === 'valid',
      size: message.bytes.length,
    }
    const { discovery } = state.options
    if (!handler) {
      if (discovery?.has(listener)) {
        if (this.#understands(request, KNOWN_TO_DISCOVERY)) handleDiscovery(state, request, discovery)
      } else if (this.#understands(request)) handleBinding(state, request)
      return
    }
    if (discovery?.isOtherPort(listener)) return state.ignore('unknown-method')
    const worker = workerElsewhere(state, request)
    if (worker !== undefined) return state.emit({ type: 'handOver', worker, listener, from, request: message.bytes })
    const authentic = authenticate(state, request)
    if (authentic && this.#understands(authentic)) handler(state, authentic)
  }

  /** To an Allocate for TCP, DONT-FRAGMENT is known and wrong: 400, where others may answer it with 420. */
  #knownTo(request: Request): ReadonlySet<number> {
    const tcp = this.#state.options.tcpRelay !== undefined && asksForTcp(request.message)
    return tcp ? KNOWN_FOR_TCP : this.#known
  }

  #understands(request: Request, known = this.#knownTo(request)): boolean {
    const unknown = request.message.unknownRequired(known)
    if (unknown.length === 0) return true
    const value = encodeUnknownAttributes(unknown)
    reject(this.#state, request, 'unknown-attribute', request.now, [[Attribute.UnknownAttributes, value]])
    return false
  }
}
