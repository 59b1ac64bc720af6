import { Numbers } from '../core/numbers.ts'
import { Recent } from '../core/recent.ts'
import { type CallUpdate, type NamelessReply, readUpdates } from '../core/updates.ts'

export interface IntakeOptions {
  readonly phoneNumberId: string
  /** Gets every update once, in the order of arrival, outside of the request that brought it. */
  readonly onUpdate: (update: CallUpdate) => void
  /** Told when `onUpdate` throws, so that one update cannot hold up the others. */
  readonly onFault: (error: unknown, update: CallUpdate) => void
  /** Told of what came too late, which is either a repetition of Meta's after a failure or a wrong clock here. */
  readonly onStale: (update: CallUpdate) => void
  /** Told of a customer's reply that cannot be shown to agents, who know customers by their numbers. */
  readonly onNameless: (reply: NamelessReply) => void
  /** Updates that may wait. */
  readonly limit?: number
  /** ms since 1970. */
  readonly now?: () => number
}

export interface IntakeCounts {
  taken: number
  duplicate: number
  /** News of a call that nobody waits on any more. */
  stale: number
  /** A customer's reply without a number. */
  nameless: number
  /** Of another number, or of a form that is not known. */
  passedOver: number
}

/** ms after which a caller has given up: Meta repeats what was not taken for up to seven days. */
const STALE_AFTER = 60_000
/** Keys of updates; at 1000 calls at once, Meta's limit, some ten minutes of repetitions. */
const REMEMBERED = 20_000
/** Updates handled at a stretch before the event loop gets its turn. */
const STRETCH = 32

/**
 * The work behind the webhook's quick answer: waits in a queue of fixed size, drops repetitions and what is too late.
 * A `terminate` is never too late: it ends a call that may still be held.
 */
export class Intake {
  readonly counts: IntakeCounts = { taken: 0, duplicate: 0, stale: 0, nameless: 0, passedOver: 0 }
  readonly #options: Required<IntakeOptions>
  readonly #recent = new Recent(REMEMBERED)
  readonly #numbers = new Numbers()
  #waiting: (CallUpdate | NamelessReply)[] = []
  #running: NodeJS.Immediate | undefined

  constructor(options: IntakeOptions) {
    this.#options = { limit: 5000, now: Date.now, ...options }
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** False when they do not all find room: then none is taken, and the sender has to come again. */
  offer(body: unknown): boolean {
    const { updates, passedOver } = readUpdates(body, this.#options.phoneNumberId, this.#numbers)
    if (this.waiting + updates.length > this.#options.limit) return false
    this.counts.passedOver += passedOver
    for (const update of updates) this.#waiting.push(update)
    if (this.waiting > 0) this.#running ??= setImmediate(() => this.#work())
    return true
  }

  /** What waits is dropped. */
  close(): void {
    clearImmediate(this.#running)
    this.#waiting = []
  }

  #work(): void {
    for (const update of this.#waiting.splice(0, STRETCH)) this.#handle(update)
    this.#running = this.waiting > 0 ? setImmediate(() => this.#work()) : undefined
  }

  #handle(update: CallUpdate | NamelessReply): void {
    if (!this.#recent.add(keyOf(update))) {
      this.counts.duplicate++
      return
    }
    if (update.kind === 'nameless-reply') {
      this.counts.nameless++
      this.#options.onNameless(update)
      return
    }
    if (update.kind !== 'terminate' && update.kind !== 'permission' && this.#age(update) > STALE_AFTER) {
      this.counts.stale++
      this.#options.onStale(update)
      return
    }
    this.counts.taken++
    try {
      this.#options.onUpdate(update)
    } catch (error) {
      this.#options.onFault(error, update)
    }
  }

  #age(update: CallUpdate): number {
    return this.#options.now() - update.at
  }
}

function keyOf(update: CallUpdate | NamelessReply): string {
  return `${update.kind === 'status' ? update.status : update.kind} ${update.id}`
}
