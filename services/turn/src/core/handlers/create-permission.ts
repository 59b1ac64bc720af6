/** CreatePermission: RFC 8656 section 10.2. */
import { Attribute, decodeXorAddress } from '@hairpin/stun'
import { installPermission } from '../grants.ts'
import type { PeerVerdict } from '../policies.ts'
import type { Rejection } from '../rejections.ts'
import { reject, succeed } from '../reply.ts'
import { type AuthenticRequest, requireAllocation } from '../request.ts'
import type { ServerState } from '../state.ts'

export function handleCreatePermission(state: ServerState, request: AuthenticRequest) {
  const { message, now } = request
  const allocation = requireAllocation(state, request)
  if (!allocation) return
  const refuse = (rejection: Rejection) => reject(state, request, rejection, now)

  // 1. At least one XOR-PEER-ADDRESS, each well-formed, of the relayed address's family, and allowed. All are checked
  //    before any is installed: the request succeeds or fails as a whole.
  const wanted = new Map<string, PeerVerdict>()
  for (const value of message.getAll(Attribute.XorPeerAddress)) {
    const peer = decodeXorAddress(value, request.transactionId)
    if (!peer) return refuse('bad-request')
    if (!allocation.relayFor(peer.family)) return refuse('peer-family')
    const verdict = state.options.peers.check(peer.address)
    if (verdict === 'deny') return refuse('peer-denied')
    wanted.set(peer.address, verdict)
  }
  if (wanted.size === 0) return refuse('bad-request')

  // 2. Capacity.
  let added = 0
  for (const address of wanted.keys()) if (!allocation.permissions.has(address)) added++
  if (allocation.permissions.size + added > state.limits.maxPermissions) return refuse('capacity')

  // 3. Install or refresh each for five minutes.
  for (const [address, verdict] of wanted) installPermission(state, allocation, address, verdict, now)
  succeed(state, request, [])
}
