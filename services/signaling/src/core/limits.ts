import { limits } from '@hairpin/protocol'

/** What one session may do. Times in ms. */
export interface SessionLimits {
  readonly joinMs: number
  readonly ringMs: number
  /** Messages at once and in the long run; a message type may cost more than one (messages/). */
  readonly messageBurst: number
  readonly messagesPerSecond: number
  /** Faulty messages forgiven at once and in the long run; beyond them the socket closes with 4400. */
  readonly strikes: number
  readonly strikesPerSecond: number
  /** Joins and leaves within this time give one user list; it grows by 1 ms per user. */
  readonly userlistMs: number
}

export const defaultSessionLimits: SessionLimits = {
  joinMs: limits.joinSeconds * 1000,
  ringMs: limits.ringSeconds * 1000,
  messageBurst: 120,
  messagesPerSecond: 30,
  strikes: 20,
  strikesPerSecond: 1 / 3,
  userlistMs: 30,
}
