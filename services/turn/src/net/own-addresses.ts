import { familyOf } from '@hairpin/stun'
import type { PortPool, RelayTransport } from '../core/index.ts'
import type { RelayAddress } from './addresses.ts'

/**
 * The server's own relayed addresses at the edge between core and sockets. The core, clients and peers speak of the
 * advertised address; behind a 1:1 NAT the socket is bound to another one. A packet from one relayed address here to
 * another goes straight to the bound address (no NAT needs to hairpin) and appears to come from the advertised one.
 * Only live relayed ports are translated: nothing else of this host is reachable under its public name.
 *
 * Where both addresses are the same there is nothing to translate, and `translates` says so.
 */
export class OwnAddresses {
  #translates = false
  readonly #localOf = new Map<string, string>()
  readonly #externalOf = new Map<string, string>()
  readonly #ports: Pick<PortPool, 'isLive'>

  constructor(relay: readonly RelayAddress[], ports: Pick<PortPool, 'isLive'>) {
    this.#ports = ports
    this.change(relay)
  }

  get translates(): boolean {
    return this.#translates
  }

  /** Other addresses are advertised from now on. */
  change(relay: readonly RelayAddress[]): void {
    this.#localOf.clear()
    this.#externalOf.clear()
    for (const { external, local } of relay) {
      if (external === local) continue
      this.#localOf.set(external, local)
      this.#externalOf.set(local, external)
    }
    this.#translates = this.#localOf.size > 0
  }

  /** Where a datagram, or a connection, for this peer goes. */
  toLocal(address: string, port: number, transport: RelayTransport = 'udp'): string {
    const local = this.#localOf.get(address)
    return local !== undefined && this.#ports.isLive(port, familyOf(address), transport) ? local : address
  }

  /** Whom a datagram, or a connection, from this source comes from, in the words of the core. */
  toExternal(address: string, port: number, transport: RelayTransport = 'udp'): string {
    const external = this.#externalOf.get(address)
    return external !== undefined && this.#ports.isLive(port, familyOf(address), transport) ? external : address
  }
}
