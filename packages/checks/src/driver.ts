/**
 * What a place of the check can do: a browser by its WebRTC, Node by sockets. A driver measures and says what it saw; the
 * steps judge. Its calls do not reject for what networks and servers do: that is a fact too.
 */
import type { BindingAnswer } from './nat.ts'
import type { IceServersAnswer, RelayTarget, StunTarget } from './servers.ts'
import type { LoopLink } from './traffic.ts'
import type { Place } from './types.ts'

export type Log = (text: string) => void

/** Why a server could not be talked to. */
export interface Trouble {
  readonly kind: 'name' | 'refused' | 'timeout' | 'tls' | 'unreachable'
  /** In the system's words. */
  readonly text: string
}

export interface PageFacts {
  readonly secure: boolean
  readonly microphone: 'available' | 'none' | 'denied' | 'unsupported'
}

export interface CertificateFacts {
  /** Why a browser would refuse it; undefined when it would not. */
  readonly problem?: 'expired' | 'not-yet-valid' | 'self-signed' | 'unknown-authority' | 'name' | 'other'
  /** In the words of the TLS library. */
  readonly reason?: string
  readonly host: string
  readonly names: readonly string[]
  readonly issuer: string
  /** Milliseconds since 1970. */
  readonly validTo: number
}

export type ServerFacts =
  | {
      readonly state: 'answered'
      readonly ms: number
      readonly status: number
      readonly certificate?: CertificateFacts
    }
  | { readonly state: 'trouble'; readonly trouble: Trouble }

export type SocketFacts =
  | {
      readonly state: 'open'
      /** Milliseconds to the upgrade, and to the `id` frame; undefined when none came. */
      readonly openMs: number
      readonly idMs?: number
      /** The subprotocol that the server chose; empty: none. */
      readonly protocol: string
    }
  /** `status` is not known to browsers, nor `code`, which is the server's own. */
  | { readonly state: 'refused'; readonly status?: number; readonly code?: string; readonly plainStatus?: number }
  | { readonly state: 'closed'; readonly code: number; readonly reason: string }
  | { readonly state: 'trouble'; readonly trouble: Trouble }

export type CredentialsFacts =
  | { readonly state: 'given'; readonly ms: number; readonly answer: IceServersAnswer }
  | { readonly state: 'refused'; readonly status?: number; readonly code: string; readonly message: string }
  /** A key is not sent to a server that could be anybody's. */
  | { readonly state: 'withheld' }
  | { readonly state: 'odd'; readonly text: string }
  | { readonly state: 'trouble'; readonly trouble: Trouble }

export type DateFacts =
  /** `before` and `after` by the clock of this machine; all in milliseconds since 1970. */
  | { readonly state: 'told'; readonly server: number; readonly before: number; readonly after: number }
  | { readonly state: 'untold' }

export interface StunFacts {
  readonly answers: readonly BindingAnswer[]
  /** RFC 5780 section 4.4, where the server takes part. */
  readonly filtering?: 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent'
}

export type AllocateFacts =
  | {
      readonly state: 'allocated'
      readonly ms: number
      /** How the client reaches the relay, as it was seen and not as the URL asks. */
      readonly transport: RelayTarget['transport']
      /** `address:port`, where they are known. */
      readonly relayed?: string
      readonly server?: string
      readonly mapped?: string
      readonly certificate?: CertificateFacts
    }
  /** The relay answered with a STUN error. */
  | { readonly state: 'refused'; readonly code: number; readonly reason: string }
  | { readonly state: 'trouble'; readonly trouble: Trouble }

export type LoopOpening =
  | { readonly state: 'open'; readonly link: LoopLink; readonly transport: RelayTarget['transport'] }
  | { readonly state: 'refused'; readonly code: number; readonly reason: string }
  | { readonly state: 'trouble'; readonly trouble: Trouble }

export type PortsFacts =
  | { readonly state: 'heard'; readonly ms: number; readonly relayed?: string }
  | { readonly state: 'silent'; readonly relayed?: string }
  /** The relay does not relay to the address that this machine has for it. */
  | { readonly state: 'denied'; readonly address?: string }
  | { readonly state: 'trouble'; readonly trouble: Trouble }

/** Addresses of a host by family. */
export interface HostAddresses {
  readonly 4: readonly string[]
  readonly 6: readonly string[]
}

export interface Driver {
  readonly place: Place
  /** `https://calls.example.com` */
  readonly origin: string
  readonly by: string
  /** What no report may show: API key, token. */
  readonly secrets: readonly string[]
  /** Browsers only. */
  page?(): Promise<PageFacts>
  /** Node only: browsers have reached the server, or there would be no page. */
  server?(log: Log): Promise<ServerFacts>
  /** Leaves the socket open for `guestCredentials`. */
  socket(log: Log): Promise<SocketFacts>
  /** Over that socket, under a name of the driver's making. */
  guestCredentials(log: Log): Promise<CredentialsFacts>
  /** By the HTTP API, with an API key or token. */
  apiCredentials(log: Log): Promise<CredentialsFacts>
  date(log: Log): Promise<DateFacts>
  /** All from one socket, where there is a choice. */
  bindings(targets: readonly StunTarget[], log: Log): Promise<StunFacts>
  /** Undefined where it cannot be told, as in a browser. */
  addressesOf(host: string): Promise<HostAddresses | undefined>
  /** Allocates by this one URL and gives the allocation up. */
  allocate(target: RelayTarget, log: Log): Promise<AllocateFacts>
  /** Two allocations by this one URL, joined. */
  loop(target: RelayTarget, log: Log): Promise<LoopOpening>
  /** Whether a datagram from this machine, outside of TURN, reaches an allocation's relayed address. */
  ports(target: RelayTarget, log: Log): Promise<PortsFacts>
  close(): void
}
