/** Remembers the last keys it was given, and no more than so many: what is older is forgotten first. */
export class Recent {
  readonly #limit: number
  readonly #keys = new Set<string>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#keys.size
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  /** False when the key was remembered already. */
  add(key: string): boolean {
    if (this.#keys.has(key)) return false
    this.#keys.add(key)
    if (this.#keys.size > this.#limit) {
      const [oldest = ''] = this.#keys
      this.#keys.delete(oldest)
    }
    return true
  }

  /** False when the key was not remembered. */
  delete(key: string): boolean {
    return this.#keys.delete(key)
  }
}
