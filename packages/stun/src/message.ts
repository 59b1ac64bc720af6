/**
 * Parsing STUN messages: RFC 8489 sections 5, 6.3 and 14.
 *
 * Bytes come from the network: parsing returns a reason and never throws. A `Message` is a view on the bytes it was
 * parsed from (nothing is copied), valid as long as they are not reused.
 */
import { Attribute, isComprehensionRequired } from './attributes/types.ts'
import { readU16, readU32 } from './bytes.ts'
import type { Class } from './header.ts'
import { HEADER_LENGTH, MAGIC_COOKIE, unpackClass, unpackMethod } from './header.ts'

export type MalformedReason =
  | 'too-short'
  | 'not-stun'
  | 'bad-cookie'
  | 'bad-length'
  | 'attribute-overflow'
  | 'too-many-attributes'

export type ParseResult =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly reason: MalformedReason }

/** More than any sensible message carries; bounds the work one datagram can ask for. */
const MAX_ATTRIBUTES = 64

/** One attribute's type and the place of its value, relative to the start of the message. */
interface Slot {
  readonly type: number
  readonly start: number
  readonly length: number
}

export class Message {
  readonly bytes: Uint8Array
  readonly class: Class
  readonly method: number
  readonly #slots: readonly Slot[]

  constructor(bytes: Uint8Array, slots: readonly Slot[]) {
    const type = readU16(bytes, 0)
    this.bytes = bytes
    this.class = unpackClass(type)
    this.method = unpackMethod(type)
    this.#slots = slots
  }

  /** The 12 bytes of the transaction id (a view). */
  get transactionId(): Uint8Array {
    return this.bytes.subarray(8, HEADER_LENGTH)
  }

  has(type: number): boolean {
    return this.#slots.some((slot) => slot.type === type)
  }

  /** Value of the first attribute of `type` (a view), as section 14 asks where one occurs twice. */
  get(type: number): Uint8Array | undefined {
    const slot = this.#slots.find((candidate) => candidate.type === type)
    return slot && this.bytes.subarray(slot.start, slot.start + slot.length)
  }

  /** Values of every attribute of `type`, in order: XOR-PEER-ADDRESS may repeat. */
  getAll(type: number): Uint8Array[] {
    return this.#slots
      .filter((slot) => slot.type === type)
      .map((slot) => this.bytes.subarray(slot.start, slot.start + slot.length))
  }

  /** Where the attribute's own header starts in `bytes`, or -1. Integrity and fingerprint cover what precedes it. */
  offsetOf(type: number): number {
    const slot = this.#slots.find((candidate) => candidate.type === type)
    return slot ? slot.start - 4 : -1
  }

  /** Comprehension-required types that are not in `known`, each once, in order of appearance. */
  unknownRequired(known: ReadonlySet<number>): number[] {
    const unknown = new Set<number>()
    for (const { type } of this.#slots) if (isComprehensionRequired(type) && !known.has(type)) unknown.add(type)
    return [...unknown]
  }
}

/** Parses one whole message; `bytes` must be exactly one datagram or one stream frame. */
export function parseMessage(bytes: Uint8Array): ParseResult {
  if (bytes.length < HEADER_LENGTH) return { ok: false, reason: 'too-short' }
  if ((bytes[0]! & 0xc0) !== 0) return { ok: false, reason: 'not-stun' }
  if (readU32(bytes, 4) !== MAGIC_COOKIE) return { ok: false, reason: 'bad-cookie' }
  const length = readU16(bytes, 2)
  if ((length & 3) !== 0 || HEADER_LENGTH + length !== bytes.length) return { ok: false, reason: 'bad-length' }

  const slots: Slot[] = []
  let at = HEADER_LENGTH
  let sealed: number | undefined
  while (at < bytes.length) {
    // The length is a multiple of four, so at least a whole attribute header is left.
    const type = readU16(bytes, at)
    const valueLength = readU16(bytes, at + 2)
    const start = at + 4
    const end = start + ((valueLength + 3) & ~3)
    if (end > bytes.length) return { ok: false, reason: 'attribute-overflow' }
    if (mayFollow(sealed, type)) {
      if (slots.length === MAX_ATTRIBUTES) return { ok: false, reason: 'too-many-attributes' }
      slots.push({ type, start, length: valueLength })
      if (isSeal(type)) sealed = type
    }
    at = end
  }
  return { ok: true, message: new Message(bytes, slots) }
}

function isSeal(type: number): boolean {
  return (
    type === Attribute.MessageIntegrity || type === Attribute.MessageIntegritySha256 || type === Attribute.Fingerprint
  )
}

/**
 * Sections 14.5 to 14.7: what follows MESSAGE-INTEGRITY is ignored except MESSAGE-INTEGRITY-SHA256 and FINGERPRINT;
 * after MESSAGE-INTEGRITY-SHA256 only FINGERPRINT counts; after FINGERPRINT nothing does.
 */
function mayFollow(sealed: number | undefined, type: number): boolean {
  if (sealed === undefined) return true
  if (sealed === Attribute.Fingerprint) return false
  if (type === Attribute.Fingerprint) return true
  return sealed === Attribute.MessageIntegrity && type === Attribute.MessageIntegritySha256
}
