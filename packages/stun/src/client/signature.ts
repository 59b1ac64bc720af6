/** How the client signs its requests and checks the answers: RFC 8489 sections 9.2.3 and 9.2.5. */
import {
  decodeNonceFeatures,
  decodePasswordAlgorithms,
  encodePasswordAlgorithms,
  PasswordAlgorithm,
  SecurityFeature,
  userhash,
} from '../attributes/security.ts'
import { decodeText, encodeText } from '../attributes/text.ts'
import { Attribute } from '../attributes/types.ts'
import { copyBytes } from '../bytes.ts'
import { checkIntegrity, checkIntegritySha256, longTermKey } from '../integrity.ts'
import type { Message } from '../message.ts'
import type { MessageWriter } from '../writer.ts'
import type { TurnClientOptions } from './types.ts'

export interface Signature {
  readonly username: string
  readonly realm: string
  readonly nonce: Uint8Array
  readonly key: Uint8Array
  /** PASSWORD-ALGORITHMS as the server sent it; when there, MESSAGE-INTEGRITY-SHA256 is used. */
  readonly offered: Uint8Array | undefined
  readonly algorithm: PasswordAlgorithm
  /** USERHASH in the place of USERNAME. */
  readonly anonymous: boolean
}

/**
 * What a challenge asks for. Undefined where it must not be answered: REALM or NONCE is missing; the nonce says that there
 * are password algorithms, but somebody on the way has taken them out (bid-down); or none of them is known here.
 */
export function answerTo(
  challenge: Message,
  options: TurnClientOptions,
  before: Signature | undefined,
): Signature | undefined {
  const { username, password, sha256 } = options
  const realm = decodeText(challenge.get(Attribute.Realm) ?? EMPTY)
  const nonceValue = challenge.get(Attribute.Nonce)
  if (!realm || !nonceValue) return undefined
  const nonce = copyBytes(nonceValue)
  const features = sha256 ? (decodeNonceFeatures(decodeText(nonce) ?? '') ?? 0) : 0
  const offers = sha256 ? challenge.get(Attribute.PasswordAlgorithms) : undefined
  if ((features & SecurityFeature.PasswordAlgorithms) !== 0 && !offers) return undefined
  const algorithm = offers ? decodePasswordAlgorithms(offers)?.find(isSupported) : PasswordAlgorithm.Md5
  if (algorithm === undefined) return undefined
  const same = before?.realm === realm && before.algorithm === algorithm
  return {
    username,
    realm,
    nonce,
    key: same ? before.key : longTermKey(username, realm, password, algorithm),
    offered: offers && copyBytes(offers),
    algorithm,
    anonymous: (features & SecurityFeature.UsernameAnonymity) !== 0,
  }
}

export function sign(writer: MessageWriter, signature: Signature): void {
  const { username, realm, nonce, key, offered, algorithm, anonymous } = signature
  if (anonymous) writer.attribute(Attribute.Userhash, userhash(username, realm))
  else writer.attribute(Attribute.Username, encodeText(username))
  writer.attribute(Attribute.Realm, encodeText(realm)).attribute(Attribute.Nonce, nonce)
  if (!offered) {
    writer.integrity(key)
    return
  }
  writer
    .attribute(Attribute.PasswordAlgorithms, offered)
    .attribute(Attribute.PasswordAlgorithm, encodePasswordAlgorithms([algorithm]))
    .integritySha256(key)
}

/** Whether the answer to a request signed so is signed likewise; undefined when it is not signed at all. */
export function isAuthentic(answer: Message, { key, offered }: Signature): boolean | undefined {
  if (offered) return answer.has(Attribute.MessageIntegritySha256) ? checkIntegritySha256(answer, key) : undefined
  return answer.has(Attribute.MessageIntegrity) ? checkIntegrity(answer, key) : undefined
}

const EMPTY = new Uint8Array(0)

function isSupported(algorithm: number): algorithm is PasswordAlgorithm {
  return algorithm === PasswordAlgorithm.Md5 || algorithm === PasswordAlgorithm.Sha256
}
