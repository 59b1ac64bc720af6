/** A connection of a configured proxy until its PROXY header has come. */
import type { Socket } from 'node:net'
import type { Endpoint } from '../../core/index.ts'
import type { Refusal } from './connection.ts'
import { readProxyHeader } from './proxy-protocol.ts'
import type { Stranger } from './strangers.ts'

export interface ProxyGreetingEvents {
  /** @param source undefined: the proxy speaks for itself */
  done(source: Endpoint | undefined): void
  closed(reason?: Refusal): void
}

export class ProxyGreeting implements Stranger {
  /** Whom it stands for is not known yet, and all clients come by the same few proxies. */
  readonly prefix = undefined
  readonly deadline: number
  readonly #socket: Socket
  readonly #events: ProxyGreetingEvents
  #bytes: Buffer = Buffer.alloc(0)
  #over = false

  constructor(socket: Socket, deadline: number, events: ProxyGreetingEvents) {
    this.deadline = deadline
    this.#socket = socket
    this.#events = events
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onEnd)
    socket.on('close', this.#onEnd)
  }

  close(reason?: Refusal): void {
    if (this.#over) return
    this.#leave()
    this.#socket.on('error', () => {})
    this.#socket.destroy()
    this.#events.closed(reason)
  }

  dismiss(why: 'timeout' | 'crowded-out'): void {
    this.close(why === 'timeout' ? 'proxy-header' : why)
  }

  readonly #onEnd = () => this.close()

  readonly #onData = (chunk: Buffer) => {
    // Bounded by the longest header: beyond it the answer is never "incomplete".
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    const header = readProxyHeader(this.#bytes)
    if (header.state === 'incomplete') return
    if (header.state === 'invalid') {
      this.close('proxy-header')
      return
    }
    this.#leave()
    // What follows is read by the next owner, from the start: TLS takes it over from the socket's buffer.
    this.#socket.pause()
    if (header.length < this.#bytes.length) this.#socket.unshift(this.#bytes.subarray(header.length))
    this.#events.done(header.source)
  }

  #leave(): void {
    this.#over = true
    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#onEnd)
    this.#socket.off('error', this.#onEnd)
    this.#socket.off('close', this.#onEnd)
  }
}
