/**
 * Performs what the core asks for on real sockets and the real clock, one driver for each worker.
 *
 * The core's rule is kept here: the outputs of a call are performed in order before the next call. What becomes of a
 * relay socket is told to the core only after the outputs at hand are done.
 */
import type { RemoteInfo } from 'node:dgram'
import type { Allocation, DropReason, Listener, Output, TurnServer } from '../core/index.ts'
import type { ClientSocket } from '../datapath/client-socket.ts'
import type { DataPath, Drops } from '../datapath/data-path.ts'
import { RelaySocket } from '../datapath/relay-socket.ts'
import type { RelayAddress } from './addresses.ts'
import type { StreamConnection } from './streams/connection.ts'
import type { StreamListeners } from './streams/listeners.ts'
import type { TcpRelay } from './tcp-relay/relay.ts'
import { bindUdp } from './udp-socket.ts'

type RemoteEnd = Pick<RemoteInfo, 'address' | 'port'>

/** Bytes asked of the kernel for a relayed socket: a burst of a key frame at 4K fits. */
const RELAY_BUFFER = 512 * 1024

/** The other workers, for datagrams of their clients that came in here. */
export interface Elsewhere {
  /** True when the client is another worker's, and that one gets the datagram. */
  handOver(datagram: Buffer, listener: Listener, address: string, port: number): boolean
}

export interface DriverOptions {
  readonly server: TurnServer
  readonly dataPath: DataPath
  /** By `Listener.id`. */
  readonly clients: readonly ClientSocket[]
  /** TCP and TLS, when there are any. */
  readonly streams?: StreamListeners | undefined
  /** Where there are several workers. */
  readonly elsewhere?: Elsewhere | undefined
  /** Relays TCP allocations; the core refuses them where it is left out. */
  readonly tcpRelay?: TcpRelay | undefined
  readonly relay: readonly RelayAddress[]
  readonly drops: Drops
  readonly now: () => number
  readonly onError: (error: Error, what: string) => void
}

/** A clock in milliseconds since the epoch that never jumps, as the core wants it. */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now()
}

function isBroken(output: Output): boolean {
  return output.type === 'ignore' && (output.reason === 'malformed' || output.reason === 'not-stun')
}

export class Driver {
  readonly #options: DriverOptions
  readonly #server: TurnServer
  readonly #dataPath: DataPath
  readonly #drops: Drops
  /** By `socketKey`. */
  readonly #relaySockets = new Map<number, RelaySocket>()
  readonly #queue: (() => Output[])[] = []
  #performing = false
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY

  constructor(options: DriverOptions) {
    this.#options = options
    this.#server = options.server
    this.#dataPath = options.dataPath
    this.#drops = options.drops
    options.tcpRelay?.start((step) => this.act(step))
  }

  /**
   * Starts to take datagrams and connections.
   * @throws the bind error of a TCP or TLS listening socket
   */
  async listen(): Promise<void> {
    const { elsewhere } = this.#options
    for (const client of this.#options.clients) {
      const { listener } = client
      client.socket.on('message', (datagram, from) => this.#fromClient(datagram, listener, from, elsewhere))
      client.socket.on('error', (error) => this.#options.onError(error, 'listening socket'))
    }
    await this.#options.streams?.listen({
      frame: (connection, frame) => this.#fromStream(connection, frame),
      closed: ({ listener, endpoint }) =>
        this.#call(() => this.#server.disconnected(listener, endpoint, this.#options.now())),
      onError: this.#options.onError,
    })
  }

  /** A datagram that another worker handed over; here it ends, whosever it is. @param id of the listener */
  handedOver(id: number, datagram: Buffer, from: RemoteEnd): void {
    const listener = this.#options.clients[id]?.listener
    if (listener) this.#fromClient(datagram, listener, from, undefined)
  }

  /** An operator's doing or a policy's: performs what the core answers to it. */
  act(step: (server: TurnServer, now: number) => Output[]): void {
    this.#call(() => step(this.#server, this.#options.now()))
  }

