/** The relay's own addresses: where it listens, what it advertises, and why. */

/** How an advertised address was found, best first. */
export type AddressSource = 'configured' | 'cloud' | 'interface' | 'stun' | 'dns' | 'private' | 'loopback'

/** One advertised address of a family; `local` is where its relayed ports are bound (differs behind a 1:1 NAT). */
export interface RelayAddress {
  readonly family: 4 | 6
  readonly external: string
  readonly local: string
  readonly source: AddressSource
  /** One sentence for the log and the start banner. */
  readonly why: string
}

/** Two addresses and the second of two ports: RFC 5780. */
export interface DiscoveryAddresses {
  readonly port: number
  readonly first: { readonly external: string; readonly local: string }
  readonly second: { readonly external: string; readonly local: string }
}

export interface ServerAddresses {
  /** Local addresses the listening sockets are bound to, one by one. Never a wildcard. */
  readonly listen: readonly string[]
  /** STUN/TURN port on all of them. */
  readonly port: number
  /** The port of TURN over TCP on all of them; absent when nobody listens there. */
  readonly tcpPort?: number
  /** The port of TURN over TLS; absent when nobody listens there. */
  readonly tlsPort?: number
  /** Absent when NAT behaviour discovery is not served. */
  readonly discovery?: DiscoveryAddresses
  /** At most one per family, IPv4 first. */
  readonly relay: readonly RelayAddress[]
  /** All addresses of this host, listened to or not: what peers must not reach except as a relayed address. */
  readonly own: readonly string[]
}
