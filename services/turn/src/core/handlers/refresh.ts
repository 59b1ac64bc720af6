/** Refresh: RFC 8656 section 8.2. */
import { Attribute, decodeAddressFamily, encodeLifetime } from '@hairpin/stun'
import { closeAllocation } from '../lifecycle.ts'
import { grantedLifetime, requestedLifetime } from '../lifetime.ts'
import { reject, succeed } from '../reply.ts'
import { type AuthenticRequest, requireAllocation } from '../request.ts'
import type { ServerState } from '../state.ts'

export function handleRefresh(state: ServerState, request: AuthenticRequest) {
  const { message, now } = request
  const allocation = requireAllocation(state, request)
  if (!allocation) return

  // 1. REQUESTED-ADDRESS-FAMILY, when given, must be that of the allocation: else 443.
  const familyValue = message.get(Attribute.RequestedAddressFamily)
  if (familyValue) {
    const family = decodeAddressFamily(familyValue)
    if (family === undefined) return reject(state, request, 'bad-request', now)
    if (!allocation.relays.some((relay) => relay.family === family)) return reject(state, request, 'peer-family', now)
  }

  // 2. The lifetime: 0 deletes, anything else is granted within bounds.
  const granted = grantedLifetime(message, state.limits)
  if (granted === undefined) return reject(state, request, 'bad-request', now)
  const lifetime = requestedLifetime(message) === 0 ? 0 : granted
  if (lifetime === 0) closeAllocation(state, allocation, 'deleted', now)
  else state.deadlines.set(allocation, now + lifetime * 1000)

  succeed(state, request, [[Attribute.Lifetime, encodeLifetime(lifetime)]])
}
