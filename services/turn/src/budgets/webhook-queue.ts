/** What waits for its receiver. Pure: time is passed in. */
export interface Delivery {
  /** The same at every attempt, so that a receiver knows a repetition. */
  readonly id: string
  /** Whose receiver it is for. */
  readonly app: string
  /** JSON text. */
  readonly body: string
  /** Milliseconds since 1970, as everywhere here. */
  readonly createdAt: number
  readonly attempts: number
  /** When it is to be tried next. */
  readonly dueAt: number
}

/** Milliseconds after the first, second … failure; the last one goes on. */
const DELAYS = [1000, 5000, 30_000, 120_000, 600_000, 3_600_000]
/** Milliseconds after which a delivery is given up. */
const PATIENCE = 86_400_000

export class WebhookQueue {
  readonly #limit: number
  readonly #waiting = new Map<string, Delivery>()
  readonly #underWay = new Set<string>()

  /** @param limit deliveries at most: beyond it the oldest is given up */
  constructor(limit = 100) {
    this.#limit = limit
  }

  get size(): number {
    return this.#waiting.size
  }

  list(): Delivery[] {
    return [...this.#waiting.values()]
  }

  /** Gives the one that had to go for it. */
  add(delivery: Delivery): Delivery | undefined {
    this.#waiting.set(delivery.id, delivery)
    if (this.#waiting.size <= this.#limit) return undefined
    const oldest = this.list().find(({ id }) => !this.#underWay.has(id))
    if (oldest) this.#waiting.delete(oldest.id)
    return oldest
  }

  /** Those to be tried now, oldest first; each is under way until `delivered` or `failed`. */
  take(now: number, atOnce: number): Delivery[] {
    const due = this.list().filter(({ id, dueAt }) => dueAt <= now && !this.#underWay.has(id))
    const taken = due.slice(0, Math.max(0, atOnce - this.#underWay.size))
    for (const { id } of taken) this.#underWay.add(id)
    return taken
  }

  /** When to `take` again; Infinity when nothing waits for its time. */
  get nextDue(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { id, dueAt } of this.#waiting.values()) if (!this.#underWay.has(id)) next = Math.min(next, dueAt)
    return next
  }

  delivered({ id }: Delivery): void {
    this.#underWay.delete(id)
    this.#waiting.delete(id)
  }

  /** Gives when it is tried again; undefined when it is given up. */
  failed(delivery: Delivery, now: number): number | undefined {
    this.#underWay.delete(delivery.id)
    if (now - delivery.createdAt >= PATIENCE) {
      this.#waiting.delete(delivery.id)
      return undefined
    }
    const dueAt = now + DELAYS[Math.min(delivery.attempts, DELAYS.length - 1)]!
    this.#waiting.set(delivery.id, { ...delivery, attempts: delivery.attempts + 1, dueAt })
    return dueAt
  }
}
