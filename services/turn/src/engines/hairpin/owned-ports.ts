import type { PortLease, PortPool, PortRequest, RelayTransport } from '../../core/index.ts'
import type { PortOwnership } from './port-ownership.ts'

/** The shared pool with the taker's number written beside each port, so that a crashed worker's ports come back. */
export class OwnedPorts implements PortPool {
  readonly #pool: PortPool
  readonly #ownership: PortOwnership

  constructor(pool: PortPool, ownership: PortOwnership) {
    this.#pool = pool
    this.#ownership = ownership
  }

  acquire(request: PortRequest, family: 4 | 6, transport: RelayTransport, now: number): PortLease | undefined {
    return this.#taken(this.#pool.acquire(request, family, transport, now))
  }

  claim(token: Uint8Array, now: number): PortLease | undefined {
    return this.#taken(this.#pool.claim(token, now))
  }

  release(port: number, now: number): void {
    // First forget it: once it is free another worker may take it at any moment.
    this.#ownership.released(port)
    this.#pool.release(port, now)
  }

  cancel(token: Uint8Array, now: number): void {
    this.#pool.cancel(token, now)
  }

  isLive(port: number, family: 4 | 6, transport: RelayTransport): boolean {
    return this.#pool.isLive(port, family, transport)
  }

  #taken(lease: PortLease | undefined): PortLease | undefined {
    if (lease) this.#ownership.taken(lease.port)
    return lease
  }
}
