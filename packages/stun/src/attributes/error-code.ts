/** ERROR-CODE (RFC 8489 section 14.8) and UNKNOWN-ATTRIBUTES (14.13). */
import { readU16, writeU16 } from '../bytes.ts'
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
