import type { Encoded } from './encoder.ts'

export interface OutboxLimits {
  readonly outboxMessages: number
  readonly outboxBytes: number
}

export interface Kept {
  readonly seq: number
  readonly type: string
  readonly encoded: Encoded
}

/**
 * What was sent and not acknowledged, in order and without gaps.
 *
 * Invariant: it holds exactly the messages numbered above `acked`, and never more than its limits.
 */
export class Outbox {
  readonly #limits: OutboxLimits
  #kept: Kept[] = []
  #bytes = 0
  #acked: number

  /** @param acked the number of the last message that need not be kept */
  constructor(limits: OutboxLimits, acked: number) {
    this.#limits = limits
    this.#acked = acked
  }

  get size(): number {
    return this.#kept.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Keeps the next message; false when there is no room for it. */
  push(message: Kept): boolean {
    if (this.#kept.length >= this.#limits.outboxMessages) return false
    if (this.#bytes + message.encoded.bytes > this.#limits.outboxBytes) return false
    this.#kept.push(message)
    this.#bytes += message.encoded.bytes
    return true
  }

  /** Lets go of everything up to `seq`. What is acknowledged already, or was never sent, changes nothing. */
  ack(seq: number): void {
    const count = Math.min(seq - this.#acked, this.#kept.length)
    if (count <= 0) return
    for (const { encoded } of this.#kept.splice(0, count)) this.#bytes -= encoded.bytes
    // An array keeps the room that it once needed; most are empty most of the time.
    if (this.#kept.length === 0) this.#kept = []
    this.#acked += count
  }

  /** Whether a client that dealt with everything up to `seq` can be given all the rest. */
  covers(seq: number): boolean {
    return seq >= this.#acked && seq <= this.#acked + this.#kept.length
  }

  waiting(): readonly Kept[] {
    return this.#kept
  }
}
