/**
 * ChannelBind: RFC 8656 section 12.2. It is enough on its own: some clients never send CreatePermission, and refresh
 * their channels less often than a permission lasts. So it installs the permission, and while the channel lives its own
 * peer stays reachable even after the permission (for the peer's other ports) has run out.
 */
import { Attribute, decodeChannelNumber, decodeXorAddress, isChannelNumber } from '@hairpin/stun'
import { bindChannel, installPermission } from '../grants.ts'
import type { Rejection } from '../rejections.ts'
import { reject, succeed } from '../reply.ts'
import { type AuthenticRequest, requireAllocation } from '../request.ts'
import type { ServerState } from '../state.ts'

export function handleChannelBind(state: ServerState, request: AuthenticRequest) {
  const { message, now } = request
  const allocation = requireAllocation(state, request)
  if (!allocation) return
  const refuse = (rejection: Rejection) => reject(state, request, rejection, now)

  // A TCP allocation has no channels (RFC 6062); 403 as coturn answers it.
  if (allocation.relayTransport === 'tcp') return refuse('peer-denied')

  // 1. CHANNEL-NUMBER and XOR-PEER-ADDRESS, both there and well-formed, the number in range.
  const numberValue = message.get(Attribute.ChannelNumber)
  const peerValue = message.get(Attribute.XorPeerAddress)
  const number = numberValue && decodeChannelNumber(numberValue)
  const peer = peerValue && decodeXorAddress(peerValue, request.transactionId)
  if (number === undefined || !peer || !isChannelNumber(number)) return refuse('bad-request')

  // 2. The number is not bound to another peer, nor the peer to another number.
  const byNumber = allocation.channelByNumber(number)
  const byPeer = allocation.channelFor(peer.address, peer.port)
  if (byNumber !== byPeer) return refuse('bad-request')

  // 3. The peer's family and address.
  if (!allocation.relayFor(peer.family)) return refuse('peer-family')
  const verdict = state.options.peers.check(peer.address)
  if (verdict === 'deny') return refuse('peer-denied')

  // 4. Capacity.
  if (!byNumber && allocation.channelCount >= state.limits.maxChannels) return refuse('capacity')
  if (!allocation.permissions.has(peer.address) && allocation.permissions.size >= state.limits.maxPermissions)
    return refuse('capacity')

  // 5. Bind or refresh the channel for ten minutes and the permission for five.
  installPermission(state, allocation, peer.address, verdict, now)
  bindChannel(state, allocation, number, peer, verdict, now)
  succeed(state, request, [])
}
