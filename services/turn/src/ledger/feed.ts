import type { AllocationSnapshot, SnapshotBatch } from './meter.ts'
import type { PackedBatch } from './packed.ts'
import { type MovedHeaders, type OtherFamily, type Relayed, relayedCounters } from './relayed.ts'

/** Where an engine hands its usage to: `LedgerThread`. */
export interface UsageSink {
  ingest(batch: SnapshotBatch): void
  /** The same, of a worker in another thread. */
  ingestPacked?(batch: PackedBatch): void
  /** Nothing more comes of this epoch; its allocations that were not reported as closed ended. */
  endEpoch(epoch: string, at: number): void
}

export type Identity = Omit<
  AllocationSnapshot,
  'allocationId' | 'openedAt' | 'closedAt' | 'counters' | 'otherFamily' | 'movedHeaders'
>

type Local = Pick<Relayed, 'ownBytes' | 'ownPackets' | 'indicationExtra'> & {
  readonly otherFamily?: OtherFamily | undefined
}

/** An allocation as a feed reads it. */
export interface Counted {
  /** The data path's own counters: read, not copied. */
  readonly counters: Omit<Relayed, keyof Local>
  /** Asked for only when packets passed. */
  readonly local: () => Local | undefined
  /** Undefined of a client that never moved. */
  readonly movedHeaders?: () => MovedHeaders | undefined
}

interface Live extends Counted {
  readonly identity: Identity
  readonly openedAt: number
  /** Packets when last reported; -1 before. */
  packets: number
  reportedAt: number
}

/**
 * Milliseconds after which an allocation is reported though no packet passed, so that the ledger, which takes ten
 * silent minutes for the end, knows that it lives.
 */
const HEARTBEAT = 60_000

const NOTHING: Local = { ownBytes: 0, ownPackets: 0, indicationExtra: 0 }

/**
 * One worker's reports to the ledger: whoever opened, relayed or closed since the last one. An idle allocation costs a
 * comparison each second and a report each minute.
 */
export class UsageFeed {
  readonly #epoch: string
  readonly #relay: string
  readonly #live = new Map<number, Live>()
  #closed: AllocationSnapshot[] = []

  /**
   * @param epoch names this life of the worker; a new one for each start
   * @param relay lasting name of the worker
   */
  constructor(epoch: string, relay: string) {
    this.#epoch = epoch
    this.#relay = relay
  }

  /** @param now milliseconds since 1970, as everywhere here */
  opened(allocationId: number, identity: Identity, counted: Counted, now: number): void {
    this.#live.set(allocationId, { ...counted, identity, openedAt: now, packets: -1, reportedAt: now })
  }

  /** Its counters are read now, for the last time. */
  closed(allocationId: number, now: number): void {
    const live = this.#live.get(allocationId)
    if (!live) return
    this.#live.delete(allocationId)
    this.#closed.push({ ...snapshotOf(allocationId, live), closedAt: now })
  }

  /** What is new; undefined when nothing is. Bring the data path's counters up to date before. */
  batch(now: number): SnapshotBatch | undefined {
    const allocations = this.#closed
    this.#closed = []
    for (const [id, live] of this.#live) {
      const packets = live.counters.clientToPeerPackets + live.counters.peerToClientPackets
      if (packets === live.packets && now - live.reportedAt < HEARTBEAT) continue
      live.packets = packets
      live.reportedAt = now
      allocations.push(snapshotOf(id, live))
    }
    if (allocations.length === 0) return undefined
    return { epoch: this.#epoch, relay: this.#relay, at: now, allocations }
  }
}

function snapshotOf(
  allocationId: number,
  { identity, openedAt, counters, local, movedHeaders }: Live,
): AllocationSnapshot {
  const { clientToPeerBytes, clientToPeerPackets, peerToClientBytes, peerToClientPackets } = counters
  const { ownBytes, ownPackets, indicationExtra, otherFamily } = local() ?? NOTHING
  const moved = movedHeaders?.()
  const relayed = { clientToPeerBytes, clientToPeerPackets, peerToClientBytes, peerToClientPackets }
  return {
    allocationId,
    ...identity,
    openedAt,
    counters: relayedCounters({ ...relayed, ownBytes, ownPackets, indicationExtra }),
    ...(moved && { movedHeaders: moved }),
    ...(otherFamily && { otherFamily: { ...otherFamily } }),
  }
}
