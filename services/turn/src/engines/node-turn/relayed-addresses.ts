import type { RelayAddress } from '../../net/addresses.ts'
import { OwnAddresses } from '../../net/own-addresses.ts'

interface Place {
  readonly address: string
  readonly port: number
}

/** The relayed transport addresses that are live now: node-turn knows its allocations by five-tuple only. */
export class RelayedAddresses {
  readonly #ports = new Set<number>()
  readonly #own: ReadonlySet<string>
  readonly #translation: OwnAddresses

  constructor(relay: readonly RelayAddress[]) {
    this.#own = new Set(relay.flatMap(({ external, local }) => [external, local]))
    this.#translation = new OwnAddresses(relay, (port) => this.#ports.has(port))
  }

  add({ port }: Place): void {
    this.#ports.add(port)
  }

  delete({ port }: Place): void {
    this.#ports.delete(port)
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
