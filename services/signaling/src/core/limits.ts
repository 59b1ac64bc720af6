import { limits } from '@hairpin/protocol'
import type { OutboxLimits } from './outbox.ts'
import type { PushLimits } from './push-book.ts'

/** What one session may do. Times in ms. */
export interface SessionLimits extends OutboxLimits, PushLimits {
  readonly joinMs: number
  readonly ringMs: number
  /** Messages at once and in the long run; a message type may cost more than one (messages/). */
  readonly messageBurst: number
  readonly messagesPerSecond: number
  /** Messages of single types (`other`: made-up ones) a second; four times as many at once. */
  readonly typesPerSecond: Readonly<Record<string, number>>
  /** Calls of one session for which devices are woken. */
  readonly wakeBurst: number
  readonly wakesPerSecond: number
  /** Faulty messages forgiven at once and in the long run; beyond them the socket closes with 4400. */
  readonly strikes: number
  readonly strikesPerSecond: number
  /** Joins and leaves within this time give one user list; it grows by 1 ms per user. */
  readonly userlistMs: number
  /** How long a session that can be resumed outlives its socket; 0: no session can be resumed. */
  readonly graceMs: number
  /** The same when the client said that it goes away (1001), as a page does that is closed or loaded anew. */
  readonly awayMs: number
  /** A client that can resume gets an `ack` for so many of its frames. */
  readonly framesPerAck: number
  readonly devicesPerUser: number
  readonly roomMembers: number
  readonly tokenWarnMs: number
}

export const defaultSessionLimits: SessionLimits = {
  joinMs: limits.joinSeconds * 1000,
  ringMs: limits.ringSeconds * 1000,
  messageBurst: 120,
  messagesPerSecond: 30,
  typesPerSecond: {},
  strikes: 20,
  strikesPerSecond: 1 / 3,
  userlistMs: 30,
  graceMs: 30_000,
  awayMs: 15_000,
  outboxMessages: limits.outboxMessages,
  outboxBytes: limits.outboxBytes,
  framesPerAck: limits.framesPerAck,
  devicesPerUser: limits.devicesPerUser,
  roomMembers: limits.roomMembers,
  pushEndpoints: limits.pushEndpoints,
  missedCalls: limits.missedCalls,
  pushTotal: 100_000,
  wakeBurst: 5,
  wakesPerSecond: 0.1,
  tokenWarnMs: limits.tokenWarnSeconds * 1000,
}
