import type { RemoteInfo } from 'node:dgram'

interface Place {
  readonly address: string
  readonly port: number
}

/**
 * Live relayed transport addresses. Behind a 1:1 NAT (node-turn advertises what it does not bind) two clients of this server
 * name each other's advertised address, which the host may not reach: between our own ports the bound one is used.
 */
export class RelayedAddresses {
  readonly #external: ReadonlyMap<string, string>
  readonly #local: ReadonlyMap<string, string>
  readonly #own: ReadonlySet<string>
  readonly #ports = new Set<number>()

  /** @param external Bound address → advertised address. */
  constructor(external: Readonly<Record<string, string>>) {
    const pairs = Object.entries(external)
    this.#external = new Map(pairs)
    this.#local = new Map(pairs.map(([local, advertised]) => [advertised, local]))
    this.#own = new Set(pairs.flat())
  }

  add({ port }: Place): void {
    this.#ports.add(port)
  }

  delete({ port }: Place): void {
    this.#ports.delete(port)
  }

  mayReach({ address, port }: Place): boolean {
    return this.#ports.has(port) || !this.#own.has(address)
  }

  bound({ address, port }: Place): string {
    return this.#ports.has(port) ? (this.#local.get(address) ?? address) : address
  }

  advertised(from: RemoteInfo): RemoteInfo {
    const address = this.#ports.has(from.port) ? (this.#external.get(from.address) ?? from.address) : from.address
    return address === from.address ? from : { ...from, address }
  }
}
