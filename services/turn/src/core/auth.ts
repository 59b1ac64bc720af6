/** The long-term credential mechanism: RFC 8489 section 9.2.4. No state is made here, whatever comes in. */
import {
  Attribute,
  checkIntegrity,
  checkIntegritySha256,
  decodePasswordAlgorithms,
  decodeText,
  equalBytes,
  longTermKey,
  MAX_USERNAME,
  type Message,
  PasswordAlgorithm,
  userhash,
} from '@hairpin/stun'
import type { Allocation } from './allocation.ts'
import { OFFERED } from './challenge.ts'
import { claimedBy, forward } from './mobility.ts'
import { rejectionOf } from './rejections.ts'
import { reject } from './reply.ts'
import type { AuthenticRequest, Request } from './request.ts'
import type { ServerState } from './state.ts'
import { connectionOf } from './tcp/ownership.ts'

/** Checks the request; rejects and returns undefined when it is not authentic. */
export function authenticate(state: ServerState, request: Request): AuthenticRequest | undefined {
  const { message, now } = request
  // 1. Without MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256: challenge.
  const strong = message.has(Attribute.MessageIntegritySha256)
  if (!strong && !message.has(Attribute.MessageIntegrity)) return void reject(state, request, 'no-credentials', now)

  // 2. USERNAME or USERHASH, REALM and NONCE belong to it.
  const nonce = message.get(Attribute.Nonce)
  const named = message.has(Attribute.Username) !== message.has(Attribute.Userhash)
  if (!named || !nonce || !message.has(Attribute.Realm))
    return void reject(state, request, 'incomplete-credentials', now)

  // 3. A stale or foreign nonce: 438 with a fresh one. RFC 8489 lists this check last, RFC 5389 here. Here it is the
  //    cheapest check, and a flood from forged addresses goes no further; a client only sees the difference when nonce and
  //    password are both wrong: it is told of the one, then of the other.
  if (!state.nonces.check(nonce, request.from, now)) return void reject(state, request, 'stale-nonce', now)

  // 4. The password algorithm: one that was offered, with the offer as it was made; MD5 when the client names none.
  //    A ticket names an allocation that was made elsewhere: at another five-tuple, or by another worker.
  const claimed = claimedBy(state, request)
  if (claimed === 'elsewhere') return forward(state, request) as undefined
  const here = state.allocations.find(request.listener, request.from.address, request.from.port)
  //    So does a connection id.
  const allocation = typeof claimed === 'object' ? claimed : (connectionOf(state, request)?.allocation ?? here)
  const chosen = chosenAlgorithm(state, message, allocation !== undefined)
  if (chosen === 'invalid') return void reject(state, request, 'incomplete-credentials', now)
  const algorithm = chosen ?? PasswordAlgorithm.Md5

  // 5. Who it is.
  const username = usernameOf(state, message, allocation)
  if (username === undefined)
    return void reject(state, request, message.has(Attribute.Username) ? 'malformed-username' : 'unknown-user', now)

  // 6. On an existing allocation its own key holds, although the credential may have expired since.
  const holds = strong ? checkIntegritySha256 : checkIntegrity
  const authentic = { ...request, username, algorithm, sha256: chosen !== undefined }
  if (allocation?.username === username && allocation.algorithm === algorithm && holds(message, allocation.key))
    return { ...authentic, key: allocation.key }

  // 7. Unknown, expired or revoked user.
  const account = state.options.passwords(username, now)
  if (!account.ok) return void reject(state, request, rejectionOf(account.reason), now)

  // 8. The integrity must be right under one of the candidate passwords.
  for (const password of account.passwords) {
    const key = longTermKey(username, state.options.realm, password, algorithm)
    if (holds(message, key)) return { ...authentic, key, account }
  }
  return void reject(state, request, 'integrity', now)
}

/**
 * PASSWORD-ALGORITHM, undefined when the request has neither it nor PASSWORD-ALGORITHMS. PASSWORD-ALGORITHMS must be what
 * was offered: a shorter list is the trace of somebody who shortened it on the way. On an existing allocation it may be
 * left out, as section 9.2.3.2 has it for subsequent requests.
 */
function chosenAlgorithm(
  state: ServerState,
  message: Message,
  subsequent: boolean,
): PasswordAlgorithm | undefined | 'invalid' {
  const offer = message.get(Attribute.PasswordAlgorithms)
  const choice = message.get(Attribute.PasswordAlgorithm)
  if (!state.offersAlgorithms || (!offer && !choice)) return undefined
  if (!choice || (offer ? !equalBytes(offer, OFFERED) : !subsequent)) return 'invalid'
  const [algorithm, ...others] = decodePasswordAlgorithms(choice) ?? []
  const known = algorithm === PasswordAlgorithm.Md5 || algorithm === PasswordAlgorithm.Sha256
  return known && others.length === 0 ? algorithm : 'invalid'
}

/**
 * The name that USERNAME gives, or that USERHASH stands for: that of the allocation. Others are not known here: whoever
 * holds the secret mints names without end, so username anonymity is not announced, and clients do not ask for it.
 */
function usernameOf(state: ServerState, message: Message, allocation: Allocation | undefined): string | undefined {
  const name = message.get(Attribute.Username)
  if (name) return decodeText(name, MAX_USERNAME)
  const hash = message.get(Attribute.Userhash)
  if (hash?.length !== 32 || !allocation) return undefined
  return equalBytes(hash, userhash(allocation.username, state.options.realm)) ? allocation.username : undefined
}
