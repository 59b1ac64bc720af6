/** The 20-byte STUN header: RFC 8489 section 5; methods also RFC 8656 section 17 and RFC 6062 section 6.1. */
import { readU16, readU32 } from './bytes.ts'

export const MAGIC_COOKIE = 0x2112a442
export const HEADER_LENGTH = 20

export const Class = { Request: 0, Indication: 1, Success: 2, Error: 3 } as const
export type Class = (typeof Class)[keyof typeof Class]

export const Method = {
  Binding: 0x001,
  Allocate: 0x003,
  Refresh: 0x004,
  Send: 0x006,
  Data: 0x007,
  CreatePermission: 0x008,
  ChannelBind: 0x009,
  Connect: 0x00a,
  ConnectionBind: 0x00b,
  ConnectionAttempt: 0x00c,
} as const

/** `Allocate` → `allocate`…, for metric labels; `other` for a method this codec has no name for. */
export function methodName(method: number): string {
  return METHOD_NAMES.get(method) ?? 'other'
}
const METHOD_NAMES = new Map<number, string>(
  Object.entries(Method).map(([name, value]) => [
    value,
    name.replace(/[a-z][A-Z]/g, (m) => `${m[0]}_${m[1]}`).toLowerCase(),
  ]),
)

/** Packs method and class into the 14-bit message type (the class bits sit at 0x0100 and 0x0010). */
export function packType(method: number, cls: Class): number {
  return (method & 0x000f) | ((method & 0x0070) << 1) | ((method & 0x0f80) << 2) | ((cls & 1) << 4) | ((cls & 2) << 7)
}

export function unpackMethod(type: number): number {
  return (type & 0x000f) | ((type & 0x00e0) >> 1) | ((type & 0x3e00) >> 2)
}

export function unpackClass(type: number): Class {
  return (((type & 0x0010) >> 4) | ((type & 0x0100) >> 7)) as Class
}

/**
 * What a datagram (or stream frame) is, by its first bits (RFC 7983 and RFC 8656 section 12.4):
 * 0-3 STUN, 64-127 ChannelData, anything else neither.
 */
export function classify(bytes: Uint8Array): 'stun' | 'channel-data' | 'unknown' {
  const first = bytes[0]
  if (first === undefined) return 'unknown'
  if (first < 0x04) return 'stun'
  return (first & 0xc0) === 0x40 ? 'channel-data' : 'unknown'
}

/** Whether `bytes` starts with a header that could be STUN: two zero bits, the cookie, a length divisible by four. */
export function looksLikeStun(bytes: Uint8Array): boolean {
  return (
    bytes.length >= HEADER_LENGTH &&
    (bytes[0]! & 0xc0) === 0 &&
    (bytes[3]! & 3) === 0 &&
    readU32(bytes, 4) === MAGIC_COOKIE
  )
}

/** Length of the whole message as its header says, header included. */
export function declaredLength(bytes: Uint8Array): number {
  return HEADER_LENGTH + readU16(bytes, 2)
}
