import type { Call } from './call.ts'
import { Recent } from './recent.ts'

/** Ids of calls that are over, for what Meta says of them late. */
const REMEMBERED = 10_000

/** The calls that are not over, by our key and by Meta's id, and the ids of those that are. */
export class CallBook {
  readonly #calls = new Map<string, Call>()
  /** Calls of the business by Meta's id. */
  readonly #keys = new Map<string, string>()
  readonly #over = new Recent(REMEMBERED)
  /** Of these, calls whose `terminate` came first. */
  readonly #unseen = new Recent(REMEMBERED)

  /** With those whose farewell is under way; 0: nothing is held for any. */
  get size(): number {
    return Math.max(this.#calls.size, this.#keys.size)
  }

  get(key: string | undefined): Call | undefined {
    return key === undefined ? undefined : this.#calls.get(key)
  }

  byId(id: string): Call | undefined {
    return this.#calls.get(this.#keys.get(id) ?? id)
  }

  all(): Iterable<Call> {
    return this.#calls.values()
  }

  add(call: Call): void {
    this.#calls.set(call.key, call)
  }

  /** Meta's id of a call of the business. */
  name(call: Call, id: string): void {
    call.id = id
    this.#keys.set(id, call.key)
  }

  /** @returns false when it was forgotten already */
  forget({ key, id }: Call): boolean {
    if (!this.#calls.delete(key)) return false
    if (id !== undefined) {
      this.#keys.delete(id)
      this.#over.add(id)
    }
    return true
  }

  isOver(id: string): boolean {
    return this.#over.has(id)
  }

  /** Meta ended a call that is not known here: its `connect` may be late. */
  endUnseen(id: string): void {
    if (this.#over.add(id)) this.#unseen.add(id)
  }

  /** Whether this is such a one; it is found once. */
  findUnseen(id: string): boolean {
    return this.#unseen.delete(id)
  }
}
