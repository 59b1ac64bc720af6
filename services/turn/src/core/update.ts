/** Changing policies while allocations live: nothing is dropped that the new policies allow. */
import type { Allocation } from './allocation.ts'
import { shapeAllocation, shapeTotal } from './bandwidth.ts'
import { NO_CREDIT } from './credits.ts'
import { credentialEnd } from './expiry.ts'
import { removeChannel, removePermission } from './grants.ts'
import type { TurnServerOptions } from './options.ts'
import type { ServerState } from './state.ts'
import { closeConnection } from './tcp/lifecycle.ts'

/** What can change; the rest (realm, keys, ports, what the driver can do) is for the life of the server. */
export type Changes = Partial<
  Pick<
    TurnServerOptions,
    | 'bandwidth'
    | 'budget'
    | 'credentialExpiry'
    | 'credits'
    | 'limits'
    | 'passwords'
    | 'peers'
    | 'quota'
    | 'relayAddresses'
    | 'software'
    | 'throttle'
  >
>

/**
 * - `passwords`: for new allocations; live ones keep the key they were made with (`revoke` ends them).
 * - `peers`: permissions, channels and connections of peers that are denied now end at once.
 * - `quota`: what is allocated stays counted where it was counted.
 * - `bandwidth`, `throttle`: at once. `credentialExpiry`: at once where it shortens, else at the next Refresh.
 * - `credits`: live allocations draw from them from now on, and relay nothing more where their username has none left.
 */
export function applyChanges(state: ServerState, changes: Changes, now: number): void {
  state.reconfigure(changes)
  if (changes.peers) for (const allocation of state.allocations) recheckPeers(state, allocation)
  if ('credits' in changes)
    for (const allocation of state.allocations) {
      allocation.allowance?.credit?.release()
      const { username, credentialExpiresAt } = allocation
      const credit = changes.credits && (changes.credits.acquire(username, credentialExpiresAt, now) ?? NO_CREDIT)
      shapeAllocation(state, allocation, credit, now)
    }
  if ('bandwidth' in changes || 'throttle' in changes) {
    shapeTotal(state, now)
    for (const allocation of state.allocations) shapeAllocation(state, allocation, allocation.allowance?.credit, now)
  }
  if ('credentialExpiry' in changes)
    for (const allocation of state.allocations) {
      const end = Math.max(now, credentialEnd(state, allocation.credentialExpiresAt))
      for (const relay of allocation.relays)
        if (relay.heapIndex >= 0 && relay.expiresAt > end) state.deadlines.set(relay, end)
      if (allocation.state === 'live' && allocation.expiresAt > end) state.deadlines.set(allocation, end)
    }
}

function recheckPeers(state: ServerState, allocation: Allocation): void {
  const { peers } = state.options
  for (const permission of [...allocation.permissions.values()]) {
    const verdict = peers.check(permission.address)
    permission.own = verdict === 'own'
    if (verdict === 'deny') removePermission(state, permission)
  }
  for (const connection of [...allocation.connections])
    if (peers.check(connection.peer.address) === 'deny') closeConnection(state, connection)
  for (const channel of [...allocation.channels]) {
    const verdict = peers.check(channel.peer.address)
    channel.own = verdict === 'own'
    if (verdict === 'deny') removeChannel(state, channel)
  }
}
