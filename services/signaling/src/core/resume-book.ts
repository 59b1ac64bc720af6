import type { Session } from './session.ts'

/**
 * Which sessions can be resumed, by which token, and until when.
 *
 * Invariant: every token leads to a session that is not gone; a session has one token, or two between a resume and the
 * first message after it: if the answer with the new token is lost, the client comes back with the old one.
 */
export class ResumeBook {
  readonly #byToken = new Map<string, Session>()
  /** In the order of their deadlines: the time of grace is the same for all. */
  readonly #detached = new Map<Session, number>()
  readonly #graceMs: number
  readonly #newToken: () => string

  constructor(graceMs: number, newToken: () => string) {
    this.#graceMs = graceMs
    this.#newToken = newToken
  }

  get detachedCount(): number {
    return this.#detached.size
  }

  /** A further token of the session. */
  issue(session: Session): string {
    const token = this.#newToken()
    session.tokens.push(token)
    this.#byToken.set(token, session)
    return token
  }

  find(token: string): Session | undefined {
    return this.#byToken.get(token)
  }

  /** The client has the newest token: the former ones end. */
  confirm(session: Session): void {
    while (session.tokens.length > 1) this.#byToken.delete(session.tokens.shift() as string)
  }

  detach(session: Session, now: number): void {
    this.#detached.set(session, now + this.#graceMs)
  }

  /** True when the session was detached. */
  attach(session: Session): boolean {
    return this.#detached.delete(session)
  }

  /** The session is over; true when it was detached. */
  forget(session: Session): boolean {
    for (const token of session.tokens.splice(0)) this.#byToken.delete(token)
    return this.#detached.delete(session)
  }

  /** Sessions whose time of grace is over. */
  expired(now: number): Session[] {
    const sessions: Session[] = []
    for (const [session, deadline] of this.#detached) {
      if (deadline > now) break
      sessions.push(session)
    }
    return sessions
  }

  nextDeadline(): number | undefined {
    const [first] = this.#detached.values()
    return first
  }
}
