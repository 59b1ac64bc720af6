import { freeName, nameKey } from './names.ts'
import type { Member, Session } from './session.ts'

/** Someone who is here under a name: a guest with one device, or a token's user with one or several. */
export class User {
  /** Unique on this server, whatever the name. */
  readonly id: string
  /** By it others address this user. */
  name: string
  /** What people should read instead of the name. */
  label: string | undefined
  /** Its devices: few, and most users have one, for which a set would take three times the memory. */
  sessions: readonly Member[] = []

  constructor(id: string, name: string) {
    this.id = id
    this.name = name
  }
}

/**
 * The users who see and reach each other: those of one app, or the guests. Names are unique: guests' by `nameKey`, those
 * of an app exactly as its tokens have them. A name is free as soon as its last session is gone.
 */
export class Presence {
  /** Undefined for the guests. */
  readonly app: string | undefined
  readonly #users = new Map<string, User>()
  /** Users that are being woken: they are reached by name before they are here. */
  readonly #awaited = new Map<string, User>()
  readonly #coalesceMs: number
  readonly #onStale: (presence: Presence) => void
  #due: number | undefined

  constructor(app: string | undefined, coalesceMs: number, onStale: (presence: Presence) => void) {
    this.app = app
    this.#coalesceMs = coalesceMs
    this.#onStale = onStale
  }

  get size(): number {
    return this.#users.size
  }

  /** Gives a guest the wanted name, or the nearest free one. A guest keeps its own name when it asks for it again. */
  claim(session: Session, wanted: string, now: number): string {
    const name = freeName(wanted, (candidate) => {
      const holder = this.find(candidate)
      return holder === undefined || holder === session.user
    })
    const user = session.user ?? this.#awaited.get(this.#keyOf(name)) ?? new User(session.id, name)
    if (session.user !== undefined && name === user.name) return name
    this.#users.delete(this.#keyOf(user.name))
    user.name = name
    this.#users.set(this.#keyOf(name), user)
    this.#enter(session, user, now)
    return name
  }

  /** A device of an app's user. */
  join(session: Session, name: string, label: string | undefined, now: number): User {
    const user = this.reach(name) ?? new User(`${this.app}/${name}`, name)
    this.#users.set(this.#keyOf(name), user)
    this.#enter(session, user, now)
    this.relabel(user, label, now)
    return user
  }

  relabel(user: User, label: string | undefined, now: number): void {
    if (label === undefined || label === user.label) return
    user.label = label
    this.#touch(now)
  }

  leave(session: Session, now: number): void {
    const { user } = session
    if (user === undefined) return
    user.sessions = user.sessions.filter((device) => device !== session)
    if (user.sessions.length > 0) return
    this.#users.delete(this.#keyOf(user.name))
    this.#touch(now)
  }

  find(name: string): User | undefined {
    return this.#users.get(this.#keyOf(name))
  }

  /** The user of that name who is here or is being woken. */
  reach(name: string): User | undefined {
    return this.find(name) ?? this.#awaited.get(this.#keyOf(name))
  }

  /** The user who is to be woken: the one that is here without a socket, or one that may come. */
  expect(name: string, id: string): User {
    return this.reach(name) ?? new User(this.app === undefined ? id : `${this.app}/${name}`, name)
  }

  /** Until `unawait`, this user is reached by its name, here or not, and is the one who comes under it. */
  await(user: User): void {
    this.#awaited.set(this.#keyOf(user.name), user)
  }

  unawait(user: User): void {
    this.#awaited.delete(this.#keyOf(user.name))
  }

  *sessions(): Generator<Member> {
    for (const user of this.#users.values()) yield* user.sessions
  }

  /** When the next user list should go out, if the last one is out of date. */
  get due(): number | undefined {
    return this.#due
  }

  /** The list is on its way to everyone. */
  listed(): void {
    this.#due = undefined
  }

  /** The names in order of arrival, and what to show for those that have something better to show. */
  list(): { users: string[]; labels?: Record<string, string> } {
    const users = [...this.#users.values()]
    const labelled = users.flatMap(({ name, label }) => (label === undefined || label === name ? [] : [[name, label]]))
    return {
      users: users.map(({ name }) => name),
      ...(labelled.length === 0 ? {} : { labels: Object.fromEntries(labelled) }),
    }
  }

  #enter(session: Session, user: User, now: number): void {
    session.user = user
    session.realm = this
    const member = session as Member
    if (!user.sessions.includes(member)) user.sessions = user.sessions.concat(member)
    this.#touch(now)
  }

  #keyOf(name: string): string {
    return this.app === undefined ? nameKey(name) : name
  }

  #touch(now: number): void {
    this.#due ??= now + this.#coalesceMs + this.#users.size
    this.#onStale(this)
  }
}
