/** What becomes of an allocation whose credential expires while it lives. */
import type { ServerState } from './state.ts'

/**
 * - `allow`: it goes on, and may be refreshed without end, as the REST draft and coturn have it.
 * - `grace`: it ends so many seconds after its credential.
 * - `disconnect`: it ends with it.
 */
export type CredentialExpiry = 'allow' | { readonly grace: number } | 'disconnect'

/** Milliseconds since the epoch at which an allocation of such a credential ends whatever its client does. */
export function credentialEnd(state: ServerState, credentialExpiresAt: number): number {
  const policy = state.options.credentialExpiry ?? 'allow'
  if (policy === 'allow') return Number.POSITIVE_INFINITY
  return credentialExpiresAt + (policy === 'disconnect' ? 0 : policy.grace * 1000)
}

/** Seconds that can be granted: what was to be, but not past the end, and at least one. The client is told the truth. */
export function withinCredential(
  state: ServerState,
  credentialExpiresAt: number,
  seconds: number,
  now: number,
): number {
  const left = Math.floor((credentialEnd(state, credentialExpiresAt) - now) / 1000)
  return Math.max(1, Math.min(seconds, left))
}
