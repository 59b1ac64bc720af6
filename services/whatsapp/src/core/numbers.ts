/** Customers whose numbers are remembered. */
const REMEMBERED = 10_000

/**
 * The numbers of customers with usernames: Meta may name such a customer by an id alone. Whatever webhook had both is
 * remembered, the oldest are forgotten first.
 */
export class Numbers {
  readonly #limit: number
  readonly #numbers = new Map<string, string>()

  constructor(limit = REMEMBERED) {
    this.#limit = limit
  }

  learn(userId: string | undefined, number: string | undefined): void {
    if (userId === undefined || number === undefined) return
    this.#numbers.delete(userId)
    this.#numbers.set(userId, number)
    if (this.#numbers.size <= this.#limit) return
    const [oldest = ''] = this.#numbers.keys()
    this.#numbers.delete(oldest)
  }

  of(userId: string | undefined): string | undefined {
    return userId === undefined ? undefined : this.#numbers.get(userId)
  }
}
