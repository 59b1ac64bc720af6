/**
 * The other workers, for clients whose packets the kernel brings to this one although they are theirs: the shared table
 * says whose, and a channel between the two takes the packet there. The owner treats it as its own, and answers out of its
 * own socket, which has the same address and port. What was handed over once is never handed on, so a wrong guess ends
 * where it led.
 */
import type { MessagePort } from 'node:worker_threads'
import type { Listener } from '../../core/index.ts'
import type { Drops } from '../../datapath/data-path.ts'
import type { FlowTable } from './flow-table.ts'
import { Link, type Parcel, weightOf } from './link.ts'

export interface NeighboursOptions {
  readonly flows: FlowTable
  readonly drops: Drops
  /** Asks for a channel to that worker; `connected` brings it. */
  readonly connect: (worker: number) => void
  /** A packet of a client of this worker that came in elsewhere. */
  readonly received: (parcel: Parcel) => void
}

export class Neighbours {
  readonly #options: NeighboursOptions
  /** By the number of the worker. */
  readonly #links = new Map<number, Link>()
  readonly #incoming = new Set<MessagePort>()
  #due = false
  /** Packets handed over. */
  count = 0

  constructor(options: NeighboursOptions) {
    this.#options = options
  }

  /** True when the packet is another worker's, and has been seen to. Asked when this one does not know the client. */
  handOver(packet: Uint8Array, listener: Listener, address: string, port: number): boolean {
    const worker = this.#options.flows.ownerOf(listener, address, port)
    if (worker < 0) return false
    this.hand(worker, packet, listener, address, port)
    return true
  }

  /** The packet is for that worker. */
  hand(worker: number, packet: Uint8Array, listener: Listener, address: string, port: number): void {
    if (this.#linkTo(worker).push(listener.id, address, port, packet)) this.#pushed()
    else this.#options.drops.count('handover')
  }

  /** The channel that was asked for. */
  connected(worker: number, port: MessagePort): void {
    const link = this.#linkTo(worker)
    // The other worker ended. Should it have clients again, there will be another channel.
    port.on('close', () => {
      if (this.#links.get(worker) === link) this.#drop(worker, link)
    })
    link.open(port)
  }

  /** A channel by which another worker hands over. */
  accept(port: MessagePort): void {
    this.#incoming.add(port)
    port.on('close', () => this.#incoming.delete(port))
    port.on('message', (parcels: readonly Parcel[]) => {
      const weight = weightOf(parcels)
      for (const parcel of parcels) this.#options.received(parcel)
      port.postMessage(weight)
    })
  }

  close(): void {
    for (const [worker, link] of this.#links) this.#drop(worker, link)
    for (const port of this.#incoming) port.close()
  }

  #pushed(): void {
    this.count++
    if (this.#due) return
    this.#due = true
    setImmediate(this.#flush)
  }

  #linkTo(worker: number): Link {
    let link = this.#links.get(worker)
    if (!link) {
      link = new Link()
      this.#links.set(worker, link)
      this.#options.connect(worker)
    }
    return link
  }

  #drop(worker: number, link: Link): void {
    this.#links.delete(worker)
    for (let lost = link.close(); lost > 0; lost--) this.#options.drops.count('handover')
  }

  readonly #flush = (): void => {
    this.#due = false
    for (const link of this.#links.values()) link.flush()
  }
}
