import { Deadlines } from './deadlines.ts'
import { noTokens, type Session } from './session.ts'

/**
 * Which sessions can be resumed, by which token, and until when.
 *
 * Invariant: every token leads to a session that is not gone; a session has one token, or two between a resume and the
 * first message after it: if the answer with the new token is lost, the client comes back with the old one.
 */
export class ResumeBook {
  readonly #byToken = new Map<string, Session>()
  readonly #detached = new Deadlines<Session>()
  readonly #newToken: () => string

  constructor(newToken: () => string) {
    this.#newToken = newToken
  }

  get detachedCount(): number {
    return this.#detached.size
  }

  /** A further token of the session. */
  issue(session: Session): string {
    const token = this.#newToken()
    // `push` and a spread would leave room for 17.
    session.tokens = session.tokens.concat(token)
    this.#byToken.set(token, session)
    return token
  }

  find(token: string): Session | undefined {
    return this.#byToken.get(token)
  }

  /** The client has the newest token: the former ones end. */
  confirm(session: Session): void {
    if (session.tokens.length < 2) return
    for (const token of session.tokens.slice(0, -1)) this.#byToken.delete(token)
    session.tokens = session.tokens.slice(-1)
  }

  /** @param deadline when its time of grace is over */
  detach(session: Session, deadline: number): void {
    this.#detached.set(session, deadline)
  }

  /** True when the session was detached. */
  attach(session: Session): boolean {
    return this.#detached.delete(session)
  }

  /** The session is over; true when it was detached. */
  forget(session: Session): boolean {
    for (const token of session.tokens) this.#byToken.delete(token)
    session.tokens = noTokens
    return this.#detached.delete(session)
  }

  /** A session whose time of grace is over: it is taken out, `forget` is still due. */
  expired(now: number): Session | undefined {
    return this.#detached.take(now)
  }

  nextDeadline(): number | undefined {
    return this.#detached.next()
  }
}
