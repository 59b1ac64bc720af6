import { freeName, nameKey } from './names.ts'
import type { Member, Session } from './session.ts'

/** Who is here, by name. Names are unique (by `nameKey`); a name is free as soon as its session is gone. */
export class Presence {
  readonly #members = new Map<string, Member>()
  readonly #coalesceMs: number
  #due: number | undefined

  constructor(coalesceMs: number) {
    this.#coalesceMs = coalesceMs
  }

  get size(): number {
    return this.#members.size
  }

  /** Gives the session the wanted name, or the nearest free one. A session keeps its own name when it asks for it again. */
  claim(session: Session, wanted: string, now: number): string {
    const before = session.name
    const name = freeName(wanted, (candidate) => {
      const holder = this.#members.get(nameKey(candidate))
      return holder === undefined || holder === session
    })
    if (name === before) return name
    if (before !== undefined) this.#members.delete(nameKey(before))
    session.name = name
    this.#members.set(nameKey(name), session as Member)
    this.#touch(now)
    return name
  }

  leave(session: Session, now: number): void {
    if (session.name === undefined) return
    this.#members.delete(nameKey(session.name))
    this.#touch(now)
  }

  find(name: string): Member | undefined {
    return this.#members.get(nameKey(name))
  }

  members(): IterableIterator<Member> {
    return this.#members.values()
  }

  /** When the next user list should go out, if the last one is out of date. */
  get due(): number | undefined {
    return this.#due
  }

  /** The list is on its way to everyone. */
  listed(): void {
    this.#due = undefined
  }

  /** The names in order of arrival. */
  list(): string[] {
    return [...this.#members.values()].map((member) => member.name)
  }

  #touch(now: number): void {
    this.#due ??= now + this.#coalesceMs + this.#members.size
  }
}
