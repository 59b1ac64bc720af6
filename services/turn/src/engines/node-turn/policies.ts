import type { Principal } from '../../core/index.ts'
import { timeLimitedPasswords } from '../../credentials/password-policy.ts'
import { RevokedUsernames, unlessRevoked } from '../../credentials/revocations.ts'
import type { EngineOptions } from '../../engine.ts'
import { peerPolicyFor } from '../../net/peer-rules.ts'
import { SharedQuota } from '../hairpin/shared-quota.ts'
import type { RepairPolicies } from './hooks.ts'

/** Those of the hairpin engine, for its one worker. */
export function policiesOf(
  { config, addresses, secrets, revoked = new RevokedUsernames() }: EngineOptions,
  refuses: (principal: Principal) => boolean,
): RepairPolicies {
  const { userQuota: perUser, totalQuota: total } = config.turn
  const shared = new SharedArrayBuffer(SharedQuota.bytesFor(1))
  const quota = new SharedQuota({ shared, workers: 1, worker: 0, perUser, total })
  return {
    passwords: unlessRevoked((username, now) => timeLimitedPasswords(secrets.turnSecrets)(username, now), revoked),
    quota: {
      acquire: (principal) => !refuses(principal) && quota.acquire(principal),
      release: (principal) => quota.release(principal),
    },
    peers: peerPolicyFor(config.turn, addresses),
  }
}
