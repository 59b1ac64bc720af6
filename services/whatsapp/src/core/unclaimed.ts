import type { ConnectUpdate, StatusUpdate } from './updates.ts'

/** ms in which Meta may still tell of a call whose id never arrived here. */
const LOST_FOR = 120_000
/** Updates of one call, and calls, that are held: what Meta may say in the seconds that a request takes. */
const OF_A_CALL = 8
const CALLS = 1000

/**
 * What Meta says of a business's calls that have no id here: the webhook may be quicker than the answer to `connect`, and
 * that answer may never come.
 */
export class Unclaimed {
  readonly #early = new Map<string, (ConnectUpdate | StatusUpdate)[]>()
  /** Numbers that were called while the answer was lost, and until when that counts. */
  readonly #lost = new Map<string, number>()
  #requests = 0

  /** A `connect` is on its way. */
  begin(number: string): void {
    this.#requests++
    this.#lost.delete(number)
  }

  /** Its answer came: what was kept for that id. */
  settle(id: string | undefined): readonly (ConnectUpdate | StatusUpdate)[] {
    const early = (id === undefined ? undefined : this.#early.get(id)) ?? []
    if (id !== undefined) this.#early.delete(id)
    // What nobody claimed is of calls that were not made here.
    if (--this.#requests === 0) this.#early.clear()
    return early
  }

  /** Holds an update whose id may be on its way. */
  keep(update: ConnectUpdate | StatusUpdate): void {
    if (this.#requests === 0) return
    const kept = this.#early.get(update.id) ?? []
    if (kept.length < OF_A_CALL && this.#early.size < CALLS) this.#early.set(update.id, [...kept, update])
  }

  /** The answer to `connect` was lost: there may be a call that nobody here holds. */
  lose(number: string, now: number): void {
    for (const [other, until] of this.#lost) if (until < now) this.#lost.delete(other)
    this.#lost.set(number, now + LOST_FOR)
  }

  /** Whether a call to this number is such a one; it is found once. */
  find(number: string | undefined, now: number): boolean {
    const until = this.#lost.get(number ?? '')
    if (until === undefined || until < now) return false
    return this.#lost.delete(number ?? '')
  }
}
