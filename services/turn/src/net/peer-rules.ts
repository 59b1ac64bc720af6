import type { Config } from '@hairpin/config'
import { createPeerPolicy, DEFAULT_PEER_DENY, type PeerPolicy } from '../core/index.ts'
import type { ServerAddresses } from './addresses.ts'

/**
 * The peer policy of a configuration. HAIRPIN_PEER_DENY adds to the built-in list; what must be open in spite of it is
 * opened by HAIRPIN_PEER_ALLOW, which wins. This host's own addresses are closed except for live relayed ports.
 */
export function peerPolicyFor(
  turn: Pick<Config['turn'], 'peerAllow' | 'peerDeny'>,
  addresses: Pick<ServerAddresses, 'relay' | 'own'>,
): PeerPolicy {
  const relayAddresses = [...new Set(addresses.relay.flatMap(({ external, local }) => [external, local]))]
  return createPeerPolicy({
    deny: [...DEFAULT_PEER_DENY, ...turn.peerDeny],
    allow: turn.peerAllow,
    relayAddresses,
    hostAddresses: addresses.own.filter((address) => !relayAddresses.includes(address)),
  })
}
