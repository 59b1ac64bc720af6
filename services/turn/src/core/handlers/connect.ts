/** Connect: RFC 6062 section 5.2. */
import { Attribute, copyBytes, decodeXorAddress } from '@hairpin/stun'
import type { Rejection } from '../rejections.ts'
import { type ReplyTo, reject } from '../reply.ts'
import { type AuthenticRequest, requireAllocation } from '../request.ts'
import type { ServerState } from '../state.ts'
import { connectPeer, isConnected } from '../tcp/lifecycle.ts'

export function handleConnect(state: ServerState, request: AuthenticRequest) {
  const { message, now } = request
  // 1. "If the request is received on a TCP connection for which no allocation exists, the server MUST return a 437".
  const allocation = requireAllocation(state, request)
  if (!allocation) return
  const refuse = (rejection: Rejection) => reject(state, request, rejection, now)
  const { tcpRelay, peers, ports } = state.options
  // A UDP allocation connects to nobody; 403 as coturn answers it.
  if (allocation.relayTransport !== 'tcp' || !tcpRelay) return refuse('peer-denied')

  // 2. "If the request does not contain an XOR-PEER-ADDRESS attribute, or if such attribute is invalid, the server MUST
  //    return a 400". The family is RFC 6156's concern.
  const peerValue = message.get(Attribute.XorPeerAddress)
  const peer = peerValue && decodeXorAddress(peerValue, request.transactionId)
  if (!peer || peer.port === 0) return refuse('bad-request')
  if (!allocation.relayFor(peer.family)) return refuse('peer-family')

  // 3. "If the server is currently processing a Connect request for this allocation with the same XOR-PEER-ADDRESS" or has
  //    processed one, "and the resulting client and peer data connections are either pending or active, it MUST return a
  //    446". A connection that the peer made is in the way just so: the two would have the same four-tuple.
  if (isConnected(allocation, peer)) return refuse('connection-exists')

  // 4. "If the new connection is forbidden by local policy, the server MUST reject the request with a 403".
  const verdict = peers.check(peer.address)
  if (verdict === 'deny' || (verdict === 'own' && !ports.isLive(peer.port, peer.family, 'tcp')))
    return refuse('peer-denied')
  if (allocation.connections.size >= tcpRelay.maxConnections) return refuse('capacity')

  // 5. "Otherwise, the server MUST initiate an outgoing TCP connection."
  const { method, listener, from, fingerprint, key, sha256 } = request
  const transactionId = copyBytes(request.transactionId)
  const reply: ReplyTo = { method, listener, from, fingerprint, key, sha256, transactionId }
  connectPeer(state, allocation, peer, verdict, reply, now)
}
