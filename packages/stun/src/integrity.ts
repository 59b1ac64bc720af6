/**
 * Message integrity and the long-term key: RFC 8489 sections 9.2.2, 14.5 (MESSAGE-INTEGRITY, HMAC-SHA1), 14.6
 * (MESSAGE-INTEGRITY-SHA256) and 18.5.1 (password algorithms).
 */
import { timingSafeEqual } from 'node:crypto'
import { PasswordAlgorithm } from './attributes/security.ts'
import { Attribute } from './attributes/types.ts'
import { writeU16 } from './bytes.ts'
import { HEADER_LENGTH } from './header.ts'
import { hashText, hmacOfBlock, innerBuffer } from './hmac.ts'
import type { Message } from './message.ts'

/**
 * MD5 or SHA-256 of username ":" realm ":" password. Texts are taken as they are: time-limited credentials are ASCII, for
 * which OpaqueString (RFC 8265) changes nothing.
 */
export function longTermKey(
  username: string,
  realm: string,
  password: string,
  algorithm: PasswordAlgorithm = PasswordAlgorithm.Md5,
): Uint8Array {
  return hashText(algorithm === PasswordAlgorithm.Sha256 ? 'sha256' : 'md5', `${username}:${realm}:${password}`)
}

/** Short-term credentials key the HMAC with the password itself (section 9.1.1). */
export function shortTermKey(password: string): Uint8Array {
  return Buffer.from(password, 'utf8')
}

/**
 * Whether MESSAGE-INTEGRITY is there and right under `key`, in constant time.
 * The header's length is taken as if the message ended with the attribute, whatever follows.
 */
export function checkIntegrity(message: Message, key: Uint8Array): boolean {
  const at = message.offsetOf(Attribute.MessageIntegrity)
  const value = message.get(Attribute.MessageIntegrity)
  if (at < 0 || value?.length !== 20) return false
  return timingSafeEqual(integrityOf(key, message.bytes.subarray(0, at)), value)
}

/** As `checkIntegrity`, for MESSAGE-INTEGRITY-SHA256. TURN does not allow to truncate it, so it must have 32 bytes. */
export function checkIntegritySha256(message: Message, key: Uint8Array): boolean {
  const at = message.offsetOf(Attribute.MessageIntegritySha256)
  const value = message.get(Attribute.MessageIntegritySha256)
  if (at < 0 || value?.length !== 32) return false
  return timingSafeEqual(integritySha256Of(key, message.bytes.subarray(0, at)), value)
}

/** The value of a MESSAGE-INTEGRITY that comes after `covered`. */
export function integrityOf(key: Uint8Array, covered: Uint8Array): Uint8Array {
  return hmacOfBlock('sha1', key, innerOf(covered, 24))
}

/** The value of a MESSAGE-INTEGRITY-SHA256 that comes after `covered`. */
export function integritySha256Of(key: Uint8Array, covered: Uint8Array): Uint8Array {
  return hmacOfBlock('sha256', key, innerOf(covered, 36))
}

/** The covered bytes behind room for the key, the header's length set to end with an attribute of `size` bytes. */
function innerOf(covered: Uint8Array, size: number): Uint8Array {
  const inner = innerBuffer(covered)
  writeU16(inner, inner.length - covered.length + 2, covered.length + size - HEADER_LENGTH)
  return inner
}
