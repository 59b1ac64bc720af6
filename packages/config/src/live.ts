/** What a running relay takes up when its settings are read again; everything else counts from the next start. */
import type { Config } from './config.ts'
import type { Environment } from './env.ts'

/** Policies of the relay that can change under live allocations. */
export type LivePolicies = Pick<
  Config['turn'],
  | 'bandwidth'
  | 'bytesPerCredential'
  | 'credentialExpiry'
  | 'limits'
  | 'peerAllow'
  | 'peerDeny'
  | 'totalQuota'
  | 'unauthenticated'
  | 'userQuota'
>

/** The variables that `LivePolicies`, the secrets and the drain are read from. */
const LIVE_VARIABLES: ReadonlySet<string> = new Set([
  'HAIRPIN_ALTERNATE_SERVER',
  'HAIRPIN_API_KEYS',
  'HAIRPIN_BINDING_RATE',
  'HAIRPIN_BYTES_PER_CREDENTIAL',
  'HAIRPIN_CHALLENGE_RATE',
  'HAIRPIN_CREDENTIAL_EXPIRY',
  'HAIRPIN_CREDENTIAL_GRACE',
  'HAIRPIN_LIFETIME',
  'HAIRPIN_MAX_BPS',
  'HAIRPIN_MAX_CHANNELS',
  'HAIRPIN_MAX_LIFETIME',
  'HAIRPIN_MAX_PERMISSIONS',
  'HAIRPIN_NONCE_LIFETIME',
  'HAIRPIN_PEER_ALLOW',
  'HAIRPIN_PEER_DENY',
  'HAIRPIN_SOURCE_PREFIX',
  'HAIRPIN_TOTAL_BPS',
  'HAIRPIN_TOTAL_QUOTA',
  'HAIRPIN_TURN_SECRETS',
  'HAIRPIN_USER_QUOTA',
])

export function livePolicies(turn: Config['turn']): LivePolicies {
  const { bandwidth, bytesPerCredential, credentialExpiry, limits, peerAllow, peerDeny } = turn
  const { totalQuota, unauthenticated, userQuota } = turn
  return {
    bandwidth,
    bytesPerCredential,
    credentialExpiry,
    limits,
    peerAllow,
    peerDeny,
    totalQuota,
    unauthenticated,
    userQuota,
  }
}

/** The configuration of a running relay once it has taken up what it can of `next`. */
export function withLive(running: Config, next: Config): Config {
  const { turnSecrets: _, apiKeys: __, ...credentials } = running.credentials
  const { turnSecrets, apiKeys } = next.credentials
  return {
    ...running,
    turn: {
      ...running.turn,
      ...livePolicies(next.turn),
      drain: { ...running.turn.drain, alternates: next.turn.drain.alternates },
    },
    credentials: { ...credentials, ...(turnSecrets && { turnSecrets }), ...(apiKeys && { apiKeys }) },
  }
}

/** Names of the HAIRPIN_ variables that differ: those that count at once, and those that need a restart. */
export function changedVariables(before: Environment, after: Environment): { live: string[]; fixed: string[] } {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const value = (text: string | undefined) => text?.trim() ?? ''
  const changed = names.filter((name) => name.startsWith('HAIRPIN_') && value(before[name]) !== value(after[name]))
  const { live = [], fixed = [] } = Object.groupBy(changed.sort(), (name) =>
    LIVE_VARIABLES.has(name) ? 'live' : 'fixed',
  )
  return { live, fixed }
}
