/**
 * Bytes per credential, over all allocations it makes in this worker, one after the other or at once. Only who has
 * authenticated gets an entry; it goes when its credential expires, and of those nobody holds only so many are kept.
 */

/** What one username may still relay. */
export interface Credit {
  left: number
}

interface Entry extends Credit {
  readonly username: string
  /** Live allocations. */
  holders: number
  expiresAt: number
}

/** Entries that no allocation holds; beyond it the one idle longest is forgotten. */
const MAX_IDLE = 16_384

export class Credits {
  readonly #held = new Map<string, Entry>()
  /** Oldest first. */
  readonly #idle = new Map<string, Entry>()

  get size(): number {
    return this.#held.size + this.#idle.size
  }

  /** The username's credit, or undefined when it is used up. Every credit acquired is released once. */
  acquire(username: string, bytes: number, expiresAt: number, now: number): Credit | undefined {
    const entry = this.#held.get(username) ?? this.#fresh(this.#idle.get(username), now)
    if (entry && entry.left <= 0) return undefined
    const credit = entry ?? { username, left: bytes, holders: 0, expiresAt }
    credit.holders++
    credit.expiresAt = Math.max(credit.expiresAt, expiresAt)
    this.#idle.delete(username)
    this.#held.set(username, credit)
    return credit
  }

  release(username: string, now: number): void {
    const entry = this.#held.get(username)
    if (!entry || --entry.holders > 0) return
    this.#held.delete(username)
    if (entry.expiresAt > now) this.#idle.set(username, entry)
    const [oldest] = this.#idle.values()
    if (oldest && (this.#idle.size > MAX_IDLE || oldest.expiresAt <= now)) this.#idle.delete(oldest.username)
  }

  #fresh(entry: Entry | undefined, now: number): Entry | undefined {
    return entry && entry.expiresAt > now ? entry : undefined
  }
}
