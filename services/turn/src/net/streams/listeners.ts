/** The worker's TCP and TLS listening sockets and the connections they took. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type SecureContext, TLSSocket } from 'node:tls'
import { familyOf, parseAddress } from '@hairpin/stun'
import { CidrSet } from '../../core/cidr.ts'
import { EndpointMap } from '../../core/endpoint-map.ts'
import type { Endpoint, Listener } from '../../core/index.ts'
import { type Refusal, StreamConnection } from './connection.ts'
import { ProxyGreeting } from './proxy-greeting.ts'
import { DEFAULT_STRANGER_LIMITS, prefixOf, type StrangerLimits, Strangers } from './strangers.ts'

/** Milliseconds between looks at deadlines. */
const SWEEP = 500
/** Milliseconds of silence before the kernel asks whether the other end is still there. */
const KEEP_ALIVE = 60_000

export interface StreamBinding {
  readonly transport: 'tcp' | 'tls'
  readonly address: string
  readonly port: number
}

export interface StreamListenersOptions {
  readonly bindings: readonly StreamBinding[]
  /** `Listener.id` of the first binding; the others follow. */
  readonly firstId: number
  readonly now: () => number
  /** For TLS: asked for each connection. */
  readonly secureContext?: (() => SecureContext) | undefined
  /** CIDR ranges of proxies whose connections begin with a PROXY protocol header, always. */
  readonly proxies?: readonly string[]
  readonly limits?: Partial<StrangerLimits>
}

/** What happens on the connections. */
export interface StreamHandler {
  frame(connection: StreamConnection, frame: Buffer): void
  /** The connection is gone, and with it its five-tuple. */
  closed(connection: StreamConnection): void
  onError(error: Error, what: string): void
}

export class StreamListeners {
  readonly #options: StreamListenersOptions
  readonly #limits: StrangerLimits
  readonly #strangers: Strangers
  readonly #proxies: CidrSet
  readonly #servers: Server[] = []
  readonly #listeners: readonly Listener[]
  /** By `Listener.id` less `firstId`. */
  readonly #connections: readonly EndpointMap<StreamConnection>[]
  readonly #open = new Set<StreamConnection>()
  /** Clients' connections that are data connections, with their transport. */
  readonly #detached = new Map<Duplex, 'tcp' | 'tls'>()
  /** Connections of proxies whose header has not come yet. */
  readonly #greetings = new Set<ProxyGreeting>()
  readonly #refusals = new Map<Refusal, number>()
  #sweep: NodeJS.Timeout | undefined
  #handler: StreamHandler | undefined

