/** How allocations, permissions and channels come, are refreshed and go. */
import { Attribute, encodeLifetime, encodeXorAddress } from '@hairpin/stun'
import type { Allocation, Channel, Permission } from './allocation.ts'
import type { PeerVerdict } from './policies.ts'
import { reject, succeed } from './reply.ts'
import type { ServerState } from './state.ts'
import type { CloseReason, Endpoint } from './types.ts'

/** Milliseconds; fixed by RFC 8656 sections 9 and 12. */
export const PERMISSION_LIFETIME = 300_000
export const CHANNEL_LIFETIME = 600_000
/** A driver that never answers `openRelay` must not hold a five-tuple for ever. */
const OPENING_TIMEOUT = 10_000
/** Ports tried before 508: another process may hold what the pool believes free. */
const MAX_ATTEMPTS = 4

/** Puts a pending allocation in the table and asks for its relay socket. Quota and port have been acquired. */
export function startAllocation(state: ServerState, allocation: Allocation, now: number): void {
  state.allocations.add(allocation)
  state.deadlines.set(allocation, now + OPENING_TIMEOUT)
  openRelay(state, allocation)
}

function openRelay(state: ServerState, allocation: Allocation): void {
  const { family, port } = allocation.relays[0]!
  allocation.creation.attempts++
  state.emit({ type: 'openRelay', allocation: allocation.id, family, port })
}

/** The relay socket is bound: the allocation lives from now. */
export function completeAllocation(state: ServerState, allocation: Allocation, now: number): void {
  allocation.state = 'live'
  state.deadlines.set(allocation, now + allocation.creation.lifetime * 1000)
  state.options.events?.allocationOpened?.(allocation, now)
  answerAllocate(state, allocation)
}

/** The success response of the Allocate that made this allocation; again the same for its retransmissions. */
export function answerAllocate(state: ServerState, allocation: Allocation): void {
  const { reply, lifetime, token } = allocation.creation
  const id = reply.transactionId
  succeed(state, reply, [
    [Attribute.XorRelayedAddress, encodeXorAddress(allocation.relays[0]!.advertised, id)],
    [Attribute.Lifetime, encodeLifetime(lifetime)],
    [Attribute.XorMappedAddress, encodeXorAddress(allocation.client, id)],
    ...(token ? [[Attribute.ReservationToken, token] as const] : []),
  ])
}

/** The socket could not be bound: another port, or in the end 508. */
export function retryAllocation(state: ServerState, allocation: Allocation, now: number): void {
  const { creation } = allocation
  const { family, port, advertised } = allocation.relays[0]!
  const { ports } = state.options
  ports.release(port, now)
  if (creation.token) ports.cancel(creation.token, now)
  allocation.relays.length = 0
  const lease =
    creation.request !== 'reserved' && creation.attempts < MAX_ATTEMPTS
      ? ports.acquire(creation.request, family, now)
      : undefined
  if (!lease) {
    removeAllocation(state, allocation)
    reject(state, creation.reply, 'capacity', now)
    return
  }
  creation.token = lease.token
  allocation.relays.push({ family, port: lease.port, advertised: { ...advertised, port: lease.port } })
  openRelay(state, allocation)
}

export function closeAllocation(state: ServerState, allocation: Allocation, reason: CloseReason, now: number): void {
  if (allocation.state === 'closed') return
  const wasLive = allocation.state === 'live'
  for (const channel of [...allocation.channels]) removeChannel(state, channel)
  for (const permission of [...allocation.permissions.values()]) removePermission(state, permission)
  if (!wasLive && allocation.creation.token) state.options.ports.cancel(allocation.creation.token, now)
  for (const { family, port } of allocation.relays) {
    state.options.ports.release(port, now)
    state.emit({ type: 'closeRelay', allocation: allocation.id, family, port, reason })
  }
  removeAllocation(state, allocation)
  if (wasLive) state.options.events?.allocationClosed?.(allocation, reason, now)
}

function removeAllocation(state: ServerState, allocation: Allocation): void {
  allocation.state = 'closed'
  state.allocations.remove(allocation)
  state.deadlines.remove(allocation)
  state.options.quota.release(allocation.principal)
}

/** Installs or refreshes (RFC 8656 section 9). `verdict` is not `deny`. */
export function installPermission(
  state: ServerState,
  allocation: Allocation,
  address: string,
  verdict: PeerVerdict,
  now: number,
): void {
  let permission = allocation.permissions.get(address)
  if (!permission) {
    permission = { kind: 'permission', allocation, address, own: verdict === 'own', expiresAt: 0, heapIndex: -1 }
    allocation.permissions.set(address, permission)
  }
  state.deadlines.set(permission, now + PERMISSION_LIFETIME)
  state.emit({ type: 'permitted', allocation: allocation.id, address })
}

/** Binds or refreshes (section 12.2); the caller has checked that number and peer are free or belong together. */
export function bindChannel(
  state: ServerState,
  allocation: Allocation,
  number: number,
  peer: Endpoint,
  verdict: PeerVerdict,
  now: number,
): void {
  let channel = allocation.channelByNumber(number)
  if (!channel) {
    channel = { kind: 'channel', allocation, number, peer, own: verdict === 'own', expiresAt: 0, heapIndex: -1 }
    allocation.addChannel(channel)
  }
  state.deadlines.set(channel, now + CHANNEL_LIFETIME)
  state.emit({ type: 'channelBound', allocation: allocation.id, channel: number, peer: channel.peer })
}

/** Ends what is due: an allocation with all it holds, a permission, or a channel. */
export function expire(state: ServerState, item: Allocation | Permission | Channel, now: number): void {
  if (item.kind === 'allocation')
    closeAllocation(state, item, item.state === 'pending' ? 'relay-failed' : 'expired', now)
  else if (item.kind === 'permission') removePermission(state, item)
  else removeChannel(state, item)
}

function removePermission(state: ServerState, permission: Permission): void {
  const { allocation, address } = permission
  allocation.permissions.delete(address)
  state.deadlines.remove(permission)
  state.emit({ type: 'forbidden', allocation: allocation.id, address })
}

function removeChannel(state: ServerState, channel: Channel): void {
  const { allocation, number, peer } = channel
  allocation.removeChannel(channel)
  state.deadlines.remove(channel)
  state.emit({ type: 'channelUnbound', allocation: allocation.id, channel: number, peer })
}
