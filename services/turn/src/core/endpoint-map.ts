/** A map keyed by port, then address: a lookup hashes a small integer and an existing string, and builds neither. */
export class EndpointMap<T> {
  readonly #ports = new Map<number, Map<string, T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(address: string, port: number): T | undefined {
    return this.#ports.get(port)?.get(address)
  }

  set(address: string, port: number, value: T): void {
    let addresses = this.#ports.get(port)
    if (!addresses) {
      addresses = new Map()
      this.#ports.set(port, addresses)
    }
    const before = addresses.size
    addresses.set(address, value)
    this.#size += addresses.size - before
  }

  delete(address: string, port: number): void {
    const addresses = this.#ports.get(port)
    if (!addresses?.delete(address)) return
    this.#size--
    if (addresses.size === 0) this.#ports.delete(port)
  }
}
