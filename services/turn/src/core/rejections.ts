/**
 * Every reason a request is refused, in one place: its STUN error code (RFC 8489 section 14.8, RFC 8656 section 19, RFC 6062 section 6.3),
 * its phrase, whether the answer carries REALM and NONCE, and the metric label when it is a failure to authenticate.
 * Phrases are only sent to clients that have authenticated: to others the answer stays as small as it can.
 */
import type { AuthFailure } from './policies.ts'

export interface RejectionInfo {
  readonly code: number
  readonly phrase: string
  readonly challenge?: true
  readonly authFailure?: AuthFailure
}

export const REJECTIONS = {
  'try-alternate': { code: 300, phrase: 'Try Alternate' },
  'no-credentials': { code: 401, phrase: 'Unauthenticated', challenge: true },
  'malformed-username': { code: 401, phrase: 'Unauthenticated', challenge: true, authFailure: 'malformed-username' },
  expired: { code: 401, phrase: 'Unauthenticated', challenge: true, authFailure: 'expired' },
  revoked: { code: 401, phrase: 'Unauthenticated', challenge: true, authFailure: 'revoked' },
  'unknown-user': { code: 401, phrase: 'Unauthenticated', challenge: true, authFailure: 'unknown-user' },
  integrity: { code: 401, phrase: 'Unauthenticated', challenge: true, authFailure: 'integrity' },
  'stale-nonce': { code: 438, phrase: 'Stale Nonce', challenge: true, authFailure: 'stale-nonce' },
  'incomplete-credentials': { code: 400, phrase: 'Bad Request', authFailure: 'bad-request' },
  'wrong-user': { code: 441, phrase: 'Wrong Credentials', authFailure: 'wrong-user' },
  'bad-request': { code: 400, phrase: 'Bad Request' },
  'unknown-attribute': { code: 420, phrase: 'Unknown Attribute' },
  'allocation-mismatch': { code: 437, phrase: 'Allocation Mismatch' },
  'peer-denied': { code: 403, phrase: 'Forbidden' },
  'address-family': { code: 440, phrase: 'Address Family not Supported' },
  'transport-protocol': { code: 442, phrase: 'Unsupported Transport Protocol' },
  'peer-family': { code: 443, phrase: 'Peer Address Family Mismatch' },
  'connection-exists': { code: 446, phrase: 'Connection Already Exists' },
  'connection-failed': { code: 447, phrase: 'Connection Timeout or Failure' },
  quota: { code: 486, phrase: 'Allocation Quota Reached' },
  capacity: { code: 508, phrase: 'Insufficient Capacity' },
} as const satisfies Record<string, RejectionInfo>

export type Rejection = keyof typeof REJECTIONS

/** The rejection for a reason that the password policy gave. */
export function rejectionOf(reason: AuthFailure): Rejection {
  return reason in REJECTIONS ? (reason as Rejection) : 'unknown-user'
}