  constructor(options: StreamListenersOptions) {
    this.#options = options
    this.#limits = { ...DEFAULT_STRANGER_LIMITS, ...options.limits }
    this.#strangers = new Strangers(this.#limits)
    this.#proxies = new CidrSet(options.proxies ?? [])
    this.#connections = options.bindings.map(() => new EndpointMap())
    this.#listeners = options.bindings.map(({ transport, address, port }, i) => {
      const family = familyOf(address)
      return { id: options.firstId + i, transport, local: { address, port, family } }
    })
  }

  /** @throws the bind error (EADDRINUSE …); what was opened is closed then. */
  async listen(handler: StreamHandler): Promise<void> {
    this.#handler = handler
    try {
      for (const listener of this.#listeners) await this.#listenOn(listener, handler)
    } catch (error) {
      this.close()
      throw error
    }
    this.#sweep = setInterval(() => this.#strangers.expire(this.#options.now()), SWEEP)
  }

  /** Closes the sockets and every connection. */
  close(): void {
    clearInterval(this.#sweep)
    for (const server of this.#servers) server.close()
    for (const greeting of [...this.#greetings]) greeting.close()
    for (const connection of [...this.#open]) connection.close()
    for (const stream of this.#detached.keys()) stream.destroy()
  }

  find(listener: Listener, client: Endpoint): StreamConnection | undefined {
    return this.#connections[listener.id - this.#options.firstId]?.get(client.address, client.port)
  }

  get transports(): ReadonlySet<'tcp' | 'tls'> {
    return new Set(this.#options.bindings.map(({ transport }) => transport))
  }

  /**
   * A connection that came to another worker's listening socket of this id, and belongs here.
   * @returns false when it is not let in
   */
  adopt(stream: Duplex, id: number, client: Endpoint): boolean {
    const listener = this.#listeners[id - this.#options.firstId]
    if (!listener || !this.#admits(client)) return false
    this.#enter(stream, listener, client, true)
    return true
  }

  /** Open connections, TLS handshakes included; those of other workers are counted there. */
  count(transport: 'tcp' | 'tls'): number {
    let count = 0
    for (const { listener, adopted } of this.#open) if (listener.transport === transport && !adopted) count++
    for (const other of this.#detached.values()) if (other === transport) count++
    return count
  }

  /** Connections that were refused or closed for what they did, by reason. */
  refusals(): Iterable<readonly [Refusal, number]> {
    return this.#refusals
  }

  #listenOn(listener: Listener, handler: StreamHandler): Promise<void> {
    const { address, port, family } = listener.local
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE })
    server.on('connection', (socket) => this.#accept(socket, listener))
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: address, port, reusePort: true, exclusive: true, ipv6Only: family === 6 }, () => {
        server.off('error', reject)
        server.on('error', (error) => handler.onError(error, `${listener.transport} listening socket`))
        resolve()
      })
    })
  }

  #accept(socket: Socket, listener: Listener): void {
    const { remoteAddress: address, remotePort: port } = socket
    // It may be gone already.
    const bytes = address === undefined ? undefined : parseAddress(address)
    if (address === undefined || port === undefined || bytes === undefined) {
      socket.destroy()
      return
    }
    const peer: Endpoint = { address, port, family: familyOf(address) }
    if (this.#proxies.has(bytes)) this.#awaitHeader(socket, listener, peer)
    else this.#connect(socket, listener, peer)
  }

  #awaitHeader(socket: Socket, listener: Listener, proxy: Endpoint): void {
    const greeting: ProxyGreeting = new ProxyGreeting(socket, this.#options.now() + this.#limits.greeting, {
      done: (source) => {
        // Its place among the strangers goes to the client it stands for.
        this.#strangers.delete(greeting)
        this.#greetings.delete(greeting)
        this.#connect(socket, listener, source ?? proxy)
      },
      closed: (reason) => {
        this.#strangers.delete(greeting)
        this.#greetings.delete(greeting)
        if (reason !== undefined) this.#refused(reason)
      },
    })
    this.#greetings.add(greeting)
    this.#strangers.add(greeting)
  }

  #connect(socket: Socket, listener: Listener, endpoint: Endpoint): void {
    if (!this.#admits(endpoint)) {
      socket.destroy()
      return
    }
    this.#enter(listener.transport === 'tls' ? this.#secured(socket) : socket, listener, endpoint, false)
  }

  #admits(endpoint: Endpoint): boolean {
    if (this.#strangers.admits(prefixOf(endpoint.address))) return true
    this.#refused('limit')
    return false
  }

  #enter(socket: Duplex, listener: Listener, endpoint: Endpoint, adopted: boolean): void {
    // Its five-tuple is in use: the end of the former connection has not been noticed yet.
    this.find(listener, endpoint)?.close()
    const connection: StreamConnection = new StreamConnection({
      socket,
      listener,
      endpoint,
      adopted,
      strangers: this.#strangers,
      limits: this.#limits,
      now: this.#options.now,
      events: {
        frame: (from, frame) => this.#handler?.frame(from, frame),
        closed: (gone) => this.#forget(gone),
        detached: (given) => this.#release(given, socket),
        refused: (reason) => this.#refused(reason),
      },
    })
    this.#open.add(connection)
    this.#connections[listener.id - this.#options.firstId]!.set(endpoint.address, endpoint.port, connection)
  }

  /** The server's side of a TLS connection; its handshake begins when data arrives. */
  #secured(socket: Socket): TLSSocket {
    const secureContext = this.#options.secureContext?.()
    if (secureContext === undefined) throw new Error('a TLS listener needs a certificate')
    const secured = new TLSSocket(socket, { isServer: true, secureContext, requestCert: false })
    secured.disableRenegotiation()
    return secured
  }

  #forget(connection: StreamConnection): void {
    this.#leave(connection)
    this.#handler?.closed(connection)
  }

  /** It has become a data connection: its five-tuple is nothing to the core any more. */
  #release(connection: StreamConnection, socket: Duplex): void {
    this.#leave(connection)
    const { transport } = connection.listener
    if (connection.adopted || transport === 'udp') return
    this.#detached.set(socket, transport)
    socket.once('close', () => this.#detached.delete(socket))
  }

  #leave(connection: StreamConnection): void {
    const { listener, endpoint } = connection
    this.#open.delete(connection)
    this.#connections[listener.id - this.#options.firstId]!.delete(endpoint.address, endpoint.port)
  }

  #refused(reason: Refusal): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1)
  }
}
