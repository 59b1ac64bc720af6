import type { Output } from './core/output.ts'

type Message = Extract<Output, { do: 'send' }>['message']

/** Writes a message and its `seq` as JSON. The same message to many sessions is turned into text once. */
export class FrameEncoder {
  #last: Message | undefined
  #text = ''

  encode(message: Message, seq: number): string {
    if (message !== this.#last) {
      this.#last = message
      this.#text = JSON.stringify(message).slice(0, -1)
    }
    return `${this.#text},"seq":${seq}}`
  }
}
