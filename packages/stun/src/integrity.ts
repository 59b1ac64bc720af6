/** Message integrity and the long-term key: RFC 8489 sections 9.2.2, 14.5 and 18.5.1. */
import { hash, timingSafeEqual } from 'node:crypto'
import { Attribute } from './attributes/types.ts'
import { writeU16 } from './bytes.ts'
import { HEADER_LENGTH } from './header.ts'
import type { Message } from './message.ts'

/** MD5(username ":" realm ":" password). Texts are taken as they are: time-limited credentials are ASCII. */
export function longTermKey(username: string, realm: string, password: string): Uint8Array {
  return hash('md5', `${username}:${realm}:${password}`, 'buffer')
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

/** The value of a MESSAGE-INTEGRITY that comes after `covered`. */
export function integrityOf(key: Uint8Array, covered: Uint8Array): Uint8Array {
  const inner = BLOCK + covered.length <= scratch.length ? scratch : new Uint8Array(BLOCK + covered.length)
  inner.set(covered, BLOCK)
  writeU16(inner, BLOCK + 2, covered.length + 24 - HEADER_LENGTH)
  return hmacSha1(key, inner.subarray(0, BLOCK + covered.length))
}

const BLOCK = 64
/** Calls are synchronous and never nest: one buffer serves them all. */
const scratch = new Uint8Array(BLOCK + 2048)
const outer = new Uint8Array(BLOCK + 20)

/**
 * HMAC-SHA1 (RFC 2104) of what follows the first block of `inner`, which this fills. Written out over one-shot hashes:
 * `createHmac` with a raw key spends ten microseconds on wrapping the key, four times what the HMAC itself takes.
 */
function hmacSha1(key: Uint8Array, inner: Uint8Array): Uint8Array {
  const short = key.length > BLOCK ? hash('sha1', key, 'buffer') : key
  for (let i = 0; i < BLOCK; i++) {
    const byte = i < short.length ? short[i]! : 0
    inner[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  }
  outer.set(hash('sha1', inner, 'buffer'), BLOCK)
  return hash('sha1', outer, 'buffer')
}
