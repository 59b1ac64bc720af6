/** WebSocket frames of a client (RFC 6455 section 5), made once and stamped anew for every message. */

/** Every frame is masked, as it must be; that the key is always the same is the generator's business alone. */
const KEY = [0x37, 0xfa, 0x21, 0x3d] as const
const SEQ_DIGITS = 10
const TIME_DIGITS = 14
/** Stands in the text where `Template` writes a message's number and the time it was sent. No other text may hold an `@`. */
export const STAMP = `@${'0'.repeat(SEQ_DIGITS)}@${'0'.repeat(TIME_DIGITS)}@`
const AT = 0x40
const ZERO = 0x30

export const TEXT = 1
export const PONG = 10

export function frame(payload: Uint8Array, opcode: number): Buffer {
  const { length } = payload
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const bytes = Buffer.allocUnsafe(2 + extended + 4 + length)
  bytes[0] = 0x80 | opcode
  bytes[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127)
  if (extended === 2) bytes.writeUInt16BE(length, 2)
  if (extended === 8) bytes.writeBigUInt64BE(BigInt(length), 2)
  const start = 2 + extended + 4
  bytes.set(KEY, start - 4)
  for (let i = 0; i < length; i++) bytes[start + i] = payload[i]! ^ KEY[i & 3]!
  return bytes
}

export const textFrame = (text: string): Buffer => frame(Buffer.from(text), TEXT)

/** One message with a stamp in it. */
export class Template {
  readonly #bytes: Buffer
  /** Where the payload begins, and the stamp's number in it. */
  readonly #payload: number
  readonly #seq: number

  constructor(text: string) {
    this.#bytes = textFrame(text)
    this.#payload = this.#bytes.length - Buffer.byteLength(text)
    this.#seq = Buffer.from(text).indexOf(STAMP) + 1
    if (this.#seq === 0) throw new Error('a template without a stamp')
  }

  /** `count` messages in one buffer, numbered from `seq`, sent now. @param us the time in µs */
  stamped(count: number, seq: number, us: number): Buffer {
    const { length } = this.#bytes
    const bytes = Buffer.allocUnsafe(count * length)
    for (let i = 0; i < count; i++) {
      this.#bytes.copy(bytes, i * length)
      this.#write(bytes, i * length, this.#seq, SEQ_DIGITS, seq + i)
      this.#write(bytes, i * length, this.#seq + SEQ_DIGITS + 1, TIME_DIGITS, us)
    }
    return bytes
  }

  #write(bytes: Buffer, frame: number, at: number, digits: number, value: number): void {
    let left = value
    for (let i = at + digits - 1; i >= at; i--) {
      bytes[frame + this.#payload + i] = (ZERO + (left % 10)) ^ KEY[i & 3]!
      left = Math.floor(left / 10)
    }
  }
}

/** Where in the frame a stamp's number begins; -1 when there is none. */
export function stampAt(bytes: Buffer, start: number, end: number): number {
  const at = bytes.indexOf(AT, start)
  return at < 0 || at >= end ? -1 : at + 1
}

export const seqAt = (bytes: Buffer, stamp: number): number => digits(bytes, stamp, SEQ_DIGITS)
export const timeAt = (bytes: Buffer, stamp: number): number => digits(bytes, stamp + SEQ_DIGITS + 1, TIME_DIGITS)

function digits(bytes: Buffer, from: number, count: number): number {
  let value = 0
  for (let i = from; i < from + count; i++) value = value * 10 + bytes[i]! - ZERO
  return value
}
