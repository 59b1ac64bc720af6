import type { Socket } from 'node:dgram'
import type { Allocation } from '../core/index.ts'
import type { OtherFamily } from '../ledger/relayed.ts'
import { Outlet } from './outlet.ts'
import type { StreamClient } from './stream-client.ts'

/**
 * A relayed transport address's socket, and what only the data path can count. The one of an allocation's that was opened
 * first is kept at `allocation.attachment` to the end, also when of two families its own is given up before: it counts for
 * the allocation.
 */
export class RelaySocket extends Outlet {
  readonly family: 4 | 6
  /** The socket of the other family, where the allocation has both; only at the first one. */
  other: RelaySocket | undefined = undefined
  /** Sent to relayed addresses of this host: never on the wire. */
  ownBytes = 0
  ownPackets = 0
  /** Bytes of Data indications beyond what ChannelData would have taken for the same payload, and padding on streams. */
  indicationExtra = 0
  /** The client's connection; undefined for a client over UDP, which the data path sends to by its address. */
  stream: StreamClient | undefined = undefined
  /** Of a second socket: what passed through it. */
  second: { -readonly [K in keyof OtherFamily]: OtherFamily[K] } | undefined = undefined

  constructor(socket: Socket, family: 4 | 6) {
    super(socket)
    this.family = family
  }

  get otherFamily(): OtherFamily | undefined {
    return this.other?.second
  }

  /** The socket for peers of this family. */
  towards(family: 4 | 6): RelaySocket {
    return this.other === undefined || family === this.family ? this : this.other
  }
}

/** The family that the allocation is counted under: of its relayed address, of two that of the first. It never changes. */
export function firstFamily(allocation: Allocation): 4 | 6 {
  return (allocation.attachment as RelaySocket | undefined)?.family ?? allocation.family
}
