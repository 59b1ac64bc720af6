/**
 * Stateless nonces: RFC 8489 section 9.2 (cookie and security features); RFC 8656 section 5 asks that they expire.
 *
 * cookie(9) ‖ features(4) ‖ base64url(time(2) ‖ HMAC-SHA256(key, time ‖ client address and port)(6))(11) = 24 characters.
 * A nonce proves that its bearer received a packet at this address lately; nothing is remembered for it. It is short
 * because it is most of a 401, and a 401 goes to whoever the source address claims to be. For why there are bare ones,
 * see challenge.ts.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { encodeNoncePrefix, NONCE_COOKIE } from '@hairpin/stun'
import type { Endpoint } from './types.ts'

/** Milliseconds of a tick: sixteen bits of ticks come round after six days, far beyond any nonce's life. */
const TICK = 8_000
const LENGTH = 24
/** Characters of cookie and features. */
const PREFIX = NONCE_COOKIE.length + 4

export class Nonces {
  readonly #key: KeyObject
  readonly #maxAge: number
  readonly #prefix: string

  /** @param lifetime seconds. @param features bits of `SecurityFeature`. */
  constructor(key: Uint8Array, lifetime: number, features = 0) {
    this.#key = createSecretKey(key)
    this.#prefix = encodeNoncePrefix(features)
    this.#maxAge = Math.ceil((lifetime * 1000) / TICK)
  }

  issue(client: Endpoint, now: number): Uint8Array {
    return this.#make(client, tickOf(now))
  }

  /** Without cookie and features: 11 characters, bound to the client as any other, and never accepted by `check`. */
  issueBare(client: Endpoint, now: number): Uint8Array {
    return this.issue(client, now).subarray(PREFIX)
  }

  check(nonce: Uint8Array, client: Endpoint, now: number): boolean {
    if (nonce.length !== LENGTH) return false
    const body = Buffer.from(Buffer.from(nonce.subarray(PREFIX)).toString('latin1'), 'base64url')
    if (body.length !== 8) return false
    const tick = body.readUInt16BE(0)
    const age = (tickOf(now) - tick) & 0xffff
    // Workers' clocks may differ by a hair: one tick ahead is not yet a forgery.
    if (age > this.#maxAge && age !== 0xffff) return false
    return timingSafeEqual(this.#make(client, tick), nonce)
  }

  #make(client: Endpoint, tick: number): Uint8Array {
    const body = Buffer.alloc(8)
    body.writeUInt16BE(tick, 0)
    const mac = createHmac('sha256', this.#key).update(`${tick} ${client.port} ${client.address}`).digest()
    mac.copy(body, 2, 0, 6)
    return Buffer.from(this.#prefix + body.toString('base64url'), 'latin1')
  }
}

function tickOf(now: number): number {
  return Math.floor(now / TICK) & 0xffff
}
