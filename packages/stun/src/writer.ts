/** Writing STUN messages: RFC 8489 sections 5 and 14; integrity 14.5 and 14.6, fingerprint 14.7. */
import { Attribute } from './attributes/types.ts'
import { writeU16, writeU32 } from './bytes.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Class } from './header.ts'
import { HEADER_LENGTH, MAGIC_COOKIE, packType } from './header.ts'
import { integrityOf, integritySha256Of } from './integrity.ts'

/**
 * Appends attributes to a growing buffer and keeps the header's length right. Use:
 * `new MessageWriter(Method.Binding, Class.Success, id).attribute(…).integrity(key).fingerprint().finish()`.
 * Padding is zero (never left-over memory); the bytes returned by `finish` belong to the caller.
 */
export class MessageWriter {
  #bytes: Uint8Array
  #length = HEADER_LENGTH

  /** @param transactionId 12 bytes, copied. @param capacity first buffer size in bytes; it grows when needed. */
  constructor(method: number, cls: Class, transactionId: Uint8Array, capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity)
    writeU32(this.#bytes, 0, packType(method, cls) << 16)
    writeU32(this.#bytes, 4, MAGIC_COOKIE)
    this.#bytes.set(transactionId.subarray(0, 12), 8)
  }

  /** The transaction id being written: XOR addresses of IPv6 need it. */
  get transactionId(): Uint8Array {
    return this.#bytes.subarray(8, HEADER_LENGTH)
  }

  attribute(type: number, value: Uint8Array): this {
    this.#reserve(type, value.length).set(value)
    return this
  }

  /** MESSAGE-INTEGRITY: HMAC-SHA1 over all before it, with the header's length as if the message ended with it. */
  integrity(key: Uint8Array): this {
    const covered = this.#length
    const value = this.#reserve(Attribute.MessageIntegrity, 20)
    value.set(integrityOf(key, this.#bytes.subarray(0, covered)))
    return this
  }

  /** MESSAGE-INTEGRITY-SHA256, likewise with HMAC-SHA256; nothing but FINGERPRINT may follow. */
  integritySha256(key: Uint8Array): this {
    const covered = this.#length
    const value = this.#reserve(Attribute.MessageIntegritySha256, 32)
    value.set(integritySha256Of(key, this.#bytes.subarray(0, covered)))
    return this
  }

  /** FINGERPRINT; must be the last attribute. */
  fingerprint(): this {
    const covered = this.#length
    const value = this.#reserve(Attribute.Fingerprint, 4)
    writeU32(value, 0, fingerprintOf(this.#bytes.subarray(0, covered)))
    return this
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(type: number, length: number): Uint8Array {
    const end = this.#length + 4 + ((length + 3) & ~3)
    if (end > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(end, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    writeU16(this.#bytes, this.#length, type)
    writeU16(this.#bytes, this.#length + 2, length)
    const start = this.#length + 4
    this.#bytes.fill(0, start + length, end)
    this.#length = end
    writeU16(this.#bytes, 2, end - HEADER_LENGTH)
    return this.#bytes.subarray(start, start + length)
  }
}
