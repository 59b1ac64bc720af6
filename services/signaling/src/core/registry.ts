import type { Session } from './session.ts'

/** The sessions of this server, by their id and by their socket. */
export class Registry {
  readonly #byId = new Map<string, Session>()
  readonly #byConnection = new Map<string, Session>()
  /** Sessions that have not joined and when their time is up, in that order. */
  readonly #joining = new Map<Session, number>()

  get size(): number {
    return this.#byId.size
  }

  /** @param deadline by when it has to join */
  add(session: Session, deadline: number): void {
    this.#byId.set(session.id, session)
    if (session.connection !== undefined) this.#byConnection.set(session.connection, session)
    this.#joining.set(session, deadline)
  }

  byId(id: string): Session | undefined {
    return this.#byId.get(id)
  }

  byConnection(connection: string): Session | undefined {
    return this.#byConnection.get(connection)
  }

  all(): IterableIterator<Session> {
    return this.#byId.values()
  }

  joined(session: Session): void {
    this.#joining.delete(session)
  }

  joinDeadline(): number | undefined {
    const [first] = this.#joining.values()
    return first
  }

  /** Those that did not join in time. */
  late(now: number): Session[] {
    const late: Session[] = []
    for (const [session, deadline] of this.#joining) {
      if (deadline > now) break
      late.push(session)
    }
    return late
  }

  detach(session: Session): void {
    if (session.connection !== undefined) this.#byConnection.delete(session.connection)
    session.connection = undefined
  }

  /** Gives the socket of one session to another; the first one is over. */
  move(from: Session, to: Session): void {
    const { connection } = from
    this.detach(to)
    this.remove(from)
    from.connection = undefined
    to.connection = connection
    if (connection !== undefined) this.#byConnection.set(connection, to)
  }

  remove(session: Session): void {
    session.gone = true
    this.#joining.delete(session)
    this.#byId.delete(session.id)
    if (session.connection !== undefined) this.#byConnection.delete(session.connection)
  }

  clear(): void {
    this.#byId.clear()
    this.#byConnection.clear()
    this.#joining.clear()
  }
}
