/** How peer data connections come and go: RFC 6062 sections 5.2 to 5.5. */
import { Attribute, Class, encodeConnectionId, encodeXorAddress, MessageWriter, Method } from '@hairpin/stun'
import type { Allocation } from '../allocation.ts'
import type { PeerVerdict } from '../policies.ts'
import { type ReplyTo, reject, succeed } from '../reply.ts'
import type { ServerState } from '../state.ts'
import type { DropReason, Endpoint } from '../types.ts'
import type { PeerConnection } from './connections.ts'

/** Milliseconds. Section 5.2: "The timeout value MUST be at least 30 seconds." */
export const CONNECT_TIMEOUT = 30_000
/** Milliseconds. "If no ConnectionBind request … is received after 30 seconds, the peer data connection MUST be closed." */
export const BIND_TIMEOUT = 30_000

/** Connects to the peer for a Connect request, which the caller has checked. */
export function connectPeer(
  state: ServerState,
  allocation: Allocation,
  peer: Endpoint,
  verdict: PeerVerdict,
  reply: ReplyTo,
  now: number,
): void {
  const connection = addConnection(state, allocation, peer, verdict === 'own', reply)
  state.deadlines.set(connection, now + CONNECT_TIMEOUT)
  state.emit({ type: 'connectPeer', allocation: allocation.id, connection: connection.id, peer })
}

/** It is connected: "it is now called a peer data connection". */
export function peerConnected(state: ServerState, connection: PeerConnection, now: number): void {
  if (connection.state !== 'connecting' || !connection.reply) return
  connection.state = 'pending'
  state.deadlines.set(connection, now + BIND_TIMEOUT)
  succeed(state, connection.reply, [[Attribute.ConnectionId, encodeConnectionId(connection.id)]])
}

/**
 * Section 5.3, a peer has connected to the relayed address: "If no permission for this peer has been installed for this
 * allocation, the server MUST close the connection with the peer immediately after it has been accepted."
 * @returns the connection, of which the client has been told, or why there is none
 */
export function admitPeer(
  state: ServerState,
  allocation: Allocation,
  peer: Endpoint,
  now: number,
): PeerConnection | DropReason {
  const { tcpRelay, peers } = state.options
  if (allocation.state !== 'live' || !tcpRelay) return 'no-allocation'
  const verdict = peers.check(peer.address)
  if (verdict === 'deny') return 'peer-denied'
  if (!allocation.permitted(peer.address, peer.port, now)) return 'no-permission'
  if (allocation.connections.size >= tcpRelay.maxConnections) return 'connection-limit'
  const connection = addConnection(state, allocation, peer, verdict === 'own', undefined)
  connection.state = 'pending'
  state.deadlines.set(connection, now + BIND_TIMEOUT)
  const { listener, client: to } = allocation
  state.emit({ type: 'send', listener, to, bytes: connectionAttempt(connection) })
  return connection
}

/** Both data connections are to be closed: the allocation ended, the time is over, or a policy changed. */
export function closeConnection(state: ServerState, connection: PeerConnection): void {
  removeConnection(state, connection)
  state.emit({ type: 'closePeer', connection: connection.id })
}

/** One of them was closed, and the driver closed the other (section 5.5); or the peer could not be connected to: 447. */
export function connectionClosed(state: ServerState, connection: PeerConnection, now: number): void {
  removeConnection(state, connection)
  if (connection.state === 'connecting' && connection.reply) reject(state, connection.reply, 'connection-failed', now)
}

/** Its thirty seconds are over. */
export function expireConnection(state: ServerState, connection: PeerConnection, now: number): void {
  state.emit({ type: 'closePeer', connection: connection.id })
  connectionClosed(state, connection, now)
}

/** Whether the allocation has a connection with this very peer, be it still on its way. */
export function isConnected(allocation: Allocation, { address, port }: Endpoint): boolean {
  for (const { peer } of allocation.connections) if (peer.port === port && peer.address === address) return true
  return false
}

function addConnection(
  state: ServerState,
  allocation: Allocation,
  peer: Endpoint,
  own: boolean,
  reply: ReplyTo | undefined,
): PeerConnection {
  const connection: PeerConnection = {
    kind: 'connection',
    allocation,
    id: state.connections.nextId(state.options.tcpRelay?.worker ?? 0),
    peer,
    own,
    state: 'connecting',
    reply,
    expiresAt: 0,
    heapIndex: -1,
  }
  state.connections.add(connection)
  return connection
}

function removeConnection(state: ServerState, connection: PeerConnection): void {
  state.connections.remove(connection)
  state.deadlines.remove(connection)
}

/**
 * "The indication MUST include an XOR-PEER-ADDRESS attribute containing the peer's transport address, as well as a
 * CONNECTION-ID attribute". Its transaction id is the connection's: indications have no answer.
 */
function connectionAttempt({ id, peer }: PeerConnection): Uint8Array {
  const transaction = new Uint8Array(12)
  transaction.set(encodeConnectionId(id))
  return new MessageWriter(Method.ConnectionAttempt, Class.Indication, transaction)
    .attribute(Attribute.XorPeerAddress, encodeXorAddress(peer, transaction))
    .attribute(Attribute.ConnectionId, encodeConnectionId(id))
    .finish()
}
