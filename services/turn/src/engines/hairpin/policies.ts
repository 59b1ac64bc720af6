/** One worker's policies, made of the settings in force. */
import type { LivePolicies } from '@hairpin/config'
import type { Changes } from '../../core/index.ts'
import type { ServerAddresses } from '../../net/addresses.ts'
import { peerPolicyFor } from '../../net/peer-rules.ts'
import { budgetOf } from './budget.ts'
import type { SharedCredits } from './shared-credits.ts'
import type { SharedQuota } from './shared-quota.ts'

export interface WorkerShare {
  readonly workers: number
  addresses: ServerAddresses
  /** Both take new limits themselves: what they have counted stays counted. */
  readonly quota: SharedQuota
  readonly credits: SharedCredits
}

/**
 * What the core is told when the settings change from `before` to `after`: nothing of what stayed the same, for a budget
 * made anew has full buckets, and whatever changes is a walk over all allocations.
 */
export function policyChanges(before: LivePolicies | undefined, after: LivePolicies, share: WorkerShare): Changes {
  const { workers, addresses, quota, credits } = share
  const differs = (...keys: (keyof LivePolicies)[]) =>
    keys.some((key) => JSON.stringify(before?.[key]) !== JSON.stringify(after[key]))
  const counts = (policies: LivePolicies | undefined) => (policies?.bytesPerCredential ?? 0) > 0
  credits.limit(after.bytesPerCredential)
  quota.limit({ perUser: after.userQuota, total: after.totalQuota })
  return {
    ...(differs('peerAllow', 'peerDeny') && { peers: peerPolicyFor(after, addresses) }),
    ...(differs('unauthenticated') && { budget: budgetOf(after.unauthenticated, workers) }),
    ...(differs('bandwidth') && { bandwidth: { ...after.bandwidth, total: after.bandwidth.total / workers } }),
    ...(differs('credentialExpiry') && { credentialExpiry: after.credentialExpiry }),
    ...(counts(before) !== counts(after) && { credits: counts(after) ? credits : undefined }),
    ...(differs('limits') && { limits: after.limits }),
  }
}
