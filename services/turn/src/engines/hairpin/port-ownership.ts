/**
 * Which worker holds which relayed port, in memory shared by all of them: what a worker that crashed leaves in the
 * port pool is given back by its owner's number. The pool itself only knows that a port is live.
 */
export class PortOwnership {
  readonly #owners: Uint16Array
  readonly #min: number
  readonly #worker: number

  static bytesFor(min: number, max: number): number {
    return (max - min + 1) * Uint16Array.BYTES_PER_ELEMENT
  }

  /** @param worker number of the worker, from 0. */
  constructor(shared: SharedArrayBuffer, min: number, worker: number) {
    this.#owners = new Uint16Array(shared)
    this.#min = min
    this.#worker = worker
  }

  taken(port: number): void {
    this.#owners[port - this.#min] = this.#worker + 1
  }

  released(port: number): void {
    const at = port - this.#min
    if (this.#owners[at] === this.#worker + 1) this.#owners[at] = 0
  }

  /** Takes back all ports of this worker, which no longer runs. */
  reclaim(): number[] {
    const ports: number[] = []
    for (let at = 0; at < this.#owners.length; at++) {
      if (this.#owners[at] !== this.#worker + 1) continue
      this.#owners[at] = 0
      ports.push(this.#min + at)
    }
    return ports
  }
}
