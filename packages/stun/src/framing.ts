/** Framing on streams (TCP, TLS): RFC 8489 section 6.2.2 and RFC 8656 section 12.5. */
import { readU16, readU32 } from './bytes.ts'
import { CHANNEL_HEADER_LENGTH } from './channel-data.ts'
import { HEADER_LENGTH, MAGIC_COOKIE } from './header.ts'

/**
 * Bytes of the frame at the start of `bytes`, padding included; 0 when more bytes are needed to tell;
 * -1 when the stream is neither STUN nor ChannelData and must be closed. Sixteen-bit lengths bound a frame to 65 556 bytes.
 */
export function frameLength(bytes: Uint8Array): number {
  if (bytes.length < 4) return bytes.length > 0 && (bytes[0]! & 0x80) !== 0 ? -1 : 0
  const length = readU16(bytes, 2)
  const first = bytes[0]! & 0xc0
  if (first === 0x40) return CHANNEL_HEADER_LENGTH + ((length + 3) & ~3)
  if (first !== 0 || (length & 3) !== 0) return -1
  if (bytes.length >= 8 && readU32(bytes, 4) !== MAGIC_COOKIE) return -1
  return HEADER_LENGTH + length
}
