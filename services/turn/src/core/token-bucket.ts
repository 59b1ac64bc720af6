/** A token bucket without a clock or a timer: what has come in since the last look is added at the next. */
export class TokenBucket {
  #rate: number
  #burst: number
  #level: number
  #at: number

  /** @param rate tokens per second. @param burst the most it holds, and what it holds at first. */
  constructor(rate: number, burst: number, now: number) {
    this.#rate = rate
    this.#burst = burst
    this.#level = burst
    this.#at = now
  }

  /**
   * Takes `amount` when as much is there. What is larger than the whole bucket passes when it is full, so that no packet
   * is too large for ever.
   */
  take(amount: number, now: number): boolean {
    const level = this.#refill(now)
    if (level < amount && level < this.#burst) return false
    this.#level = level - amount
    return true
  }

  /** Gives back what was taken for something that then did not happen. */
  giveBack(amount: number): void {
    this.#level = Math.min(this.#burst, this.#level + amount)
  }

  /** New rate and burst from now on; what is there stays, within the new burst. */
  reshape(rate: number, burst: number, now: number): void {
    const level = this.#refill(now)
    this.#rate = rate
    this.#burst = burst
    this.#level = Math.min(level, burst)
  }

  #refill(now: number): number {
    const elapsed = now - this.#at
    if (elapsed > 0) {
      this.#level = Math.min(this.#burst, this.#level + (elapsed * this.#rate) / 1000)
      this.#at = now
    }
    return this.#level
  }
}
