/** A one-way channel from this worker to another: what is to be handed over, batched and bounded. */
import type { MessagePort } from 'node:worker_threads'

/** A packet of a client, with the listening socket it came in by. */
export interface Parcel {
  /** `Listener.id`, the same in all workers. */
  readonly listener: number
  readonly address: string
  readonly port: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What a channel carries: parcels there, and back what of them has been dealt with, by `weightOf`. */
export type LinkMessage = readonly Parcel[] | number

/** Bytes that may be on their way to another worker, as many as wait in a listening socket; beyond it parcels are dropped. */
const LIMIT = 4 * 1024 * 1024
/** Bytes that a parcel takes beside its packet, roughly. */
const OVERHEAD = 128

export class Link {
  #port: MessagePort | undefined
  #queue: Parcel[] = []
  /** Bytes that wait here or there. */
  #waiting = 0

  /** False when too much is on its way already. The bytes are copied. */
  push(listener: number, address: string, port: number, packet: Uint8Array): boolean {
    const weight = packet.length + OVERHEAD
    if (this.#waiting + weight > LIMIT) return false
    this.#waiting += weight
    this.#queue.push({ listener, address, port, bytes: new Uint8Array(packet) })
    return true
  }

  /** The channel is there. */
  open(port: MessagePort): void {
    this.#port = port
    port.on('message', (dealtWith: number) => {
      this.#waiting -= dealtWith
    })
    this.flush()
  }

  /** Sends what has come together; without a channel it waits for one. */
  flush(): void {
    if (this.#port === undefined || this.#queue.length === 0) return
    const parcels = this.#queue
    this.#queue = []
    this.#port.postMessage(
      parcels,
      parcels.map(({ bytes }) => bytes.buffer),
    )
  }

  /** Parcels that never left. */
  close(): number {
    this.#port?.close()
    return this.#queue.length
  }
}

export function weightOf(parcels: readonly Parcel[]): number {
  let weight = 0
  for (const { bytes } of parcels) weight += bytes.length + OVERHEAD
  return weight
}
