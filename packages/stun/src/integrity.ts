/** Message integrity and the long-term key: RFC 8489 sections 9.2.2, 14.5 and 18.5.1. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { Attribute } from './attributes/types.ts'
import { writeU16 } from './bytes.ts'
import { HEADER_LENGTH } from './header.ts'
import type { Message } from './message.ts'

/** MD5(username ":" realm ":" password). Texts are taken as they are: time-limited credentials are ASCII. */
export function longTermKey(username: string, realm: string, password: string): Uint8Array {
  return createHash('md5').update(`${username}:${realm}:${password}`, 'utf8').digest()
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
  const head = new Uint8Array(4)
  head.set(message.bytes.subarray(0, 2))
  writeU16(head, 2, at + 24 - HEADER_LENGTH)
  const digest = createHmac('sha1', key).update(head).update(message.bytes.subarray(4, at)).digest()
  return timingSafeEqual(digest, value)
}
