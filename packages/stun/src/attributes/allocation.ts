/**
 * Small attributes of TURN: CHANNEL-NUMBER (RFC 8656 section 18.1), LIFETIME (18.2), REQUESTED-ADDRESS-FAMILY (18.6),
 * EVEN-PORT (18.7), REQUESTED-TRANSPORT (18.8), RESERVATION-TOKEN (18.10), ADDITIONAL-ADDRESS-FAMILY (18.11).
 * DONT-FRAGMENT (18.9) has no value. Each decoder returns undefined on a wrong size.
 */
import { readU16, readU32, writeU16, writeU32 } from '../bytes.ts'

/** Protocol numbers of REQUESTED-TRANSPORT. */
export const Transport = { Tcp: 6, Udp: 17 } as const

/** @param seconds unsigned 32 bits. */
export function encodeLifetime(seconds: number): Uint8Array {
  const value = new Uint8Array(4)
  writeU32(value, 0, seconds)
  return value
}

/** Seconds. */
export function decodeLifetime(value: Uint8Array): number | undefined {
  return value.length === 4 ? readU32(value, 0) : undefined
}

export function encodeChannelNumber(channel: number): Uint8Array {
  const value = new Uint8Array(4)
  writeU16(value, 0, channel)
  return value
}

export function decodeChannelNumber(value: Uint8Array): number | undefined {
  return value.length === 4 ? readU16(value, 0) : undefined
}

export function encodeRequestedTransport(protocol: number): Uint8Array {
  return Uint8Array.of(protocol, 0, 0, 0)
}

export function decodeRequestedTransport(value: Uint8Array): number | undefined {
  return value.length === 4 ? value[0] : undefined
}

/** REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY. */
export function encodeAddressFamily(family: 4 | 6): Uint8Array {
  return Uint8Array.of(family === 4 ? 0x01 : 0x02, 0, 0, 0)
}

/** `unsupported` is a family number other than IPv4's and IPv6's: 440, where a wrong size is 400. */
export function decodeAddressFamily(value: Uint8Array): 4 | 6 | 'unsupported' | undefined {
  if (value.length !== 4) return undefined
  return value[0] === 0x01 ? 4 : value[0] === 0x02 ? 6 : 'unsupported'
}

/** @param reserve the R bit: also reserve the next-higher port. */
export function encodeEvenPort(reserve: boolean): Uint8Array {
  return Uint8Array.of(reserve ? 0x80 : 0)
}

export function decodeEvenPort(value: Uint8Array): { readonly reserve: boolean } | undefined {
  return value.length === 1 ? { reserve: (value[0]! & 0x80) !== 0 } : undefined
}

/** RESERVATION-TOKEN is 8 opaque bytes. */
export function decodeReservationToken(value: Uint8Array): Uint8Array | undefined {
  return value.length === 8 ? value : undefined
}
