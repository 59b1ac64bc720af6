/** Refresh: RFC 8656 section 8.2. */
import { Attribute, decodeAddressFamily, encodeLifetime } from '@hairpin/stun'
import type { Allocation } from '../allocation.ts'
import { withinCredential } from '../expiry.ts'
import { closeAllocation, closeRelay, setLifetime } from '../lifecycle.ts'
import { grantedLifetime, requestedLifetime } from '../lifetime.ts'
import { beginMove, claimedBy, ticketOf } from '../mobility.ts'
import { type AttributePair, reject, succeed } from '../reply.ts'
import { type AuthenticRequest, requireAllocation } from '../request.ts'
import type { ServerState } from '../state.ts'

export function handleRefresh(state: ServerState, request: AuthenticRequest) {
  const { message, now } = request
  const allocation = state.options.mobility ? mobileAllocation(state, request) : requireAllocation(state, request)
  if (!allocation) return

  // 1. REQUESTED-ADDRESS-FAMILY, when given, names a relayed address of the allocation: else 443.
  const familyValue = message.get(Attribute.RequestedAddressFamily)
  const family = familyValue && decodeAddressFamily(familyValue)
  if (familyValue && family === undefined) return reject(state, request, 'bad-request', now)
  const relay = allocation.relays.find((candidate) => candidate.family === family)
  if (familyValue && !relay) return reject(state, request, 'peer-family', now)

  // 2. The lifetime: 0 deletes, anything else is granted within bounds. With a family it is that of its address alone.
  const granted = grantedLifetime(message, state.limits)
  if (granted === undefined) return reject(state, request, 'bad-request', now)
  const lifetime =
    requestedLifetime(message) === 0 ? 0 : withinCredential(state, allocation.credentialExpiresAt, granted, now)
  const moving = state.options.mobility !== undefined && message.has(Attribute.MobilityTicket)
  if (moving) beginMove(state, allocation, request)
  if (lifetime > 0) setLifetime(state, allocation, relay?.family, lifetime, now)
  else if (relay) closeRelay(state, relay, 'deleted', now)
  else closeAllocation(state, allocation, 'deleted', now)

  const attributes: AttributePair[] = [[Attribute.Lifetime, encodeLifetime(lifetime)]]
  const ticket = moving && lifetime > 0 && ticketOf(state, allocation)
  if (ticket) attributes.push([Attribute.MobilityTicket, ticket])
  succeed(state, request, attributes)
}

/** RFC 8016 section 3.2.2: the allocation of the ticket, which must be good, the user's own, and come to a free place. */
function mobileAllocation(state: ServerState, request: AuthenticRequest): Allocation | undefined {
  const claimed = claimedBy(state, request)
  if (claimed === undefined) return requireAllocation(state, request)
  const { listener, from, now } = request
  const here = state.allocations.find(listener, from.address, from.port)
  if (typeof claimed === 'string')
    return void reject(state, request, claimed === 'gone' ? 'allocation-mismatch' : 'bad-request', now)
  if (here && here !== claimed) return void reject(state, request, 'allocation-mismatch', now)
  if (claimed.username !== request.username) return void reject(state, request, 'wrong-user', now)
  return claimed
}
