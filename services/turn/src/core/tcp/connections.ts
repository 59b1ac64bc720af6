/**
 * Peer data connections of TCP allocations (RFC 6062), by their ids. An id is 32 bits: the worker in the first eight, so
 * that any worker can tell whose it is, and a counter. Nothing hangs on its being hard to guess: ConnectionBind is
 * authenticated.
 */
import type { Allocation } from '../allocation.ts'
import type { Timed } from '../deadlines.ts'
import type { ReplyTo } from '../reply.ts'
import type { Endpoint } from '../types.ts'

/**
 * A connection between a relayed transport address and a peer. `connecting`: a Connect request waits for it. `pending`: it
 * is there, and no ConnectionBind has come. `bound`: a client data connection belongs to it.
 */
export interface PeerConnection extends Timed {
  readonly kind: 'connection'
  readonly allocation: Allocation
  readonly id: number
  readonly peer: Endpoint
  /** As `Permission.own`. */
  readonly own: boolean
  state: 'connecting' | 'pending' | 'bound'
  /** The Connect request to answer; undefined for a connection that the peer made. */
  readonly reply: ReplyTo | undefined
}

const COUNTER_BITS = 24

/** The worker that gave out the id. */
export function workerOf(connection: number): number {
  return connection >>> COUNTER_BITS
}

export class PeerConnections {
  readonly #byId = new Map<number, PeerConnection>()
  #counter = 0

  get size(): number {
    return this.#byId.size
  }

  byId(id: number): PeerConnection | undefined {
    return this.#byId.get(id)
  }

  /** An id that is not in use. @param worker below 256 */
  nextId(worker: number): number {
    for (;;) {
      this.#counter = (this.#counter + 1) % 2 ** COUNTER_BITS
      const id = worker * 2 ** COUNTER_BITS + this.#counter
      if (!this.#byId.has(id)) return id
    }
  }

  add(connection: PeerConnection): void {
    this.#byId.set(connection.id, connection)
    connection.allocation.connections.add(connection)
  }

  remove(connection: PeerConnection): void {
    this.#byId.delete(connection.id)
    connection.allocation.connections.delete(connection)
  }

  [Symbol.iterator](): Iterator<PeerConnection> {
    return this.#byId.values()
  }
}