  /** Ends every allocation and closes every socket. */
  close(): void {
    this.#call(() => this.#server.shutdown(this.#options.now()))
    clearTimeout(this.#timer)
    this.#timerAt = Number.NEGATIVE_INFINITY
    for (const client of this.#options.clients) client.close()
    this.#options.streams?.close()
    this.#options.tcpRelay?.stop()
  }

  #fromClient(datagram: Buffer, listener: Listener, from: RemoteEnd, elsewhere: Elsewhere | undefined): void {
    const { address, port } = from
    // An answer to port 0 cannot be sent.
    if (port === 0 || datagram.length === 0) {
      this.#drops.count('malformed')
      return
    }
    const first = datagram[0]! & 0xc0
    if (first === 0x40) {
      const dropped = this.#dataPath.fromClient(datagram, listener, address, port)
      if (dropped !== 'no-allocation' || !elsewhere?.handOver(datagram, listener, address, port))
        this.#drops.count(dropped)
    } else if (first === 0x00) {
      const unknown = elsewhere !== undefined && this.#server.allocations.find(listener, address, port) === undefined
      if (unknown && elsewhere.handOver(datagram, listener, address, port)) return
      const endpoint = { address, port, family: listener.local.family }
      this.#call(() => this.#server.receive(datagram, listener, endpoint, this.#options.now()))
    } else this.#drops.count('not-stun')
  }

  #fromStream(connection: StreamConnection, frame: Buffer): void {
    const { listener, endpoint } = connection
    if ((frame[0]! & 0xc0) === 0x40) {
      this.#drops.count(this.#dataPath.fromClient(frame, listener, endpoint.address, endpoint.port))
      return
    }
    this.#call(() => {
      const outputs = this.#server.receive(frame, listener, endpoint, this.#options.now())
      // Whoever frames well but speaks badly before any allocation is not a client.
      if (!connection.established && outputs.some(isBroken)) connection.close('not-stun')
      return outputs
    })
  }

  #call(step: () => Output[]): void {
    this.#queue.push(step)
    if (this.#performing) return
    this.#performing = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
        for (const output of next()) this.#perform(output)
    } finally {
      this.#performing = false
    }
    this.#schedule()
  }

  #perform(output: Output): void {
    switch (output.type) {
      case 'send': {
        const { bytes, to, listener } = output
        if (listener.transport !== 'udp') {
          const connection = this.#options.streams?.find(listener, to)
          this.#drops.count(connection ? connection.sendReply(bytes) : 'send-failed')
          return
        }
        const client = this.#options.clients[listener.id]
        if (!client?.send(bytes, 0, bytes.length, to.port, to.address)) this.#drops.count('send-failed')
        return
      }
      case 'relay': {
        const allocation = this.#server.allocations.byId(output.allocation)
        if (allocation) this.#drops.count(this.#dataPath.toPeer(allocation, output.peer, output.payload))
        return
      }
      case 'openRelay':
        this.#openRelay(output.allocation, output.family, output.port)
        return
      case 'closeRelay':
        this.#closeRelay(output.allocation, output.family)
        return
      case 'connectPeer':
      case 'closePeer':
      case 'bindConnection':
      case 'handOver':
        this.#options.tcpRelay?.perform(output)
        return
      case 'reached':
        if (output.listener.transport !== 'udp')
          this.#options.streams?.find(output.listener, output.client)?.allocated()
        return
      case 'left':
        if (output.listener.transport !== 'udp') this.#options.streams?.find(output.listener, output.client)?.released()
        return
      case 'moved': {
        const allocation = this.#server.allocations.byId(output.allocation)
        if (allocation) this.#redirect(allocation)
        return
      }
      case 'ignore':
        this.#drops.count(output.reason)
        return
      default:
        this.#dataPath.flowChanged(output)
    }
  }

  #openRelay(id: number, family: 4 | 6, port: number): void {
    const { relay, tcpRelay, now, onError } = this.#options
    const allocation = this.#server.allocations.byId(id)
    if (tcpRelay && allocation?.relayTransport === 'tcp') {
      tcpRelay.open(allocation, family, port)
      return
    }
    const address = relay.find((candidate) => candidate.family === family)?.local
    try {
      if (!allocation || address === undefined) throw new Error(`no relay address of family IPv${family}`)
      const socket = bindUdp({ address, port, family, bufferSize: RELAY_BUFFER })
      socket.on('error', (error) => onError(error, 'relayed socket'))
      const relaySocket = new RelaySocket(socket, family)
      this.#relaySockets.set(socketKey(id, family), relaySocket)
      this.#attach(allocation, relaySocket)
      this.#call(() => this.#server.relayOpened(id, family, now()))
    } catch (error) {
      onError(error as Error, `relayed port ${port}`)
      this.#call(() => this.#server.relayFailed(id, family, now()))
    }
  }

  #attach(allocation: Allocation, relaySocket: RelaySocket): void {
    const first = allocation.attachment as RelaySocket | undefined
    if (first) {
      first.other = relaySocket
      relaySocket.stream = first.stream
      relaySocket.second = { sent: 0, sentOwn: 0, received: 0 }
    } else {
      allocation.attachment = relaySocket
      if (allocation.listener.transport !== 'udp') {
        relaySocket.stream = this.#options.streams?.find(allocation.listener, allocation.client)
        relaySocket.stream?.allocated()
      }
    }
    relaySocket.socket.on('message', this.#peerHandler(allocation, relaySocket.second))
  }

  /** What is for the client goes to its connection, if it has one. */
  #redirect(allocation: Allocation): void {
    const { listener, client, attachment } = allocation
    const stream = listener.transport === 'udp' ? undefined : this.#options.streams?.find(listener, client)
    const first = attachment as RelaySocket
    for (const relaySocket of [first, first.other]) if (relaySocket) relaySocket.stream = stream
  }

  #closeRelay(id: number, family: 4 | 6): void {
    if (this.#options.tcpRelay?.close(id)) return
    const relaySocket = this.#relaySockets.get(socketKey(id, family))
    this.#relaySockets.delete(socketKey(id, family))
    relaySocket?.close()
    // Of two addresses one may be given up alone.
    if (!this.#server.allocations.byId(id)) relaySocket?.stream?.released()
  }

  #peerHandler(allocation: Allocation, second: RelaySocket['second']): (datagram: Buffer, from: RemoteInfo) => void {
    const dataPath = this.#dataPath
    const drops = this.#drops
    const receive = (datagram: Buffer, from: RemoteInfo): DropReason | undefined => {
      const dropped = from.port === 0 ? 'malformed' : dataPath.fromPeer(allocation, datagram, from.address, from.port)
      drops.count(dropped)
      return dropped
    }
    if (second === undefined) return receive
    return (datagram, from) => {
      if (receive(datagram, from) === undefined) second.received++
    }
  }

  /** One timer for the earliest deadline. A deadline that moved away leaves it as it is: firing early is harmless. */
  #schedule(): void {
    const due = this.#server.nextDeadline
    if (due >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = due
    const delay = Math.min(Math.max(due - this.#options.now(), 0), 2 ** 31 - 1)
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY
      this.#call(() => this.#server.handleTimeout(this.#options.now()))
    }, Math.ceil(delay))
  }
}

/** A number for each relay socket of the worker. */
function socketKey(allocation: number, family: 4 | 6): number {
  return 2 * allocation + (family === 4 ? 0 : 1)
}
