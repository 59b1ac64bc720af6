import { Presence } from './presence.ts'
import type { Session } from './session.ts'

/** Everyone who is here: the guests, and each app's users, apart from one another. */
export class Directory {
  readonly #realms = new Map<string | undefined, Presence>()
  /** Those whose user list is out of date. */
  readonly #stale = new Set<Presence>()
  readonly #coalesceMs: number

  constructor(coalesceMs: number) {
    this.#coalesceMs = coalesceMs
  }

  /** @param app undefined for the guests */
  of(app: string | undefined): Presence {
    let realm = this.#realms.get(app)
    if (realm === undefined) {
      realm = new Presence(app, this.#coalesceMs, (stale) => this.#stale.add(stale))
      this.#realms.set(app, realm)
    }
    return realm
  }

  leave(session: Session, now: number): void {
    const { realm } = session
    if (realm === undefined) return
    realm.leave(session, now)
    if (realm.size > 0) return
    this.#realms.delete(realm.app)
    this.#stale.delete(realm)
  }

  get userCount(): number {
    let count = 0
    for (const { size } of this.#realms.values()) count += size
    return count
  }

  /** When `takeDue` has something next. */
  nextDeadline(): number | undefined {
    let next: number | undefined
    for (const { due } of this.#stale) if (due !== undefined && (next === undefined || due < next)) next = due
    return next
  }

  /** Those whose user list should go out now. */
  takeDue(now: number): Presence[] {
    const due = [...this.#stale].filter((realm) => realm.due !== undefined && realm.due <= now)
    for (const realm of due) {
      realm.listed()
      this.#stale.delete(realm)
    }
    return due
  }
}
