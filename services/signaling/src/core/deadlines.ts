/** Things with a time each, the earliest first: a binary heap. Setting, deleting and taking cost O(log n). */
export class Deadlines<T> {
  readonly #heap: { item: T; at: number }[] = []
  readonly #places = new Map<T, number>()

  get size(): number {
    return this.#heap.length
  }

  next(): number | undefined {
    return this.#heap[0]?.at
  }

  /** Gives the item a time, or another one. */
  set(item: T, at: number): void {
    const place = this.#places.get(item)
    if (place === undefined) {
      this.#put({ item, at }, this.#heap.length)
      this.#up(this.#heap.length - 1)
      return
    }
    this.#put({ item, at }, place)
    this.#down(this.#up(place))
  }

  /** False when the item was not in. */
  delete(item: T): boolean {
    const place = this.#places.get(item)
    if (place === undefined) return false
    this.#places.delete(item)
    const last = this.#heap.pop()
    if (last === undefined || last.item === item) return true
    this.#put(last, place)
    this.#down(this.#up(place))
    return true
  }

  /** The earliest item whose time has come; it is out then. */
  take(now: number): T | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.at > now) return undefined
    this.delete(first.item)
    return first.item
  }

  #up(from: number): number {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (this.#at(parent) <= this.#at(place)) break
      this.#swap(parent, place)
      place = parent
    }
    return place
  }

  #down(from: number): void {
    let place = from
    for (;;) {
      const left = 2 * place + 1
      const least = this.#at(left + 1) < this.#at(left) ? left + 1 : left
      if (this.#at(least) >= this.#at(place)) return
      this.#swap(least, place)
      place = least
    }
  }

  #at(place: number): number {
    return this.#heap[place]?.at ?? Number.POSITIVE_INFINITY
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]]
    if (first === undefined || second === undefined) return
    this.#put(second, a)
    this.#put(first, b)
  }

  #put(entry: { item: T; at: number }, place: number): void {
    this.#heap[place] = entry
    this.#places.set(entry.item, place)
  }
}
