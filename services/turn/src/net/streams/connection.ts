/** One client's TCP or TLS connection: a five-tuple of the core, its frames, its deadlines. */
import type { Duplex } from 'node:stream'
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
  /** It is somebody else's now, and no five-tuple of the core's. */
  detached(connection: StreamConnection): void
  refused(reason: Refusal): void
}

export interface ConnectionOptions {
  /** A socket, or a stream from another worker that has it. */
  readonly socket: Duplex
  readonly listener: Listener
  /** It came to another worker, which has secured it and handed it over. */
  readonly adopted?: boolean
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
  readonly adopted: boolean
  deadline: number
  readonly #options: ConnectionOptions
  readonly #socket: Duplex
  readonly #framer = new StreamFramer(FRAME_LIMIT.stranger)
  #secured: boolean
  #greeted = false
  #closed = false

  constructor(options: ConnectionOptions) {
    super(options.socket)
    const { socket, listener, endpoint, limits, strangers, adopted = false } = options
    this.#options = options
    this.#socket = socket
    this.listener = listener
    this.adopted = adopted
    this.#secured = adopted || listener.transport === 'tcp'
    this.endpoint = endpoint
    this.prefix = prefixOf(endpoint.address)
    this.deadline = options.now() + limits.greeting + (listener.transport === 'tls' ? limits.handshake : 0)
    strangers.add(this)
    socket.on('data', this.#received)
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

  /**
   * Gives the stream away, halted: the next to be read is what follows the frame that is being delivered. It is not closed
   * when one half is.
   */
  detach(): Duplex {
    const socket = this.#socket
    this.#closed = true
    this.#options.strangers.delete(this)
    this.#options.events.detached(this)
    socket.off('data', this.#received)
    socket.pause()
    socket.allowHalfOpen = true
    const { rest } = this.#framer
    if (rest !== undefined && rest.length > 0) socket.unshift(rest)
    return socket
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

  readonly #received = (chunk: Buffer): void => {
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
