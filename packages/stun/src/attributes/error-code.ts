/**
 * ERROR-CODE (RFC 8489 section 14.8), UNKNOWN-ATTRIBUTES (14.13), ADDRESS-ERROR-CODE (RFC 8656 section 18.12) and ICMP
 * (18.13).
 */
import { readU16, readU32, writeU16, writeU32 } from '../bytes.ts'
import { decodeText } from './text.ts'

export interface StunError {
  /** 300 to 699. */
  readonly code: number
  readonly reason: string
}

export function encodeErrorCode(code: number, reason = ''): Uint8Array {
  const phrase = Buffer.from(reason, 'utf8')
  const value = new Uint8Array(4 + phrase.length)
  value[2] = Math.floor(code / 100)
  value[3] = code % 100
  value.set(phrase, 4)
  return value
}

export function decodeErrorCode(value: Uint8Array): StunError | undefined {
  if (value.length < 4) return undefined
  const hundreds = value[2]! & 0x07
  const rest = value[3]!
  if (hundreds < 3 || hundreds > 6 || rest > 99) return undefined
  return { code: hundreds * 100 + rest, reason: decodeText(value.subarray(4)) ?? '' }
}

/** ADDRESS-ERROR-CODE: why, of two families asked for, this one was not given. Its family stands where ERROR-CODE has zero. */
export function encodeAddressErrorCode(family: 4 | 6, code: number, reason = ''): Uint8Array {
  const value = encodeErrorCode(code, reason)
  value[0] = family === 4 ? 0x01 : 0x02
  return value
}

export function decodeAddressErrorCode(value: Uint8Array): (StunError & { readonly family: 4 | 6 }) | undefined {
  const error = decodeErrorCode(value)
  if (!error || (value[0] !== 0x01 && value[0] !== 0x02)) return undefined
  return { ...error, family: value[0] === 0x01 ? 4 : 6 }
}

/** An ICMP or ICMPv6 error as the ICMP attribute tells it. */
export interface IcmpError {
  /** Below 128: errors of either protocol are. */
  readonly type: number
  readonly code: number
  /** The next hop's MTU, for "packet too big" (ICMPv6 type 2) and "fragmentation needed" (ICMP type 3, code 4); else 0. */
  readonly data?: number
}

/** Sixteen bits of zero, seven of type, nine of code, thirty-two of data. */
export function encodeIcmp({ type, code, data = 0 }: IcmpError): Uint8Array {
  const value = new Uint8Array(8)
  writeU16(value, 2, ((type & 0x7f) << 9) | (code & 0x1ff))
  writeU32(value, 4, data)
  return value
}

export function decodeIcmp(value: Uint8Array): Required<IcmpError> | undefined {
  if (value.length !== 8) return undefined
  const both = readU16(value, 2)
  return { type: both >>> 9, code: both & 0x1ff, data: readU32(value, 4) }
}

export function encodeUnknownAttributes(types: readonly number[]): Uint8Array {
  const value = new Uint8Array(types.length * 2)
  types.forEach((type, i) => {
    writeU16(value, i * 2, type)
  })
  return value
}

export function decodeUnknownAttributes(value: Uint8Array): number[] {
  const types: number[] = []
  for (let at = 0; at + 1 < value.length; at += 2) types.push(readU16(value, at))
  return types
}
