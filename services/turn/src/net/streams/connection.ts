/** One client's TCP or TLS connection: a five-tuple of the core, its frames, its deadlines. */
import type { Socket } from 'node:net'
import type { Endpoint, Listener } from '../../core/index.ts'
import { StreamClient } from '../../datapath/stream-client.ts'
import { StreamFramer } from './framer.ts'
import { prefixOf, type Stranger, type StrangerLimits, type Strangers } from './strangers.ts'

/** Bytes of a frame: of a client without an allocation, and at most (16-bit lengths). */
const FRAME_LIMIT = { stranger: 4096, client: 65_556 } as const

/** Why the server closed a connection; label values of `hairpin_client_connections_refused_total{reason}`. */
export type Refusal = 'limit' | 'crowded-out' | 'silent' | 'no-allocation' | 'not-stun' | 'handshake' | 'proxy-header'

export interface ConnectionEvents {
  /** A STUN message or ChannelData with its padding. The bytes are never written to again. */
  frame(connection: StreamConnection, frame: Buffer): void
  closed(connection: StreamConnection): void
  refused(reason: Refusal): void
}

export interface ConnectionOptions {
  readonly socket: Socket
  readonly listener: Listener
  /** The client: behind a proxy, whom the proxy named. */
  readonly endpoint: Endpoint
  readonly strangers: Strangers
  readonly limits: StrangerLimits
  readonly events: ConnectionEvents
  readonly now: () => number
}

export class StreamConnection extends StreamClient implements Stranger {
  readonly listener: Listener
  readonly endpoint: Endpoint
  readonly prefix: string
  deadline: number
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #framer = new StreamFramer(FRAME_LIMIT.stranger)
  #secured: boolean
  #greeted = false
  #closed = false

  constructor(options: ConnectionOptions) {
    super(options.socket)
    const { socket, listener, endpoint, limits, strangers } = options
    this.#options = options
    this.#socket = socket
    this.listener = listener
    this.#secured = listener.transport === 'tcp'
    this.endpoint = endpoint
    this.prefix = prefixOf(endpoint.address)
    this.deadline = options.now() + limits.greeting + (listener.transport === 'tls' ? limits.handshake : 0)
    strangers.add(this)
    socket.on('data', (chunk: Buffer) => this.#received(chunk))
    // A client that ends its half is gone: nothing is sent to it that it could want.
    socket.on('end', () => this.close())
    socket.on('error', () => this.close(this.#secured ? undefined : 'handshake'))
    socket.once('secure', () => {
      this.#secured = true
    })
    socket.once('close', () => this.#gone())
    // A socket that came by way of a PROXY header was halted.
    socket.resume()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Ends the connection at once; its allocation ends with it. */
  close(reason?: Refusal): void {
    if (this.#closed) return
    if (reason !== undefined) this.#options.events.refused(reason)
    this.#socket.destroy()
    this.#gone()
  }

  dismiss(why: 'timeout' | 'crowded-out'): void {
    this.close(why === 'crowded-out' ? why : this.#greeted ? 'no-allocation' : 'silent')
  }

  override allocated(): void {
    super.allocated()
    this.#framer.limit = FRAME_LIMIT.client
    this.#options.strangers.delete(this)
  }

  override released(): void {
    super.released()
    if (this.#closed) return
    this.deadline = this.#options.now() + this.#options.limits.unallocated
    this.#options.strangers.add(this)
  }

  #received(chunk: Buffer): void {
    if (!this.#framer.push(chunk, this.#deliver)) this.close('not-stun')
  }

  readonly #deliver = (frame: Buffer): boolean => {
    if (!this.#greeted) {
      if ((frame[0]! & 0xc0) !== 0) {
        this.close('not-stun')
        return false
      }
      this.#greeted = true
      if (!this.established) this.deadline = this.#options.now() + this.#options.limits.unallocated
    }
    this.#options.events.frame(this, frame)
    return !this.#closed
  }

  #gone(): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.strangers.delete(this)
    this.#options.events.closed(this)
  }
}
