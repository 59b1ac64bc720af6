/** FINGERPRINT: RFC 8489 section 14.7. */
import { crc32 } from 'node:zlib'
import { Attribute } from './attributes/types.ts'
import { readU32 } from './bytes.ts'
import type { Message } from './message.ts'

const XOR = 0x5354554e

/** CRC-32 of the message up to the attribute, XORed with 0x5354554e. */
export function fingerprintOf(covered: Uint8Array): number {
  return (crc32(covered) ^ XOR) >>> 0
}

/** `absent`, `valid`, or `invalid` (wrong CRC, wrong size, or not the last attribute). */
export function checkFingerprint(message: Message): 'absent' | 'valid' | 'invalid' {
  const at = message.offsetOf(Attribute.Fingerprint)
  if (at < 0) return 'absent'
  if (at + 8 !== message.bytes.length || message.get(Attribute.Fingerprint)!.length !== 4) return 'invalid'
  return readU32(message.bytes, at + 4) === fingerprintOf(message.bytes.subarray(0, at)) ? 'valid' : 'invalid'
}
