import type { RawCounters } from './counters.ts'

/** What a data path counts of one allocation, monotonic since it opened. */
export interface Relayed {
  /** Application payload that was sent on, bytes and datagrams. */
  readonly clientToPeerBytes: number
  readonly clientToPeerPackets: number
  readonly peerToClientBytes: number
  readonly peerToClientPackets: number
  /** The part of client → peer that went to a relayed address of this host. */
  readonly ownBytes: number
  readonly ownPackets: number
  /** Bytes of Data indications beyond the ChannelData that the same payload would have taken, and padding on streams. */
  readonly indicationExtra: number
}

/**
 * Packets by way of the second relayed address of an allocation that has one of each family: counted above like all others,
 * but their IP headers are of another size.
 */
export interface OtherFamily {
  readonly sent: number
  readonly sentOwn: number
  readonly received: number
}

/**
 * Of a client that has moved (RFC 8016): bytes that its packets took below the socket beyond what they would have taken
 * where it was first. May be negative.
 */
export interface MovedHeaders {
  readonly fromClient: number
  readonly toClient: number
}

/** Bytes of a ChannelData header (RFC 8656 section 12.4). */
export const CHANNEL_HEADER = 4

/**
 * The ledger's counters from those of a data path. A packet is counted on both of its sides once it was sent on, so
 * what was dropped costs nothing. From the client, ChannelData framing is assumed: the few Send indications before a
 * channel is bound are a little larger than counted; to the client, Data indications are counted as they are.
 */
export function relayedCounters(relayed: Relayed): RawCounters {
  const { clientToPeerBytes: up, clientToPeerPackets: upPackets } = relayed
  const { peerToClientBytes: down, peerToClientPackets: downPackets } = relayed
  // By the slots of `raw`.
  return [
    up,
    up + CHANNEL_HEADER * upPackets,
    upPackets,
    down,
    down + CHANNEL_HEADER * downPackets + relayed.indicationExtra,
    downPackets,
    down,
    downPackets,
    up,
    upPackets,
    0,
    0,
    relayed.ownBytes,
    relayed.ownPackets,
  ]
}
