export interface LeftoversOptions {
  /** Ends these calls; gives back those that Meta could not be asked about. */
  readonly end: (ids: readonly string[]) => Promise<readonly string[]>
  /** ms until the second attempt, twice as many until the next, up to `most`. None is made later than `last` ms after the first. */
  readonly pauses?: { readonly first: number; readonly most: number; readonly last: number }
}

/** By then Meta has ended by itself what nobody spoke in; the next start asks again all the same. */
const PAUSES = { first: 5000, most: 300_000, last: 3_600_000 }

/** Calls that a killed process left behind at Meta: they are ended as soon as Meta can be reached. */
export class Leftovers {
  readonly #options: Required<LeftoversOptions>
  #left: readonly string[] = []
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: LeftoversOptions) {
    this.#options = { pauses: PAUSES, ...options }
  }

  /** Those that remain. */
  get size(): number {
    return this.#left.length
  }

  begin(ids: readonly string[]): void {
    const { first, last } = this.#options.pauses
    this.#left = ids
    void this.#attempt(first, last)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #attempt(pause: number, remaining: number): Promise<void> {
    if (this.#left.length === 0) return
    this.#left = await this.#options.end(this.#left)
    if (this.#closed || this.#left.length === 0 || pause > remaining) return
    const next = Math.min(2 * pause, this.#options.pauses.most)
    this.#timer = setTimeout(() => void this.#attempt(next, remaining - pause), pause).unref()
  }
}
