/** The decisions the core leaves to others, each a function passed in. None may do I/O or wait. */
import type { Allocation } from './allocation.ts'
import type { ClientTransport, CloseReason, Endpoint, Listener } from './types.ts'

/** Who an allocation is counted for. Neither goes into a response. */
export interface Principal {
  readonly app: string
  readonly user: string
}

/** Label values of `hairpin_auth_failures_total{reason}`; the first four are given by `passwords`, the rest by the core. */
export type AuthFailure =
  | 'malformed-username'
  | 'expired'
  | 'revoked'
  | 'unknown-user'
  | 'bad-request'
  | 'integrity'
  | 'stale-nonce'
  | 'wrong-user'

export type Credentials =
  | {
      readonly ok: true
      /** Candidates, likeliest first: one for each shared secret that is still accepted. */
      readonly passwords: readonly string[]
      readonly app: string
      readonly user: string
      /** Milliseconds since the epoch after which no new allocation may be made; Infinity for none. */
      readonly expiresAt: number
    }
  | { readonly ok: false; readonly reason: AuthFailure }

/**
 * Looks a USERNAME up. Asked for each Allocate; requests on an existing allocation are checked with the key it was made
 * with, so a call outlives the expiry of its credential and the rotation of its secret (as the REST draft and coturn do).
 */
export type PasswordPolicy = (username: string, now: number) => Credentials

/** Bounds allocations per user and in all. `acquire` false → 486; every acquired unit is released exactly once. */
export interface QuotaPolicy {
  acquire(principal: Principal, now: number): boolean
  release(principal: Principal): void
}

/**
 * May allocations talk to this peer? `own` is one of the server's relayed addresses: reachable, but only on ports that
 * are live relayed ports at that moment. Asked per permission, never per packet. `address` is canonical text.
 */
export interface PeerPolicy {
  check(address: string): PeerVerdict
}
export type PeerVerdict = 'allow' | 'own' | 'deny'

/**
 * Relayed ports, shared by all workers of the host. Pure calls; `now` in milliseconds. A port that was released rests
 * before it is given out again. `RelayPorts` (ports.ts) is the implementation.
 */
export interface PortPool {
  /** A random free port; with `even` an even one; with `reserve` also the next-higher one, redeemable by its token. */
  acquire(request: PortRequest, family: 4 | 6, transport: RelayTransport, now: number): PortLease | undefined
  /** Redeems a RESERVATION-TOKEN of any worker: its port becomes live over UDP. Undefined when it is unknown, used or expired. */
  claim(token: Uint8Array, now: number): PortLease | undefined
  release(port: number, now: number): void
  /** Gives back a reservation whose allocation failed. */
  cancel(token: Uint8Array, now: number): void
  /**
   * Whether the port is a live relayed port of any worker, of that family and transport: the per-packet check for peers of
   * verdict `own`. The same number of another family or transport may be a service of this host.
   */
  isLive(port: number, family: 4 | 6, transport: RelayTransport): boolean
}
/** Of a relayed transport address; TCP by RFC 6062. */
export type RelayTransport = 'udp' | 'tcp'
export type PortRequest = 'any' | 'even' | 'even-reserve-next'
export interface PortLease {
  readonly port: number
  /** The family it was acquired or reserved for. One pool serves both. */
  readonly family: 4 | 6
  /** 8 bytes, when the next-higher port was reserved. */
  readonly token?: Uint8Array
}

/**
 * A budget for answers over UDP to senders nobody has authenticated; false → the datagram is dropped as `rate-limited`.
 * Asked for every such datagram: it must neither remember each source nor make objects. `SourceBudget` is the implementation.
 */
export interface ChallengeBudget {
  take(from: Endpoint, kind: 'challenge' | 'binding', now: number): boolean
}

/** Told of every five-tuple that gets or loses an allocation, from the Allocate on: so that other workers can find it. */
export interface FlowDirectory {
  add(listener: Listener, client: Endpoint): void
  remove(listener: Listener, client: Endpoint): void
}

/** Where a client is, with the listener it speaks to. */
export interface FiveTuple {
  readonly listener: Listener
  readonly client: Endpoint
}

/** Told as it happens, for metrics, logs and the ledger. Must not call back into the core. */
export interface ServerEvents {
  /** The relay socket is open and the client has been told. */
  allocationOpened?(allocation: Allocation, now: number): void
  /** Once for each `allocationOpened`; the allocation's counters are final except for what the data path holds itself. */
  allocationClosed?(allocation: Allocation, reason: CloseReason, now: number): void
  /**
   * A client comes from a new five-tuple (RFC 8016): before and after `allocation.client` and `.listener` change. What is
   * summed by transport is to be settled in the first.
   */
  allocationMoving?(allocation: Allocation, to: FiveTuple, now: number): void
  allocationMoved?(allocation: Allocation, from: FiveTuple, now: number): void
  /** A request was answered: `method` as `methodName` says, `code` 200 or the STUN error code. */
  requestHandled?(request: {
    readonly method: string
    readonly transport: ClientTransport
    readonly code: number
  }): void
  authFailed?(reason: AuthFailure, transport: ClientTransport): void
}
