/** CONNECTION-ID: RFC 6062 section 6.2.1, "a 32-bit unsigned integral value" that names a peer data connection. */
import { readU32, writeU32 } from '../bytes.ts'

/** @param connection unsigned 32 bits. */
export function encodeConnectionId(connection: number): Uint8Array {
  const value = new Uint8Array(4)
  writeU32(value, 0, connection)
  return value
}

/** Undefined on a wrong size. */
export function decodeConnectionId(value: Uint8Array): number | undefined {
  return value.length === 4 ? readU32(value, 0) : undefined
}
