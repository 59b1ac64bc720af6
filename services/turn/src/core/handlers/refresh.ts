/** Refresh: RFC 8656 section 8.2. */
import { Attribute, decodeAddressFamily, encodeLifetime } from '@hairpin/stun'
import { withinCredential } from '../expiry.ts'
import { closeAllocation, closeRelay, setLifetime } from '../lifecycle.ts'
import { grantedLifetime, requestedLifetime } from '../lifetime.ts'
import { reject, succeed } from '../reply.ts'
import { type AuthenticRequest, requireAllocation } from '../request.ts'
import type { ServerState } from '../state.ts'

export function handleRefresh(state: ServerState, request: AuthenticRequest) {
  const { message, now } = request
  const allocation = requireAllocation(state, request)
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
  if (lifetime > 0) setLifetime(state, allocation, relay?.family, lifetime, now)
  else if (relay) closeRelay(state, relay, 'deleted', now)
  else closeAllocation(state, allocation, 'deleted', now)

  succeed(state, request, [[Attribute.Lifetime, encodeLifetime(lifetime)]])
}
