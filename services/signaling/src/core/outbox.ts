import type { Encoded } from './encoder.ts'

export interface OutboxLimits {
  readonly outboxMessages: number
  readonly outboxBytes: number
}

/**
 * What was sent and not acknowledged, in order and without gaps: the first has the number `acked + 1`. Messages are
 * kept as the encoder made them, which those who got the same one share.
 *
 * Invariant: it holds exactly the messages numbered above `acked`, and never more than its limits.
 */
export class Outbox {
  readonly #limits: OutboxLimits
  #kept: Encoded[] = []
  #bytes = 0
  #acked: number

  /** @param acked the number of the last message that need not be kept */
  constructor(limits: OutboxLimits, acked: number) {
    this.#limits = limits
    this.#acked = acked
  }

  /** The number of the last message that need not be kept. */
  get acked(): number {
    return this.#acked
  }

  get size(): number {
    return this.#kept.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Keeps the next message; false when there is no room for it. */
  push(message: Encoded): boolean {
    if (this.#kept.length >= this.#limits.outboxMessages) return false
    if (this.#bytes + message.bytes > this.#limits.outboxBytes) return false
    this.#kept.push(message)
    this.#bytes += message.bytes
    return true
  }

  /** Lets go of everything up to `seq`. What is acknowledged already, or was never sent, changes nothing. */
  ack(seq: number): void {
    const count = Math.min(seq - this.#acked, this.#kept.length)
    if (count <= 0) return
    for (let i = 0; i < count; i++) this.#bytes -= this.#kept[i]?.bytes ?? 0
    // An array keeps the room that it once needed; most are empty most of the time.
    this.#kept = count === this.#kept.length ? [] : this.#kept.slice(count)
    this.#acked += count
  }

  /** Whether a client that dealt with everything up to `seq` can be given all the rest. */
  covers(seq: number): boolean {
    return seq >= this.#acked && seq <= this.#acked + this.#kept.length
  }

  waiting(): readonly Encoded[] {
    return this.#kept
  }
}
