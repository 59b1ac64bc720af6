import { type Config, ConfigError } from '@hairpin/config'
import { canonicalAddress } from '@hairpin/stun'
import type { DiscoveryAddresses } from './addresses.ts'
import { claimPort, ListenError } from './listen-port.ts'

/**
 * Where NAT behaviour discovery is served, when it is configured; the port is claimed.
 * @param listen what the relay listens on
 * @throws ConfigError naming HAIRPIN_DISCOVERY_IPS, or HAIRPIN_DISCOVERY_PORT when another program has it
 */
export function discoveryAddresses(
  { discovery }: Pick<Config['turn'], 'discovery'>,
  listen: readonly string[],
): DiscoveryAddresses | undefined {
  if (!discovery) return undefined
  const canonical = (address: string) => canonicalAddress(address) ?? address
  const pairs = discovery.ips.map(({ public: outside, local }) => ({
    external: canonical(outside),
    local: canonical(local ?? outside),
  }))
  const [first, second] = pairs as [(typeof pairs)[0], (typeof pairs)[0]]
  for (const { local } of pairs)
    if (!listen.includes(local)) throw new ConfigError('HAIRPIN_DISCOVERY_IPS', `the relay does not listen on ${local}`)
  const locals = pairs.map(({ local }) => local)
  try {
    return { port: claimPort(locals, discovery.port), first, second }
  } catch (error) {
    if (!(error instanceof ListenError)) throw error
    throw new ConfigError('HAIRPIN_DISCOVERY_PORT', `cannot listen on UDP port ${discovery.port}: ${error.code}`)
  }
}
