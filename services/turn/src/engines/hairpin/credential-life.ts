import type { Config } from '@hairpin/config'
import type { Output, TurnServer } from '../../core/index.ts'

/**
 * Ends the allocations that are past the end of their credential; undefined where the policy lets them live. The core
 * grants no lifetime beyond that end, but a second at least: a client that refreshes within every second would go on.
 */
export function credentialSweep(
  policy: Config['turn']['credentialExpiry'],
): ((server: TurnServer, now: number) => Output[]) | undefined {
  if (policy === 'allow') return undefined
  const grace = policy === 'disconnect' ? 0 : policy.grace * 1000
  return (server, now) => {
    const outputs: Output[] = []
    for (const allocation of [...server.allocations])
      if (allocation.credentialExpiresAt + grace <= now)
        outputs.push(...server.close(allocation, 'credential-expired', now))
    return outputs
  }
}
