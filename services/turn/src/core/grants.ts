/** How permissions and channels come, are refreshed and go: RFC 8656 sections 9 and 12. */
import type { Allocation, Channel, Permission } from './allocation.ts'
import type { PeerVerdict } from './policies.ts'
import type { ServerState } from './state.ts'
import type { Endpoint } from './types.ts'

/** Milliseconds; fixed by RFC 8656 sections 9 and 12. */
export const PERMISSION_LIFETIME = 300_000
export const CHANNEL_LIFETIME = 600_000

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

export function removePermission(state: ServerState, permission: Permission): void {
  const { allocation, address } = permission
  allocation.permissions.delete(address)
  state.deadlines.remove(permission)
  state.emit({ type: 'forbidden', allocation: allocation.id, address })
}

export function removeChannel(state: ServerState, channel: Channel): void {
  const { allocation, number, peer } = channel
  allocation.removeChannel(channel)
  state.deadlines.remove(channel)
  state.emit({ type: 'channelUnbound', allocation: allocation.id, channel: number, peer })
}
