/** The allocations of one worker, found by five-tuple or by id. */
import type { Allocation } from './allocation.ts'
import { EndpointMap } from './endpoint-map.ts'
import type { FiveTuple, FlowDirectory } from './policies.ts'
import type { Listener } from './types.ts'

export class AllocationTable implements Iterable<Allocation> {
  readonly #byListener: (EndpointMap<Allocation> | undefined)[] = []
  readonly #byId = new Map<number, Allocation>()
  readonly #flows: FlowDirectory | undefined

  /** @param flows is told of every five-tuple that is added and removed */
  constructor(flows?: FlowDirectory) {
    this.#flows = flows
  }

  get size(): number {
    return this.#byId.size
  }

  /** The packet path's one lookup: by listener, client address and client port. May find one that is still `pending`. */
  find(listener: Listener, address: string, port: number): Allocation | undefined {
    return this.#byListener[listener.id]?.get(address, port)
  }

  byId(id: number): Allocation | undefined {
    return this.#byId.get(id)
  }

  [Symbol.iterator](): Iterator<Allocation> {
    return this.#byId.values()
  }

  add(allocation: Allocation): void {
    this.#byId.set(allocation.id, allocation)
    this.link(allocation, allocation)
  }

  remove(allocation: Allocation): void {
    this.#byId.delete(allocation.id)
    this.unlink(allocation, allocation)
  }

  /** It is found by this five-tuple too. */
  link(allocation: Allocation, { listener, client }: FiveTuple): void {
    this.#byListener[listener.id] ??= new EndpointMap()
    this.#byListener[listener.id]!.set(client.address, client.port, allocation)
    this.#flows?.add(listener, client)
  }

  /** It is found there no longer; one that has the five-tuple since is. */
  unlink(allocation: Allocation, { listener, client }: FiveTuple): void {
    if (this.find(listener, client.address, client.port) !== allocation) return
    this.#byListener[listener.id]?.delete(client.address, client.port)
    this.#flows?.remove(listener, client)
  }
}
