/** Latencies in log-linear buckets: 64 per power of two, so a percentile is right within 1.6 %. Same as in blaster.c. */
export class Histogram {
  readonly #buckets = new Uint32Array(64 * 40)
  #total = 0

  /** @param ns clamped to [0, 4 s]. */
  add(ns: number): void {
    const value = ns < 0 ? 0 : ns > 4e9 ? 4e9 : Math.floor(ns)
    const exponent = 31 - Math.clz32(value)
    const index = value < 64 ? value : (exponent - 5) * 64 + ((value >>> (exponent - 6)) & 63)
    this.#buckets[index]!++
    this.#total++
  }

  /** Lower edge of the bucket that holds the quantile, in µs; 0 when nothing was added. */
  percentile(quantile: number): number {
    let sum = 0
    if (this.#total === 0) return 0
    for (let i = 0; i < this.#buckets.length; i++) {
      sum += this.#buckets[i]!
      if (sum >= quantile * this.#total) return (i < 64 ? i : (64 + (i & 63)) * 2 ** ((i >> 6) - 1)) / 1e3
    }
    return 0
  }
}
