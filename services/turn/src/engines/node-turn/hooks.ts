import type { AuthFailure, DropReason, PasswordPolicy, PeerPolicy, Principal, QuotaPolicy } from '../../core/index.ts'

/** What node-turn has no hooks for: the policies that the core of our own engine takes too. */
export interface RepairPolicies {
  readonly passwords: PasswordPolicy
  readonly quota: QuotaPolicy
  readonly peers: PeerPolicy
}

/** What happened, for counters. */
export interface RepairEvents {
  allocated(principal: Principal): Meter
  /** `code` 200 or the STUN error code. */
  answered(method: string, code: number): void
  authFailed(reason: AuthFailure): void
  dropped(reason: DropReason): void
}

/** Of one allocation; one call is one packet. */
export interface Meter {
  /** @param bytes payload. @param own it goes to another relayed address of this server. */
  clientToPeer(bytes: number, own: boolean): void
  /** @param bytes payload. */
  peerToClient(bytes: number): void
  /** @param bytes the same with its ChannelData or STUN framing. */
  sentToClient(bytes: number): void
  ended(): void
}
