/**
 * Security features of RFC 8489: the nonce cookie (section 9.2), PASSWORD-ALGORITHM(S) (14.11, 14.12) and USERHASH
 * (14.4).
 */
import { hash } from 'node:crypto'
import { paddingOf, readU16, writeU16 } from '../bytes.ts'

/** A nonce that starts with this carries a set of security features in the next four base64 characters. */
export const NONCE_COOKIE = 'obMatJos2'

/** Bits of the security feature set, counted from the most significant of 24 (section 18.1). */
export const SecurityFeature = { PasswordAlgorithms: 1 << 23, UsernameAnonymity: 1 << 22 } as const

/** Algorithm numbers of section 18.5. */
export const PasswordAlgorithm = { Md5: 0x0001, Sha256: 0x0002 } as const
export type PasswordAlgorithm = (typeof PasswordAlgorithm)[keyof typeof PasswordAlgorithm]

/** Cookie followed by the 24 feature bits in base64: 13 characters. */
export function encodeNoncePrefix(features: number): string {
  return NONCE_COOKIE + Buffer.from([features >>> 16, features >>> 8, features]).toString('base64')
}

/** The 24 feature bits, or undefined when the nonce carries no cookie. */
export function decodeNonceFeatures(nonce: string): number | undefined {
  if (!nonce.startsWith(NONCE_COOKIE) || nonce.length < 13) return undefined
  const bits = Buffer.from(nonce.slice(9, 13), 'base64')
  return bits.length === 3 ? (bits[0]! << 16) | (bits[1]! << 8) | bits[2]! : undefined
}

/** Value of PASSWORD-ALGORITHMS, in order of preference, or of PASSWORD-ALGORITHM (one). Neither of ours has parameters. */
export function encodePasswordAlgorithms(algorithms: readonly PasswordAlgorithm[]): Uint8Array {
  const value = new Uint8Array(algorithms.length * 4)
  algorithms.forEach((algorithm, i) => {
    writeU16(value, i * 4, algorithm)
  })
  return value
}

/** Algorithm numbers of a PASSWORD-ALGORITHMS or PASSWORD-ALGORITHM value, or undefined when its lengths do not add up. */
export function decodePasswordAlgorithms(value: Uint8Array): number[] | undefined {
  const algorithms: number[] = []
  for (let at = 0; at < value.length; ) {
    if (at + 4 > value.length) return undefined
    const parameters = readU16(value, at + 2)
    algorithms.push(readU16(value, at))
    at += 4 + parameters + paddingOf(parameters)
    if (at > value.length) return undefined
  }
  return algorithms
}

/** SHA-256(username ":" realm): 32 bytes. */
export function userhash(username: string, realm: string): Uint8Array {
  return hash('sha256', `${username}:${realm}`, 'buffer')
}
