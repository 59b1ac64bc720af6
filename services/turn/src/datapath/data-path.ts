import type { Allocation, DropReason, Endpoint, Listener, Output } from '../core/index.ts'

/** Outputs of the core that describe what may flow; for data paths with tables of their own (a kernel offload). */
export type FlowOutput = Extract<Output, { type: 'channelBound' | 'channelUnbound' | 'permitted' | 'forbidden' }>

/**
 * Moves application data between clients and peers; the core never touches it. The portable implementation is
 * `DgramDataPath`. An offload moves most packets elsewhere, keeps its tables by `flowChanged`, and adds what it moved to
 * the allocation's counters in `collect`.
 *
 * The first three give the reason when the packet was dropped, undefined when it went out. None may throw on what the
 * network sends.
 */
export interface DataPath {
  readonly name: string
  /** A datagram of a client that begins with the bits of ChannelData (RFC 8656 section 12.4). */
  fromClient(datagram: Buffer, listener: Listener, address: string, port: number): DropReason | undefined
  /** A datagram that arrived on the allocation's relayed transport address. */
  fromPeer(allocation: Allocation, datagram: Buffer, address: string, port: number): DropReason | undefined
  /** Payload of a Send indication; the core has checked the permission. */
  toPeer(allocation: Allocation, peer: Endpoint, payload: Uint8Array): DropReason | undefined
  flowChanged(output: FlowOutput): void
  /** Brings the counters of live allocations up to date before they are read. */
  collect(): void
}

/** Counts what is not relayed or answered, by reason. */
export class Drops {
  readonly #counts = new Map<DropReason, number>()

  count(reason: DropReason | undefined): void {
    if (reason === undefined) return
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
  }

  entries(): Iterable<readonly [DropReason, number]> {
    return this.#counts.entries()
  }
}
