/**
 * A byte stream over a MessagePort: one end of a connection between two threads. The sender may be so many bytes ahead of
 * the receiver, who gives credit as it reads, and then waits: as TCP's window does it.
 */
import { Duplex } from 'node:stream'
import type { MessagePort } from 'node:worker_threads'

/** Bytes that may be under way. */
const WINDOW = 128 * 1024

/** Bytes of data; so many bytes were read; or the sender has nothing more to say. */
type Message = Uint8Array | number | null

export class PortStream extends Duplex {
  readonly #port: MessagePort
  #underWay = 0
  #unread = 0
  #over = false
  #waiting: (() => void) | undefined

  constructor(port: MessagePort) {
    super({ allowHalfOpen: true })
    this.#port = port
    port.on('message', (message: Message) => this.#received(message))
    // The other thread has closed it, or ended. Once it has said all, what came may still be read.
    port.on('close', () => {
      if (!this.#over || !this.writableFinished) this.destroy()
    })
  }

  #received(message: Message): void {
    if (typeof message === 'number') {
      this.#underWay -= message
      const next = this.#waiting
      this.#waiting = undefined
      next?.()
    } else if (message === null) {
      this.#over = true
      this.push(null)
    } else {
      this.#unread += message.length
      this.push(message)
    }
  }

  override _read(): void {
    if (this.#unread === 0) return
    this.#port.postMessage(this.#unread)
    this.#unread = 0
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    // The chunk is a piece of a buffer that is used further: a message takes whole ones.
    const bytes = new Uint8Array(chunk)
    this.#port.postMessage(bytes, [bytes.buffer])
    this.#underWay += bytes.length
    if (this.#underWay < WINDOW) done()
    else this.#waiting = done
  }

  override _final(done: () => void): void {
    this.#port.postMessage(null)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#port.close()
    done(error)
  }
}
