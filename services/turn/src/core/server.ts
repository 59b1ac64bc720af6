/**
 * The TURN/STUN server without I/O: RFC 8489 and RFC 8656.
 *
 * THE INVARIANT: all state changes happen inside one call that is given `now`, and the caller performs the outputs it
 * returned, in order, before the next call. So core and sockets never disagree, and the same calls give the same outputs.
 */

import type { Allocation } from './allocation.ts'
import { AllocationTable } from './allocation-table.ts'
import type { ChallengeBudget, PasswordPolicy, PeerPolicy, PortPool, QuotaPolicy, ServerEvents } from './policies.ts'
import type { CloseReason, Endpoint, Listener, Output } from './types.ts'

export interface TurnServerOptions {
  readonly realm: string
  /** Advertised relay addresses, canonical text; a family left out is refused with 440. Read at every Allocate. */
  readonly relayAddresses: { readonly 4?: string; readonly 6?: string }
  readonly passwords: PasswordPolicy
  readonly quota: QuotaPolicy
  readonly peers: PeerPolicy
  readonly ports: PortPool
  /** CSPRNG: `crypto.randomBytes`. */
  readonly randomBytes: (size: number) => Uint8Array
  /** 32 random bytes; every worker that may see the same client shares them. */
  readonly nonceKey: Uint8Array
  readonly events?: ServerEvents
  readonly budget?: ChallengeBudget
  /** SOFTWARE of authenticated responses; none by default. */
  readonly software?: string
  /** Whether relay sockets can set the DF bit; default false: DONT-FRAGMENT is answered with 420. */
  readonly dontFragment?: boolean
  readonly limits?: Partial<Limits>
}

/** Seconds, and counts per allocation. */
export interface Limits {
  /** Lifetime given when none is asked for, and the least given: 600. */
  readonly defaultLifetime: number
  /** The most given: 3600. */
  readonly maxLifetime: number
  /** Nonces older than this draw 438: 3600. */
  readonly nonceLifetime: number
  /** 256. Beyond it 508. */
  readonly maxPermissions: number
  /** 256. Beyond it 508. */
  readonly maxChannels: number
}

/**
 * `now` is in milliseconds since the epoch on a clock that does not jump: `performance.timeOrigin + performance.now()`.
 * After each call look at `nextDeadline`, and call `handleTimeout` when it comes.
 */
export class TurnServer {
  readonly allocations = new AllocationTable()

  constructor(_options: TurnServerOptions) {}

  /** One STUN datagram or stream frame of a client (ChannelData goes to the data path). Never throws on bytes. */
  receive(_bytes: Uint8Array, _listener: Listener, _from: Endpoint, _now: number): Output[] {
    return []
  }

  /** Answers `openRelay`: the socket is bound; the client is told. Unknown or closed allocations are ignored. */
  relayOpened(_allocation: number, _family: 4 | 6, _now: number): Output[] {
    return []
  }

  /** Answers `openRelay`: it could not be bound. Another port is tried a few times, then the client gets 508. */
  relayFailed(_allocation: number, _family: 4 | 6, _now: number): Output[] {
    return []
  }

  /** A client's stream is gone, and with it its allocation (RFC 8656 section 5, TCP and TLS). */
  disconnected(_listener: Listener, _from: Endpoint, _now: number): Output[] {
    return []
  }

  /** Ends an allocation: an operator's or a policy's doing. */
  close(_allocation: Allocation, _reason: CloseReason, _now: number): Output[] {
    return []
  }

  /** Ends them all. */
  shutdown(_now: number): Output[] {
    return []
  }

  /** When `handleTimeout` wants to be called, in milliseconds on the clock of `now`; Infinity when nothing is due ever. */
  get nextDeadline(): number {
    return Number.POSITIVE_INFINITY
  }

  /** Expires what is due: allocations, permissions, channels. Early, late and repeated calls are harmless. */
  handleTimeout(_now: number): Output[] {
    return []
  }
}
