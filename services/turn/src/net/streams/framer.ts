/** Cuts a client's byte stream into STUN messages and padded ChannelData: RFC 8489 section 6.2.2, RFC 8656 section 12.5. */
import { frameLength } from '@hairpin/stun'

/** Bytes that settle a STUN frame: type, length and magic cookie. */
const SETTLED = 8
/** First size of the buffer for a frame that comes in pieces; it doubles as bytes arrive, not as the header promises. */
const FIRST_SIZE = 2048

/**
 * Whole frames in a chunk are handed on as views of it, uncopied; only a frame that spans chunks is put together.
 * Each byte is copied at most a fixed number of times, whatever the pieces.
 */
export class StreamFramer {
  /** Bytes a frame may have; more breaks the stream. */
  limit: number
  #partial: Buffer | undefined
  #filled = 0
  /** Where the frame that is being delivered ends. */
  #chunk: Buffer | undefined
  #next = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** Bytes held of a frame that is not complete. */
  get held(): number {
    return this.#filled
  }

  /** To be asked for while a frame is delivered: what came with it and after it. */
  get rest(): Buffer | undefined {
    return this.#chunk?.subarray(this.#next)
  }

  /**
   * @param deliver gets each complete frame, padding included; it returns false to stop (the stream was closed).
   * @returns false when the stream is not ours: close it.
   */
  push(chunk: Buffer, deliver: (frame: Buffer) => boolean): boolean {
    this.#chunk = chunk
    const ours = this.#cut(chunk, deliver)
    this.#chunk = undefined
    return ours
  }

  #cut(chunk: Buffer, deliver: (frame: Buffer) => boolean): boolean {
    let at = 0
    if (this.#filled > 0) {
      const used = this.#complete(chunk, deliver)
      if (used < 0) return used === STOPPED
      at = used
    }
    while (at < chunk.length) {
      const rest = at === 0 ? chunk : chunk.subarray(at)
      const length = frameLength(rest)
      if (length < 0 || length > this.limit) return false
      if (length === 0 || length > rest.length) {
        this.#append(rest, 0, rest.length)
        return true
      }
      at += length
      this.#next = at
      if (!deliver(length === rest.length ? rest : rest.subarray(0, length))) return true
    }
    return true
  }

  /** Fills the frame begun earlier; gives the bytes used of `chunk`, or BROKEN, or STOPPED. */
  #complete(chunk: Buffer, deliver: (frame: Buffer) => boolean): number {
    let at = 0
    for (;;) {
      const begun = this.#partial!.subarray(0, this.#filled)
      const length = frameLength(begun)
      if (length < 0 || length > this.limit) return BROKEN
      if (length > 0 && length <= this.#filled) {
        // What is delivered may be kept by a socket's send queue: the next frame gets a buffer of its own.
        this.#partial = undefined
        this.#filled = 0
        this.#next = at
        return deliver(begun) ? at : STOPPED
      }
      if (at === chunk.length) return at
      // A byte at a time until the length is known, then up to the cookie, then all of it.
      const target = length === 0 ? this.#filled + 1 : this.#filled < SETTLED ? Math.min(SETTLED, length) : length
      const take = Math.min(target - this.#filled, chunk.length - at)
      this.#append(chunk, at, at + take)
      at += take
    }
  }

  #append(bytes: Buffer, from: number, to: number): void {
    const size = this.#filled + to - from
    let partial = this.#partial
    if (partial === undefined || partial.length < size) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_SIZE, size, (partial?.length ?? 0) * 2))
      partial?.copy(larger, 0, 0, this.#filled)
      this.#partial = larger
      partial = larger
    }
    bytes.copy(partial, this.#filled, from, to)
    this.#filled = size
  }
}

const BROKEN = -1
const STOPPED = -2
