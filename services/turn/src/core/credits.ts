/** Bytes per credential: what one username may still relay, over all allocations it makes. */

/** What an allocation draws from. */
export interface Credit {
  /** Payload bytes at hand, either direction; whoever relays takes them off. */
  left: number
  /** Sees to it that `bytes` are at hand. False when there are not so many. */
  extend(bytes: number): boolean
  /** Gives back what is left. Once. */
  release(): void
}

export interface CreditPolicy {
  /**
   * Undefined when the username has used up what it may relay: 486.
   * @param expiresAt of the credential, in milliseconds since the epoch: what it used is remembered as long.
   */
  acquire(username: string, expiresAt: number, now: number): Credit | undefined
}

/** Of an allocation whose username had nothing left when a limit was set. */
export const NO_CREDIT: Credit = { left: 0, extend: () => false, release() {} }
