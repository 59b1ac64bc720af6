import type { ServerBody } from '@hairpin/protocol'
import type { CustomBody } from './output.ts'

/** A message as JSON, still open at its end: `frameOf` puts in the number and closes it. */
export interface Encoded {
  readonly type: string
  readonly text: string
  /** UTF-8 bytes. */
  readonly bytes: number
}

/** Turns messages into text, the same message to many sessions only once: they share the string. */
export class FrameEncoder {
  #last: ServerBody | CustomBody | undefined
  #encoded: Encoded = { type: '', text: '', bytes: 0 }

  encode(message: ServerBody | CustomBody): Encoded {
    if (message !== this.#last) {
      this.#last = message
      const text = JSON.stringify(message).slice(0, -1)
      this.#encoded = { type: message.type, text, bytes: Buffer.byteLength(text) }
    }
    return this.#encoded
  }
}

export function frameOf(text: string, seq: number): string {
  return `${text},"seq":${seq}}`
}
