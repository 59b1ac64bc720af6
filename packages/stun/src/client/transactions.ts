/** Client transactions: RFC 8489 section 6.2 (retransmission over UDP, one wait over streams). */

/** Milliseconds: RTO, the requests sent in all (Rc), the wait after the last (Rm times RTO), and Ti for streams. */
const RTO = 500
const MAX_SENDS = 7
const LAST_WAIT = 16 * RTO
const STREAM_TIMEOUT = 39_500

export interface Transaction<T> {
  readonly id: Uint8Array
  readonly bytes: Uint8Array
  readonly context: T
  sends: number
  rto: number
  dueAt: number
}

export class Transactions<T> {
  readonly #open = new Map<string, Transaction<T>>()
  readonly #reliable: boolean

  constructor(reliable: boolean) {
    this.#reliable = reliable
  }

  get size(): number {
    return this.#open.size
  }

  start(id: Uint8Array, bytes: Uint8Array, context: T, now: number): void {
    const dueAt = now + (this.#reliable ? STREAM_TIMEOUT : RTO)
    this.#open.set(keyOf(id), { id, bytes, context, sends: 1, rto: RTO, dueAt })
  }

  find(id: Uint8Array): Transaction<T> | undefined {
    return this.#open.get(keyOf(id))
  }

  end(transaction: Transaction<T>): void {
    this.#open.delete(keyOf(transaction.id))
  }

  clear(): void {
    this.#open.clear()
  }

  get next(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { dueAt } of this.#open.values()) next = Math.min(next, dueAt)
    return next
  }

  /** What to send again, and what has timed out and is over. */
  due(now: number): { readonly again: Transaction<T>[]; readonly over: Transaction<T>[] } {
    const again: Transaction<T>[] = []
    const over: Transaction<T>[] = []
    for (const transaction of this.#open.values()) {
      if (transaction.dueAt > now) continue
      if (this.#reliable || transaction.sends === MAX_SENDS) {
        over.push(transaction)
        this.end(transaction)
        continue
      }
      transaction.sends++
      transaction.rto *= 2
      transaction.dueAt = now + (transaction.sends === MAX_SENDS ? LAST_WAIT : transaction.rto)
      again.push(transaction)
    }
    return { again, over }
  }
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')
}
