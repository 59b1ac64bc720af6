/** A binary heap of deadlines whose items know their place: set, move and remove in O(log n), nothing ever scans. */

/** What can expire. `heapIndex` belongs to the heap: -1 when the item is not in it. */
export interface Timed {
  /** Milliseconds, on the clock of `now`. */
  expiresAt: number
  heapIndex: number
}

export class Deadlines<T extends Timed> {
  readonly #heap: T[] = []

  get size(): number {
    return this.#heap.length
  }

  /** The earliest deadline, or Infinity. */
  get next(): number {
    return this.#heap[0]?.expiresAt ?? Number.POSITIVE_INFINITY
  }

  /** Puts the item in, or moves it to its new deadline. */
  set(item: T, expiresAt: number): void {
    item.expiresAt = expiresAt
    if (item.heapIndex < 0) {
      item.heapIndex = this.#heap.length
      this.#heap.push(item)
    }
    this.#settle(item)
  }

  remove(item: T): void {
    const at = item.heapIndex
    if (at < 0) return
    item.heapIndex = -1
    const last = this.#heap.pop()!
    if (last === item) return
    this.#heap[at] = last
    last.heapIndex = at
    this.#settle(last)
  }

  /** Takes out the earliest item due at `now`, or returns undefined. */
  take(now: number): T | undefined {
    const first = this.#heap[0]
    if (!first || first.expiresAt > now) return undefined
    this.remove(first)
    return first
  }

  #settle(item: T): void {
    const heap = this.#heap
    let at = item.heapIndex
    for (let parent = (at - 1) >> 1; at > 0 && heap[parent]!.expiresAt > item.expiresAt; parent = (at - 1) >> 1) {
      heap[at] = heap[parent]!
      heap[at]!.heapIndex = at
      at = parent
    }
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.expiresAt < heap[child]!.expiresAt) child++
      if (heap[child]!.expiresAt >= item.expiresAt) break
      heap[at] = heap[child]!
      heap[at]!.heapIndex = at
      at = child
    }
    heap[at] = item
    item.heapIndex = at
  }
}
