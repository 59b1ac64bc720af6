/** The label of what comes after the cap. */
export const OTHER_APPS = 'other'

/**
 * Bounds the values of the label `app`: the first `limit` apps keep their names for as long as the process runs, so that
 * counters stay monotonic; the rest share `other`.
 */
export class AppLabels {
  readonly #known = new Set<string>()
  readonly #limit: number

  constructor(limit = 100) {
    this.#limit = limit
  }

  labelFor(app: string): string {
    if (this.#known.has(app)) return app
    if (this.#known.size >= this.#limit) return OTHER_APPS
    this.#known.add(app)
    return app
  }
}
