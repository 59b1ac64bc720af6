import type { LivePolicies } from '@hairpin/config'
import { type AppRules, AppTable } from '../../apps/table.ts'
import type { Principal } from '../../core/index.ts'
import { timeLimitedPasswords } from '../../credentials/password-policy.ts'
import { RevokedUsernames, unlessRevoked } from '../../credentials/revocations.ts'
import type { EngineOptions } from '../../engine.ts'
import { peerPolicyFor } from '../../net/peer-rules.ts'
import { SharedQuota } from '../hairpin/shared-quota.ts'
import type { RepairPolicies } from './hooks.ts'

/** Those of the hairpin engine, for its one worker. */
export function policiesOf(
  { config, addresses, secrets, apps: rules = [], revoked = new RevokedUsernames() }: EngineOptions,
  refuses: (principal: Principal) => boolean,
): RepairPolicies & {
  readonly change: (policies: LivePolicies) => void
  readonly setApps: (apps: readonly AppRules[]) => void
} {
  const { userQuota: perUser, totalQuota: total } = config.turn
  const apps = new AppTable(rules)
  const limitsOf = (app: string) => apps.quotasOf(app)
  const secretsOf = (app: string) => apps.secretsOf(app)
  const shared = new SharedArrayBuffer(SharedQuota.bytesFor(1))
  const quota = new SharedQuota({ shared, workers: 1, worker: 0, perUser, total, limitsOf })
  let peers = peerPolicyFor(config.turn, addresses)
  return {
    passwords: unlessRevoked(
      (username, now) => timeLimitedPasswords(secrets.turnSecrets, secretsOf)(username, now),
      revoked,
    ),
    quota: {
      acquire: (principal) => !refuses(principal) && quota.acquire(principal),
      release: (principal) => quota.release(principal),
    },
    peers: { check: (address) => peers.check(address) },
    setApps(next) {
      apps.replace(next)
    },
    change(policies) {
      quota.limit({ perUser: policies.userQuota, total: policies.totalQuota })
      peers = peerPolicyFor(policies, addresses)
    },
  }
}
