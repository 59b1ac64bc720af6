/** What goes in and out of the sans-IO TURN client. */
import type { IcmpError, StunError } from '../attributes/error-code.ts'
import type { Endpoint } from '../endpoint.ts'

export interface TurnClientOptions {
  readonly username: string
  readonly password: string
  /** CSPRNG, for transaction ids. */
  readonly randomBytes: (size: number) => Uint8Array
  /** Streams need no retransmission and pad ChannelData; default false (UDP). */
  readonly reliable?: boolean
  /** REQUESTED-ADDRESS-FAMILY; left out by default, which means IPv4. */
  readonly family?: 4 | 6
  /** ADDITIONAL-ADDRESS-FAMILY: an IPv6 relayed address beside the IPv4 one. */
  readonly dual?: boolean
  /** Seconds asked for in LIFETIME; left out by default. */
  readonly lifetime?: number
  /** EVEN-PORT, with or without a reservation of the next port. */
  readonly evenPort?: { readonly reserve: boolean }
  /** RESERVATION-TOKEN of an earlier allocation. */
  readonly reservationToken?: Uint8Array
  /** Ask for a ticket with which the allocation can be taken to another address (RFC 8016). */
  readonly mobility?: boolean
  readonly dontFragment?: boolean
  /** Protocol number of REQUESTED-TRANSPORT; default 17 (UDP). */
  readonly requestedTransport?: number
  /**
   * Use what the server offers of RFC 8489: password algorithms with MESSAGE-INTEGRITY-SHA256, USERHASH. Default false:
   * HMAC-SHA1 under an MD5 key, as browsers do.
   */
  readonly sha256?: boolean
  readonly software?: string
  /** Add FINGERPRINT to requests; default true. */
  readonly fingerprint?: boolean
  /** Refresh allocation, permissions and channels before they expire; default true. */
  readonly keepAlive?: boolean
  /** Ignore unsigned answers to signed requests, as RFC 8489 asks; default true. False for servers that leave it out. */
  readonly requireIntegrity?: boolean
}

/** Perform in order: `send` goes to the server, the rest are events. */
export type ClientOutput =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  | {
      readonly type: 'allocated'
      readonly relayed: Endpoint
      readonly mapped: Endpoint
      /** Seconds. */
      readonly lifetime: number
      readonly reservationToken?: Uint8Array
      /** The IPv6 relayed address, when both were asked for and given. */
      readonly additional?: Endpoint
      /** ADDRESS-ERROR-CODE: why, of both asked for, one was not given. */
      readonly missing?: (StunError & { readonly family: 4 | 6 }) | undefined
    }
  | { readonly type: 'mapped'; readonly mapped: Endpoint }
  | { readonly type: 'refreshed'; readonly lifetime: number }
  | { readonly type: 'permitted'; readonly peers: readonly Endpoint[] }
  | { readonly type: 'channelBound'; readonly peer: Endpoint; readonly channel: number }
  /** Payload from a peer: by channel (ChannelData) or by Data indication (channel undefined). */
  | { readonly type: 'data'; readonly peer: Endpoint; readonly payload: Uint8Array; readonly channel?: number }
  /** TCP allocations (RFC 6062): the relay is connected to the peer; bind a new connection to it within 30 seconds. */
  | { readonly type: 'connected'; readonly peer: Endpoint; readonly connection: number }
  /** A permitted peer has connected to the relayed address; as `connected`. */
  | { readonly type: 'connectionAttempt'; readonly peer: Endpoint; readonly connection: number }
  /** From the next byte on, this stream is the peer's. */
  | { readonly type: 'connectionBound'; readonly connection: number }
  /** The relay heard by ICMP that a datagram to the peer did not arrive. */
  | { readonly type: 'unreachable'; readonly peer: Endpoint; readonly icmp: Required<IcmpError> }
  /** A request failed for good. `code` is the STUN error, or 0 when nothing answered. */
  | { readonly type: 'failed'; readonly method: number; readonly code: number; readonly reason: string }
  /** The allocation is gone: deleted by us, or lost. */
  | { readonly type: 'closed' }
