import type { SessionLimits } from './limits.ts'
import { TokenBucket } from './token-bucket.ts'

/** One client's connection as the core sees it. Its name and id are the server's word; a client's are never believed. */
export class Session {
  readonly id: string
  /** Undefined until the session has joined. */
  name: string | undefined
  /** The `seq` of the last message sent. */
  seq = 0
  /** True while credentials are under way: a second request waits for the same answer. */
  iceServersPending = false
  /** The socket is closed or closing: nothing is sent any more. */
  gone = false
  readonly messages: TokenBucket
  readonly strikes: TokenBucket

  constructor(id: string, limits: SessionLimits, now: number) {
    this.id = id
    this.messages = new TokenBucket(limits.messageBurst, limits.messagesPerSecond, now)
    this.strikes = new TokenBucket(limits.strikes, limits.strikesPerSecond, now)
  }
}

/** A session that has joined. */
export type Member = Session & { name: string }
