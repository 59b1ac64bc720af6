import type { SessionLimits } from './limits.ts'
import type { Outbox } from './outbox.ts'
import { TokenBucket } from './token-bucket.ts'

/**
 * One client as the core sees it, over one socket or, when it can resume, several in turn. Its name and id are the
 * server's word; a client's are never believed.
 */
export class Session {
  readonly id: string
  /** The socket it has now; undefined while it is detached. */
  connection: string | undefined
  /** Undefined until the session has joined. */
  name: string | undefined
  /** The `seq` of the last message sent. */
  seq = 0
  /** What a resume would need; undefined when the client did not ask for it. */
  outbox: Outbox | undefined
  /** Its resume tokens, oldest first; ResumeBook keeps them. */
  readonly tokens: string[] = []
  /** Frames received since the client asked to be able to resume. */
  received = 0
  /** True while credentials are under way: a second request waits for the same answer. */
  iceServersPending = false
  /** Nothing is sent any more: the session is over, or about to be. */
  gone = false
  readonly messages: TokenBucket
  readonly strikes: TokenBucket

  constructor(id: string, limits: SessionLimits, now: number) {
    this.id = id
    this.connection = id
    this.messages = new TokenBucket(limits.messageBurst, limits.messagesPerSecond, now)
    this.strikes = new TokenBucket(limits.strikes, limits.strikesPerSecond, now)
  }
}

/** A session that has joined. */
export type Member = Session & { name: string }
