/** The long-term credential mechanism: RFC 8489 section 9.2.4. No state is made here, whatever comes in. */
import { Attribute, checkIntegrity, decodeText, longTermKey, MAX_USERNAME } from '@hairpin/stun'
import { rejectionOf } from './rejections.ts'
import { reject } from './reply.ts'
import type { AuthenticRequest, Request } from './request.ts'
import type { ServerState } from './state.ts'

/** Checks the request; rejects and returns undefined when it is not authentic. */
export function authenticate(state: ServerState, request: Request): AuthenticRequest | undefined {
  const { message, now } = request
  // 1. Without MESSAGE-INTEGRITY: challenge. (MESSAGE-INTEGRITY-SHA256 is not on offer, so alone it is no credential.)
  if (!message.has(Attribute.MessageIntegrity)) return void reject(state, request, 'no-credentials', now)

  // 2. USERNAME, REALM and NONCE belong to it.
  const name = message.get(Attribute.Username)
  const nonce = message.get(Attribute.Nonce)
  if (!name || !nonce || !message.has(Attribute.Realm))
    return void reject(state, request, 'incomplete-credentials', now)

  // 3. A stale or foreign nonce: 438 with a fresh one. RFC 8489 lists this check last, RFC 5389 here. Here it is the
  //    cheapest check, and a flood from forged addresses goes no further; a client only sees the difference when nonce and
  //    password are both wrong: it is told of the one, then of the other.
  if (!state.nonces.check(nonce, request.from, now)) return void reject(state, request, 'stale-nonce', now)

  const username = decodeText(name, MAX_USERNAME)
  if (username === undefined) return void reject(state, request, 'malformed-username', now)

  // 4. On an existing allocation its own key holds, although the credential may have expired since.
  const allocation = state.allocations.find(request.listener, request.from.address, request.from.port)
  if (allocation?.username === username && checkIntegrity(message, allocation.key))
    return { ...request, username, key: allocation.key }

  // 5. Unknown, expired or revoked user.
  const account = state.options.passwords(username, now)
  if (!account.ok) return void reject(state, request, rejectionOf(account.reason), now)

  // 6. The integrity must be right under one of the candidate passwords.
  for (const password of account.passwords) {
    const key = longTermKey(username, state.options.realm, password)
    if (checkIntegrity(message, key)) return { ...request, username, key, account }
  }
  return void reject(state, request, 'integrity', now)
}
