/**
 * TCP allocations (RFC 6062) on real sockets: performs what the core asks of them, for one worker.
 *
 * A client's data connection may come to another worker than its control connection: the kernel spreads them by five-tuple,
 * and Node cannot give a socket to another thread. The id that a ConnectionBind names tells the worker. The connection is
 * joined to a stream between the threads, with the request first, and taken there as if it had come to that worker's own
 * socket: authentication, answer and data path are all in one place.
 */
import type { Socket } from 'node:net'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { canonicalAddress } from '@hairpin/stun'
import type { Allocation, Endpoint, Listener, Output, TurnServer } from '../../core/index.ts'
import type { Sample } from '../../engine.ts'
import type { RelayAddress } from '../addresses.ts'
import type { OwnAddresses } from '../own-addresses.ts'
import type { StreamListeners } from '../streams/listeners.ts'
import { Pipe } from './pipe.ts'
import { PortStream } from './port-stream.ts'
import { PeerLink, RelayedListener } from './relayed.ts'
import { connectFrom, listenOn } from './sockets.ts'

export type TcpOutput = Extract<Output, { type: 'connectPeer' | 'closePeer' | 'bindConnection' | 'handOver' }>

/** A step of the core whose outputs are performed: `Driver.act`. */
export type Act = (step: (server: TurnServer, now: number) => Output[]) => void

/** A client's connection on its way to another worker; the port goes with it. */
export interface Handover {
  readonly worker: number
  /** `Listener.id`: the same in all workers. */
  readonly listener: number
  readonly client: Endpoint
  readonly port: MessagePort
}

export interface TcpRelayOptions {
  readonly server: TurnServer
  readonly streams: StreamListeners
  readonly relay: readonly RelayAddress[]
  readonly own: OwnAddresses
  readonly now: () => number
  readonly onError: (error: Error, what: string) => void
  /** Left out where there is one worker. */
  readonly handOver?: ((handover: Handover) => void) | undefined
}

export class TcpRelay {
  readonly #options: TcpRelayOptions
  /** By allocation. */
  readonly #listeners = new Map<number, RelayedListener>()
  /** By connection. */
  readonly #links = new Map<number, PeerLink>()
  readonly #tunnels = new Set<Pipe>()
  #act: Act = () => {}

  constructor(options: TcpRelayOptions) {
    this.#options = options
  }

  start(act: Act): void {
    this.#act = act
  }

  /** Listens on the relayed address and tells the core. */
  open(allocation: Allocation, family: 4 | 6, port: number): void {
    const { relay, streams, onError } = this.#options
    const address = relay.find((candidate) => candidate.family === family)?.local ?? ''
    const local: Endpoint = { address, port, family }
    listenOn(local).then(
      (server) => {
        server.on('error', (error) => onError(error, 'relayed socket'))
        if (allocation.state !== 'pending') return void server.close()
        const listener = new RelayedListener(server, local, streams.find(allocation.listener, allocation.client))
        server.on('connection', (socket) => this.#arrived(allocation, socket))
        listener.control?.allocated()
        allocation.attachment = listener
        this.#listeners.set(allocation.id, listener)
        this.#act((core, now) => core.relayOpened(allocation.id, family, now))
      },
      (error) => {
        onError(error, `relayed port ${port}`)
        this.#act((core, now) => core.relayFailed(allocation.id, family, now))
      },
    )
  }

  /** True when it was a TCP allocation's. */
  close(allocation: number): boolean {
    const listener = this.#listeners.get(allocation)
    if (!listener) return false
    this.#listeners.delete(allocation)
    listener.server.close()
    listener.control?.released()
    return true
  }

  perform(output: TcpOutput): void {
    switch (output.type) {
      case 'connectPeer':
        this.#connect(output.allocation, output.connection, output.peer)
        return
      case 'closePeer': {
        const link = this.#links.get(output.connection)
        this.#links.delete(output.connection)
        link?.destroy()
        return
      }
      case 'bindConnection':
        this.#bind(output.connection, output.listener, output.from)
        return
      case 'handOver':
        this.#handOver(output)
    }
  }

  /** Takes the connection that another worker handed over. */
  take({ listener, client, port }: Handover): void {
    const stream = new PortStream(port)
    if (!this.#options.streams.adopt(stream, listener, client)) stream.destroy()
  }

  /** Ends what other workers have the use of; the core's allocations are ended by their own outputs. */
  stop(): void {
    for (const tunnel of this.#tunnels) tunnel.destroy()
  }

  /** `hairpin_tcp_relay_allocations`, `hairpin_tcp_relay_connections{state}`. */
  samples(): Sample[] {
    const counts = { connecting: 0, pending: 0, bound: 0 }
    for (const { state } of this.#options.server.connections) counts[state]++
    return [
      { name: 'hairpin_tcp_relay_allocations', labels: {}, value: this.#listeners.size },
      ...Object.entries(counts).map(([state, value]) => ({
        name: 'hairpin_tcp_relay_connections',
        labels: { state },
        value,
      })),
    ]
  }

  #connect(allocation: number, id: number, peer: Endpoint): void {
    const { own } = this.#options
    const listener = this.#listeners.get(allocation)
    if (!listener) return
    const socket = connectFrom(listener.local, { ...peer, address: own.toLocal(peer.address, peer.port, 'tcp') })
    socket.once('connect', () => this.#act((core, now) => core.peerConnected(id, now)))
    this.#keep(id, socket)
  }

  #arrived(allocation: Allocation, socket: Socket): void {
    const { own } = this.#options
    const { remoteAddress = '', remotePort: port = 0 } = socket
    const canonical = canonicalAddress(remoteAddress)
    // It may be gone already.
    if (canonical === undefined || port === 0) return void socket.destroy()
    const peer: Endpoint = { address: own.toExternal(canonical, port, 'tcp'), port, family: allocation.family }
    socket.on('error', () => {})
    this.#act((core, now) => {
      const { connection, outputs } = core.peerArrived(allocation, peer, now)
      if (connection === undefined) socket.destroy()
      else this.#keep(connection, socket)
      return outputs
    })
  }

  #keep(id: number, socket: Socket): void {
    this.#links.set(id, new PeerLink(socket, () => this.#closed(id)))
  }

  /** Nothing to tell when the core closed it itself. */
  #closed(id: number): void {
    if (this.#links.delete(id)) this.#act((core, now) => core.peerClosed(id, now))
  }

  #bind(id: number, listener: Listener, from: Endpoint): void {
    const { server, streams, now } = this.#options
    const link = this.#links.get(id)
    const connection = server.connections.byId(id)
    const client = streams.find(listener, from)?.detach()
    if (link && connection && client) link.bind(client, connection, now, () => this.#closed(id))
    else {
      client?.destroy()
      link?.destroy()
    }
  }

  #handOver({ worker, listener, from, request }: Extract<TcpOutput, { type: 'handOver' }>): void {
    const { streams, handOver } = this.#options
    const connection = streams.find(listener, from)
    if (!connection) return
    // Nobody has reason to go from worker to worker.
    if (!handOver || connection.adopted) {
      connection.close('not-stun')
      return
    }
    const { port1, port2 } = new MessageChannel()
    const there = new PortStream(port1)
    there.write(request)
    const tunnel: Pipe = new Pipe(connection.detach(), there, {}, () => this.#tunnels.delete(tunnel))
    this.#tunnels.add(tunnel)
    handOver({ worker, listener: listener.id, client: from, port: port2 })
  }
}
