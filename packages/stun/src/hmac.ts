/**
 * HMAC (RFC 2104) written out over one-shot hashes: `createHmac` with a key in bytes spends ten microseconds on wrapping the
 * key, four times what the HMAC itself takes (with a key that is a string or a KeyObject it does not).
 */
import { hash } from 'node:crypto'

/** Both hash in blocks of 64 bytes. */
export type HmacHash = 'sha1' | 'sha256'

const BLOCK = 64
/** Calls are synchronous and never nest: one buffer serves them all. */
const scratch = new Uint8Array(BLOCK + 2048)
const outers = { sha1: new Uint8Array(BLOCK + 20), sha256: new Uint8Array(BLOCK + 32) }

/** HMAC of bytes or of a text's UTF-8. The result is the caller's. */
export function hmac(algorithm: HmacHash, key: Uint8Array, data: Uint8Array | string): Uint8Array {
  return hmacOfBlock(algorithm, key, innerBuffer(typeof data === 'string' ? Buffer.from(data, 'utf8') : data))
}

export function hashText(algorithm: 'md5' | HmacHash, text: string): Uint8Array {
  return hash(algorithm, text, 'buffer')
}

/** A block of room for the key and then a copy of `covered`. Valid until the next call of this module. */
export function innerBuffer(covered: Uint8Array): Uint8Array {
  const length = BLOCK + covered.length
  const inner = length <= scratch.length ? scratch.subarray(0, length) : new Uint8Array(length)
  inner.set(covered, BLOCK)
  return inner
}

/** HMAC of what follows the first block of `inner`, which this fills. */
export function hmacOfBlock(algorithm: HmacHash, key: Uint8Array, inner: Uint8Array): Uint8Array {
  const short = key.length > BLOCK ? hash(algorithm, key, 'buffer') : key
  const outer = outers[algorithm]
  for (let i = 0; i < BLOCK; i++) {
    const byte = i < short.length ? short[i]! : 0
    inner[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  }
  outer.set(hash(algorithm, inner, 'buffer'), BLOCK)
  return hash(algorithm, outer, 'buffer')
}
