/**
 * NAT behaviour discovery (RFC 5780): two addresses and two ports of this host, four listeners in all. A client learns what
 * its NAT does by asking for answers from another one than it asked.
 */
import type { Endpoint, Listener } from './types.ts'

/** A listener with the transport address that clients reach it by. */
export interface DiscoveryListener {
  readonly listener: Listener
  readonly advertised: Endpoint
}

export class Discovery {
  readonly #corners: readonly DiscoveryListener[]
  readonly #indexes: ReadonlyMap<Listener, number>

  /** @param corners of the first address the main and the other port, then the same of the second; all of one family */
  constructor(corners: readonly [DiscoveryListener, DiscoveryListener, DiscoveryListener, DiscoveryListener]) {
    this.#corners = corners
    this.#indexes = new Map(corners.map(({ listener }, index) => [listener, index]))
  }

  has(listener: Listener): boolean {
    return this.#indexes.has(listener)
  }

  /** There for discovery alone: it takes nothing but Binding. */
  isOtherPort(listener: Listener): boolean {
    return ((this.#indexes.get(listener) ?? 0) & 1) === 1
  }

  /** The listener that differs from this one in address, port, both or neither; undefined for one that has no part in this. */
  from(
    listener: Listener,
    change: { readonly address: boolean; readonly port: boolean },
  ): DiscoveryListener | undefined {
    const index = this.#indexes.get(listener)
    return index === undefined ? undefined : this.#corners[index ^ (change.address ? 2 : 0) ^ (change.port ? 1 : 0)]
  }
}
