import type { Config } from '@hairpin/config'
import ipaddr from 'ipaddr.js'
import { createPeerPolicy, DEFAULT_PEER_DENY, type PeerPolicy } from '../core/index.ts'
import type { ServerAddresses } from './addresses.ts'

/**
 * The peer policy of a configuration. HAIRPIN_PEER_DENY adds to the built-in list (what must be open is opened by
 * HAIRPIN_PEER_ALLOW, which wins). This host's own addresses are closed except for live relayed ports, unless the
 * allow list names them: then its operator wants peers on the host itself.
 */
export function peerPolicyFor(
  turn: Pick<Config['turn'], 'peerAllow' | 'peerDeny'>,
  addresses: Pick<ServerAddresses, 'relay' | 'own'>,
): PeerPolicy {
  const allowed = matcher(turn.peerAllow)
  const relayAddresses = unique(addresses.relay.flatMap(({ external, local }) => [external, local]))
  return createPeerPolicy({
    deny: [...DEFAULT_PEER_DENY, ...turn.peerDeny],
    allow: turn.peerAllow,
    relayAddresses: relayAddresses.filter((address) => !allowed(address)),
    hostAddresses: addresses.own.filter((address) => !relayAddresses.includes(address) && !allowed(address)),
  })
}

function matcher(ranges: readonly string[]): (address: string) => boolean {
  const parsed = ranges.map((range) => ipaddr.parseCIDR(range))
  return (text) => {
    const address = ipaddr.parse(text)
    return parsed.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits))
  }
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)]
}
