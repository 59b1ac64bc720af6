/** How allocations and their relayed addresses come, are refreshed and go: RFC 8656 sections 7.2 and 8.2. */
import { Attribute, encodeAddressErrorCode, encodeLifetime, encodeXorAddress, familyOf } from '@hairpin/stun'
import type { Allocation, Relay } from './allocation.ts'
import { credentialEnd } from './expiry.ts'
import { removeChannel, removePermission } from './grants.ts'
import { cancelMove, ticketOf } from './mobility.ts'
import type { PortLease } from './policies.ts'
import { REJECTIONS } from './rejections.ts'
import { type AttributePair, reject, succeed } from './reply.ts'
import type { Expiring, ServerState } from './state.ts'
import { closeConnection, expireConnection } from './tcp/lifecycle.ts'
import type { CloseReason } from './types.ts'

/** Milliseconds. A driver that never answers `openRelay` must not hold a five-tuple for ever. */
const OPENING_TIMEOUT = 10_000
/** Milliseconds. */
const DETACHED_LIFETIME = 60_000
/** Ports tried before 508: another process may hold what the pool believes free. */
const MAX_ATTEMPTS = 4

/** Puts a pending allocation in the table and asks for its relay sockets. Quota and ports have been acquired. */
export function startAllocation(state: ServerState, allocation: Allocation, now: number): void {
  state.allocations.add(allocation)
  state.deadlines.set(allocation, now + OPENING_TIMEOUT)
  for (const relay of allocation.relays) openRelay(state, relay)
}

/** A relayed address on a port that has been acquired; its socket is still to be opened. */
export function addRelay(allocation: Allocation, { family, port }: PortLease, address: string): void {
  const advertised = { address, port, family }
  allocation.relays.push({
    kind: 'relay',
    allocation,
    family,
    port,
    advertised,
    state: 'opening',
    attempts: 0,
    attachment: undefined,
    expiresAt: Number.POSITIVE_INFINITY,
    heapIndex: -1,
  })
}

function openRelay(state: ServerState, relay: Relay): void {
  relay.attempts++
  state.emit({ type: 'openRelay', allocation: relay.allocation.id, family: relay.family, port: relay.port })
}

/** A relay socket is bound. When it was the last to wait for, the allocation lives from now. */
export function relayOpened(state: ServerState, allocation: Allocation, family: 4 | 6, now: number): void {
  const relay = allocation.relays.find((candidate) => candidate.family === family)
  if (allocation.state !== 'pending' || !relay) return
  relay.state = 'open'
  completeAllocation(state, allocation, now)
}

function completeAllocation(state: ServerState, allocation: Allocation, now: number): void {
  if (allocation.relays.some((relay) => relay.state === 'opening')) return
  allocation.state = 'live'
  setLifetime(state, allocation, undefined, allocation.creation.lifetime, now)
  state.options.events?.allocationOpened?.(allocation, now)
  answerAllocate(state, allocation)
}

/** The success response of the Allocate that made this allocation; again the same for its retransmissions. */
export function answerAllocate(state: ServerState, allocation: Allocation): void {
  const { reply, lifetime, token, missing } = allocation.creation
  const id = reply.transactionId
  const attributes: AttributePair[] = allocation.relays.map((relay) => [
    Attribute.XorRelayedAddress,
    encodeXorAddress(relay.advertised, id),
  ])
  attributes.push(
    [Attribute.Lifetime, encodeLifetime(lifetime)],
    [Attribute.XorMappedAddress, encodeXorAddress(allocation.client, id)],
  )
  if (token) attributes.push([Attribute.ReservationToken, token])
  const ticket = ticketOf(state, allocation)
  if (ticket) attributes.push([Attribute.MobilityTicket, ticket])
  if (missing) {
    const { code, phrase } = REJECTIONS[missing.rejection]
    attributes.push([Attribute.AddressErrorCode, encodeAddressErrorCode(missing.family, code, phrase)])
  }
  succeed(state, reply, attributes)
}

/** A relay socket could not be bound, or broke. */
export function relayFailed(state: ServerState, allocation: Allocation, family: 4 | 6, now: number): void {
  const relay = allocation.relays.find((candidate) => candidate.family === family)
  if (!relay) return
  if (allocation.state === 'pending') retryRelay(state, allocation, relay, now)
  else closeRelay(state, relay, 'relay-failed', now)
}

/** Another port; in the end 508, or where the other family has its address, only that one. */
function retryRelay(state: ServerState, allocation: Allocation, relay: Relay, now: number): void {
  const { creation, relays } = allocation
  const { ports } = state.options
  ports.release(relay.port, now)
  if (creation.token) ports.cancel(creation.token, now)
  creation.token = undefined
  const lease =
    creation.request !== 'reserved' && relay.attempts < MAX_ATTEMPTS
      ? ports.acquire(creation.request, relay.family, allocation.relayTransport, now)
      : undefined
  if (lease) {
    creation.token = lease.token
    relay.port = lease.port
    relay.advertised = { ...relay.advertised, port: lease.port }
    openRelay(state, relay)
    return
  }
  relays.splice(relays.indexOf(relay), 1)
  if (relays.length > 0) {
    creation.missing = { family: relay.family, rejection: 'capacity' }
    completeAllocation(state, allocation, now)
    return
  }
  removeAllocation(state, allocation)
  reject(state, creation.reply, 'capacity', now)
}

