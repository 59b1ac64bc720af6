import type { Socket } from 'node:dgram'

/** Datagrams that may wait in the socket's own queue when the kernel's buffer is full; beyond it they are dropped. */
export const MAX_QUEUED = 256
/** How often the queue is looked at while it is short: asking costs a call into C++. */
const CHECK_EVERY = 32

/** A bound UDP socket to send from: never waits, never queues without bound, never throws once it is closed. */
export class Outlet {
  readonly socket: Socket
  /** Datagrams let through; picks the header buffer of the next one. */
  protected turn = 0
  #congested = false
  #closed = false

  constructor(socket: Socket) {
    this.socket = socket
  }

  /** False when it was dropped: the socket is closed or its queue is full. */
  send(bytes: Uint8Array, offset: number, length: number, port: number, address: string): boolean {
    if (!this.hasRoom()) return false
    this.socket.send(bytes, offset, length, port, address)
    return true
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.socket.close()
  }

  protected hasRoom(): boolean {
    if (this.#closed) return false
    this.turn++
    if (this.#congested || this.turn % CHECK_EVERY === 0)
      this.#congested = this.socket.getSendQueueCount() > MAX_QUEUED - CHECK_EVERY
    return !this.#congested
  }
}
