import type { PeerPolicy } from '../../core/index.ts'
import type { RelayAddress } from '../../net/addresses.ts'
import { OwnAddresses } from '../../net/own-addresses.ts'

interface Place {
  readonly address: string
  readonly port: number
}

/** The relayed transport addresses that are live now: node-turn knows its allocations by five-tuple only. */
export class RelayedAddresses {
  readonly #ports = new Set<number>()
  readonly #all: ReadonlySet<string>
  readonly #own: ReadonlySet<string>
  readonly #translation: OwnAddresses

  /** @param peers says which addresses are ours alone: the operator may have opened the host's own to peers. */
  constructor(relay: readonly RelayAddress[], peers: PeerPolicy) {
    const addresses = relay.flatMap(({ external, local }) => [external, local])
    this.#own = new Set(addresses.filter((address) => peers.check(address) === 'own'))
    this.#all = new Set(addresses)
    this.#translation = new OwnAddresses(relay, { isLive: (port) => this.#ports.has(port) })
  }

  add({ port }: Place): void {
    this.#ports.add(port)
  }

  delete({ port }: Place): void {
    this.#ports.delete(port)
  }

  has({ address, port }: Place): boolean {
    return this.#ports.has(port) && this.#all.has(address)
  }

  /** Of our own addresses, live relayed ports alone. */
  mayReach({ address, port }: Place): boolean {
    return this.#ports.has(port) || !this.#own.has(address)
  }

  /** Where a datagram for this peer is sent: behind a 1:1 NAT not to the advertised address, but to the bound one. */
  bound({ address, port }: Place): string {
    return this.#translation.toLocal(address, port)
  }

  /** `from` with the address that our clients know it by. */
  advertised<P extends Place>(from: P): P {
    const address = this.#translation.toExternal(from.address, from.port)
    return address === from.address ? from : { ...from, address }
  }
}