/**
 * Gives the allocation, or of two relayed addresses the one of `family`, `seconds` from now (RFC 8656 section 8.2).
 * The allocation lives as long as either.
 */
export function setLifetime(
  state: ServerState,
  allocation: Allocation,
  family: 4 | 6 | undefined,
  seconds: number,
  now: number,
): void {
  // The client may have been told of a whole second where less is left of its credential.
  const expiresAt = Math.min(now + seconds * 1000, credentialEnd(state, allocation.credentialExpiresAt))
  if (allocation.relays.length < 2) {
    state.deadlines.set(allocation, expiresAt)
    return
  }
  let last = 0
  for (const relay of allocation.relays) {
    if (family === undefined || relay.family === family) state.deadlines.set(relay, expiresAt)
    last = Math.max(last, relay.expiresAt)
  }
  state.deadlines.set(allocation, last)
}

/** Ends one relayed address with its channels and permissions; with the last one the allocation ends. */
export function closeRelay(state: ServerState, relay: Relay, reason: CloseReason, now: number): void {
  const { allocation, family, port } = relay
  if (allocation.relays.length < 2) {
    closeAllocation(state, allocation, reason, now)
    return
  }
  for (const channel of [...allocation.channels]) if (channel.peer.family === family) removeChannel(state, channel)
  for (const permission of [...allocation.permissions.values()])
    if (familyOf(permission.address) === family) removePermission(state, permission)
  allocation.relays.splice(allocation.relays.indexOf(relay), 1)
  state.deadlines.remove(relay)
  state.options.ports.release(port, now)
  state.emit({ type: 'closeRelay', allocation: allocation.id, family, port, reason })
  const [left] = allocation.relays
  state.deadlines.remove(left!)
  state.deadlines.set(allocation, left!.expiresAt)
}

/** The client's stream is gone, but it has a ticket: the allocation lives on a little. The next stream of that port is another's. */
export function detach(state: ServerState, allocation: Allocation, now: number): void {
  state.allocations.unlink(allocation, allocation)
  allocation.mobility!.detached = true
  const end = Math.min(allocation.expiresAt, now + DETACHED_LIFETIME)
  for (const relay of allocation.relays) if (relay.heapIndex >= 0) state.deadlines.set(relay, end)
  state.deadlines.set(allocation, end)
}

export function closeAllocation(state: ServerState, allocation: Allocation, reason: CloseReason, now: number): void {
  if (allocation.state === 'closed') return
  const wasLive = allocation.state === 'live'
  for (const channel of [...allocation.channels]) removeChannel(state, channel)
  for (const permission of [...allocation.permissions.values()]) removePermission(state, permission)
  for (const connection of [...allocation.connections]) closeConnection(state, connection)
  if (!wasLive && allocation.creation.token) state.options.ports.cancel(allocation.creation.token, now)
  for (const relay of allocation.relays) {
    const { family, port } = relay
    state.deadlines.remove(relay)
    state.options.ports.release(port, now)
    state.emit({ type: 'closeRelay', allocation: allocation.id, family, port, reason })
  }
  cancelMove(state, allocation)
  removeAllocation(state, allocation)
  if (wasLive) state.options.events?.allocationClosed?.(allocation, reason, now)
}

function removeAllocation(state: ServerState, allocation: Allocation): void {
  allocation.state = 'closed'
  state.allocations.remove(allocation)
  state.deadlines.remove(allocation)
  allocation.quota.release(allocation.principal)
  allocation.allowance?.credit?.release()
}

/** Ends what is due: an allocation with all it holds, a permission, a channel, or a connection that nobody bound. */
export function expire(state: ServerState, item: Expiring, now: number): void {
  if (item.kind === 'allocation') closeAllocation(state, item, reasonToExpire(state, item, now), now)
  else if (item.kind === 'relay') closeRelay(state, item, reasonToExpire(state, item.allocation, now), now)
  else if (item.kind === 'connection') expireConnection(state, item, now)
  else if (item.kind === 'permission') removePermission(state, item)
  else removeChannel(state, item)
}

function reasonToExpire(state: ServerState, allocation: Allocation, now: number): CloseReason {
  if (allocation.state === 'pending') return 'relay-failed'
  // The last second is not granted: lifetimes are whole ones.
  return credentialEnd(state, allocation.credentialExpiresAt) - now < 1000 ? 'credential-expired' : 'expired'
}
