/**
 * Address attributes: MAPPED-ADDRESS (RFC 8489 section 14.1), XOR-MAPPED-ADDRESS (14.2), ALTERNATE-SERVER (14.15),
 * XOR-PEER-ADDRESS and XOR-RELAYED-ADDRESS (RFC 8656 sections 18.3, 18.5).
 */
import { formatAddress, parseAddress } from '../address.ts'
import { copyBytes, readU16, writeU16 } from '../bytes.ts'
import type { Endpoint } from '../endpoint.ts'
import { MAGIC_COOKIE } from '../header.ts'

const COOKIE = Uint8Array.of(MAGIC_COOKIE >>> 24, MAGIC_COOKIE >>> 16, MAGIC_COOKIE >>> 8, MAGIC_COOKIE)

/** Value of MAPPED-ADDRESS or ALTERNATE-SERVER, or undefined when its family or size is wrong. */
export function decodeAddress(value: Uint8Array): Endpoint | undefined {
  const family = familyOf(value)
  if (!family) return undefined
  return { address: formatAddress(value.subarray(4)), port: readU16(value, 2), family }
}

/** Value of an XOR-…-ADDRESS. IPv6 is XORed with the cookie and the message's transaction id. */
export function decodeXorAddress(value: Uint8Array, transactionId: Uint8Array): Endpoint | undefined {
  const family = familyOf(value)
  if (!family) return undefined
  const bytes = copyBytes(value.subarray(4))
  applyMask(bytes, transactionId)
  return { address: formatAddress(bytes), port: readU16(value, 2) ^ (MAGIC_COOKIE >>> 16), family }
}

/** @throws TypeError when `endpoint.address` is not an IP address: a programming error, never network input. */
export function encodeAddress(endpoint: { readonly address: string; readonly port: number }): Uint8Array {
  const address = parseAddress(endpoint.address)
  if (!address) throw new TypeError(`not an IP address: ${endpoint.address}`)
  const value = new Uint8Array(4 + address.length)
  value[1] = address.length === 4 ? 0x01 : 0x02
  writeU16(value, 2, endpoint.port)
  value.set(address, 4)
  return value
}

/** @throws TypeError as `encodeAddress`. */
export function encodeXorAddress(
  endpoint: { readonly address: string; readonly port: number },
  transactionId: Uint8Array,
): Uint8Array {
  const value = encodeAddress(endpoint)
  writeU16(value, 2, endpoint.port ^ (MAGIC_COOKIE >>> 16))
  applyMask(value.subarray(4), transactionId)
  return value
}

function familyOf(value: Uint8Array): 4 | 6 | undefined {
  if (value.length === 8 && value[1] === 0x01) return 4
  if (value.length === 20 && value[1] === 0x02) return 6
  return undefined
}

function applyMask(bytes: Uint8Array, transactionId: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i]! ^= i < 4 ? COOKIE[i]! : transactionId[i - 4]!
}
