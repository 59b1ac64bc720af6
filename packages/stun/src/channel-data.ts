/** ChannelData messages: RFC 8656 sections 12.4 to 12.6. */
import { readU16, writeU16 } from './bytes.ts'

export const CHANNEL_HEADER_LENGTH = 4

/** RFC 8656 binds 0x4000-0x4FFF; clients of RFC 5766 (turnutils_uclient among them) pick from 0x4000-0x7FFF. */
export const MIN_CHANNEL = 0x4000
export const MAX_CHANNEL = 0x7fff

export function isChannelNumber(channel: number): boolean {
  return channel >= MIN_CHANNEL && channel <= MAX_CHANNEL
}

/** Whether the first two bits say ChannelData. */
export function isChannelData(bytes: Uint8Array): boolean {
  return bytes.length >= CHANNEL_HEADER_LENGTH && (bytes[0]! & 0xc0) === 0x40
}

export type ChannelDataResult =
  | { readonly ok: true; readonly channel: number; readonly data: Uint8Array }
  | { readonly ok: false; readonly reason: 'too-short' | 'not-channel-data' | 'bad-length' }

/** Data is a view. Over UDP bytes past the declared length (padding) are ignored, as section 12.6 allows. */
export function decodeChannelData(bytes: Uint8Array): ChannelDataResult {
  if (bytes.length < CHANNEL_HEADER_LENGTH) return { ok: false, reason: 'too-short' }
  if ((bytes[0]! & 0xc0) !== 0x40) return { ok: false, reason: 'not-channel-data' }
  const length = readU16(bytes, 2)
  if (CHANNEL_HEADER_LENGTH + length > bytes.length) return { ok: false, reason: 'bad-length' }
  const data = bytes.subarray(CHANNEL_HEADER_LENGTH, CHANNEL_HEADER_LENGTH + length)
  return { ok: true, channel: readU16(bytes, 0), data }
}

/** Writes the 4-byte header at `at`; for senders that put header and payload on the wire as two pieces. */
export function writeChannelHeader(into: Uint8Array, channel: number, length: number, at = 0): void {
  writeU16(into, at, channel)
  writeU16(into, at + 2, length)
}

/** @param padded true on streams (TCP, TLS), where the whole is padded to a multiple of four (section 12.5). */
export function encodeChannelData(channel: number, data: Uint8Array, padded = false): Uint8Array {
  const length = CHANNEL_HEADER_LENGTH + data.length
  const bytes = new Uint8Array(padded ? (length + 3) & ~3 : length)
  writeChannelHeader(bytes, channel, data.length)
  bytes.set(data, CHANNEL_HEADER_LENGTH)
  return bytes
}
