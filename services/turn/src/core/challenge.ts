/**
 * What a 401 or 438 asks for, within what may be reflected: RFC 8489 sections 9.2.1, 9.2.4 and 14.11.
 *
 * The answer goes to whoever the source address claims to be, so it must not be much longer than the question. A real
 * request (an Allocate has at least 28 bytes) is offered everything. A bare header is not: it gets a nonce without cookie
 * and no PASSWORD-ALGORITHMS. Such a nonce is never accepted. If it were, somebody on the path could fetch one with a bare
 * header in the client's name, hand it over in the place of the real one, and so talk the client down to MD5 and SHA-1.
 */
import { Attribute, encodePasswordAlgorithms, encodeText, PasswordAlgorithm } from '@hairpin/stun'
import type { AttributePair, ReplyTo } from './reply.ts'
import type { ServerState } from './state.ts'

/** In order of preference (section 9.2.4). */
export const OFFERED = encodePasswordAlgorithms([PasswordAlgorithm.Sha256, PasswordAlgorithm.Md5])

/** An Allocate with nothing but REQUESTED-TRANSPORT. */
const REAL_REQUEST = 28
const FINGERPRINT = 8

export function challengeFor(state: ServerState, to: ReplyTo, now: number): AttributePair[] {
  const realm: AttributePair = [Attribute.Realm, encodeText(state.options.realm)]
  if (to.size !== undefined && to.size - (to.fingerprint ? FINGERPRINT : 0) < REAL_REQUEST)
    return [realm, [Attribute.Nonce, state.nonces.issueBare(to.from, now)]]
  const nonce: AttributePair = [Attribute.Nonce, state.nonces.issue(to.from, now)]
  return state.offersAlgorithms ? [realm, nonce, [Attribute.PasswordAlgorithms, OFFERED]] : [realm, nonce]
}
