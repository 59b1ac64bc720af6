import type { Identity } from '@hairpin/tokens'
import type { SessionLimits } from './limits.ts'
import type { Outbox } from './outbox.ts'
import type { Presence, User } from './presence.ts'
import { TokenBucket } from './token-bucket.ts'

/** What a type's limit allows at once, in seconds of its rate. */
const burstSeconds = 4

/** Shared by all sessions that cannot be resumed. */
export const noTokens: readonly string[] = []

/** What the verdict on a token is waited for. */
export type TokenPurpose =
  | { readonly kind: 'join'; readonly wanted: string; readonly resume: boolean }
  | { readonly kind: 'refresh' }

/**
 * One client as the core sees it, over one socket or, when it can resume, several in turn. Its name and id are the
 * server's word; a client's are never believed.
 */
export class Session {
  readonly id: string
  /** The socket it has now; undefined while it is detached. */
  connection: string | undefined
  /** Who it is, and among whom; undefined until it has joined. */
  user: User | undefined
  realm: Presence | undefined
  /** What its token says; undefined for guests. */
  identity: Identity | undefined
  /** A token of its is being verified. */
  verifying: TokenPurpose | undefined
  /** ms by the hub's clock, when its identity ends; undefined for guests. */
  expiresAt: number | undefined
  /** The `seq` of the last message sent. */
  seq = 0
  /** What a resume would need; undefined when the client did not ask for it. */
  outbox: Outbox | undefined
  /** Its resume tokens, oldest first; ResumeBook keeps them. */
  tokens: readonly string[] = noTokens
  /** Frames received since the client asked to be able to resume. */
  received = 0
  /** True while credentials are under way: a second request waits for the same answer. */
  iceServersPending = false
  /** It is an agent's and takes customers' calls, with or without a socket at the moment. */
  takesCalls = false
  /** Nothing is sent any more: the session is over, or about to be. */
  gone = false
  readonly messages: TokenBucket
  /** Of the types that have a limit of their own and were sent. */
  #types: Map<string, TokenBucket> | undefined
  #strikes: TokenBucket | undefined
  #wakes: TokenBucket | undefined
  readonly #limits: SessionLimits

  constructor(id: string, limits: SessionLimits, now: number) {
    this.id = id
    this.connection = id
    this.#limits = limits
    this.messages = new TokenBucket(limits.messageBurst, limits.messagesPerSecond, now)
  }

  /** Whether one more fault is forgiven. */
  takeStrike(now: number): boolean {
    const { strikes, strikesPerSecond } = this.#limits
    this.#strikes ??= new TokenBucket(strikes, strikesPerSecond, now)
    return this.#strikes.take(1, now)
  }

  /** Whether it may wake devices once more. */
  takeWake(now: number): boolean {
    const { wakeBurst, wakesPerSecond } = this.#limits
    this.#wakes ??= new TokenBucket(wakeBurst, wakesPerSecond, now)
    return this.#wakes.take(1, now)
  }

  /** Whether the type's own limit, if there is one, lets one more pass. */
  takeType(type: string, now: number): boolean {
    const { typesPerSecond } = this.#limits
    const perSecond = Object.hasOwn(typesPerSecond, type) ? typesPerSecond[type] : undefined
    if (perSecond === undefined) return true
    this.#types ??= new Map()
    const bucket = this.#types.get(type) ?? new TokenBucket(Math.max(1, perSecond * burstSeconds), perSecond, now)
    this.#types.set(type, bucket)
    return bucket.take(1, now)
  }

  get name(): string | undefined {
    return this.user?.name
  }
}

/** A session that has joined. */
export type Member = Session & { readonly name: string; user: User; realm: Presence }

export function isMember(session: Session): session is Member {
  return session.user !== undefined
}
