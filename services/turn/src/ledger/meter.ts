/**
 * Turns what workers report, cumulative counters per allocation, into what the ledger adds: deltas. Pure: no clock.
 *
 * Invariant: over the life of an (epoch, allocation) the deltas sum up to the largest counters ever reported, in
 * whatever order and however often the reports come. An epoch names one life of a worker's counters: a worker that
 * starts again must choose a new one, and its counters then start from zero as new allocations.
 */
import { MINUTE } from './calendar.ts'
import { headerBytes, type RawCounters, raw, slot, type Totals, type Transport, zeroTotals } from './counters.ts'
import type { MovedHeaders, OtherFamily } from './relayed.ts'

/** One allocation as a worker reports it. Reports carry all counters since `openedAt`, never differences. */
export interface AllocationSnapshot {
  /** Unique within the epoch. */
  readonly allocationId: number
  readonly app: string
  readonly user: string
  readonly transport: Transport
  /** Between relay and peers; UDP when left out. */
  readonly relayTransport?: 'udp' | 'tcp'
  /** Address family of the relayed address. */
  readonly family: 4 | 6
  /** Address family of the client, where it differs from the relayed address's. */
  readonly clientFamily?: 4 | 6
  /** Milliseconds since 1970. */
  readonly openedAt: number
  /** Set in the last report. */
  readonly closedAt?: number
  readonly counters: RawCounters
  /** Of these, what went by a relayed address of the family that is not `family`. */
  readonly otherFamily?: OtherFamily
  /** `transport` and `clientFamily` are those it began with. */
  readonly movedHeaders?: MovedHeaders
}

export interface SnapshotBatch {
  /** Identity of one life of the worker's counters, for instance a random UUID made at its start. */
  readonly epoch: string
  /** Lasting name of the worker: `relay-1/0`. Usage is kept by it. */
  readonly relay: string
  /** When the counters were read, milliseconds since 1970. */
  readonly at: number
  /** All allocations of the worker, or only those that changed since the last batch. */
  readonly allocations: readonly AllocationSnapshot[]
}

export interface MeterEntry {
  readonly epoch: string
  readonly allocationId: number
  readonly app: string
  readonly user: string
  readonly transport: Transport
  readonly family: 4 | 6
  readonly relay: string
  readonly openedAt: number
  readonly closedAt?: number
  /** Start of the minute this counts for, milliseconds since 1970: the minute the counters were read in. */
  readonly minute: number
  /** Everything the allocation has counted since it opened. */
  readonly total: Totals
  /** What is new since the entry before. */
  readonly delta: Totals
}

interface Known {
  readonly relay: string
  snapshot: AllocationSnapshot
  total: Totals
  closed: boolean
}

/** What the ledger already holds of an allocation; undefined when it never heard of it. */
export type Recall = (epoch: string, allocationId: number) => Totals | undefined

const NOTHING: OtherFamily = { sent: 0, sentOwn: 0, received: 0 }
const UNMOVED: MovedHeaders = { fromClient: 0, toClient: 0 }

export class Meter {
  readonly #epochs = new Map<string, Map<number, Known>>()
  /** Epochs that are over: what still arrives of them was counted when they ended. */
  readonly #ended = new Set<string>()
  /** Closed allocations in order of closing; remembered for a while so that a repeated report is recognised. */
  readonly #closed: { epoch: string; allocationId: number; at: number }[] = []
  readonly #rememberMs: number
  readonly #recall: Recall

  /**
   * @param recall asked for each allocation that is new to this meter: what was counted before it began
   * @param rememberMs how long a closed allocation is recognised, milliseconds
   */
  constructor(recall: Recall = () => undefined, rememberMs = 60_000) {
    this.#recall = recall
    this.#rememberMs = rememberMs
  }

  /** Live allocations. */
  get size(): number {
    let size = 0
    for (const known of this.#epochs.values()) size += known.size
    return size - this.#closed.length
  }

  /** What is new in a batch. Counters below those already seen count nothing. */
  observe(batch: SnapshotBatch): MeterEntry[] {
    this.#forget(batch.at)
    if (this.#ended.has(batch.epoch)) return []
    let known = this.#epochs.get(batch.epoch)
    if (!known) {
      known = new Map()
      this.#epochs.set(batch.epoch, known)
    }
    const entries: MeterEntry[] = []
    for (const snapshot of batch.allocations) {
      const entry = this.#advance(batch, known, snapshot)
      if (entry) entries.push(entry)
    }
    return entries
  }

  /** A worker is gone, nothing more counts for its epoch: its allocations ended when they were last heard of. */
  endEpoch(epoch: string, at: number): MeterEntry[] {
    this.#ended.add(epoch)
    const known = this.#epochs.get(epoch)
    if (!known) return []
    const entries: MeterEntry[] = []
    for (const { snapshot, total, closed, relay } of known.values()) {
      if (closed) continue
      const closedAt = snapshot.openedAt + total[slot.duration_ms]!
      const identity = { epoch, relay, at }
      entries.push(entryOf(identity, { ...snapshot, closedAt }, total, zeroTotals()))
    }
    this.#epochs.delete(epoch)
    for (let i = this.#closed.length - 1; i >= 0; i--) if (this.#closed[i]!.epoch === epoch) this.#closed.splice(i, 1)
    return entries
  }

  #advance(batch: SnapshotBatch, known: Map<number, Known>, snapshot: AllocationSnapshot): MeterEntry | undefined {
    const before = known.get(snapshot.allocationId)
    if (before?.closed) return undefined
    const total = totalsOf(snapshot, snapshot.closedAt ?? batch.at)
    const delta = zeroTotals()
    const seen = before?.total ?? this.#recall(batch.epoch, snapshot.allocationId)
    let news = before === undefined
    for (let i = 0; i < total.length; i++) {
      const last = seen ? seen[i]! : 0
      if (total[i]! > last) {
        delta[i] = total[i]! - last
        news = true
      } else total[i] = last
    }
    const closed = snapshot.closedAt !== undefined
    if (!news && !closed) return undefined
    known.set(snapshot.allocationId, { relay: batch.relay, snapshot, total, closed })
    if (closed) this.#closed.push({ epoch: batch.epoch, allocationId: snapshot.allocationId, at: batch.at })
    return entryOf(batch, snapshot, total, delta)
  }

  #forget(now: number): void {
    let done = 0
    while (done < this.#closed.length && this.#closed[done]!.at + this.#rememberMs <= now) {
      const { epoch, allocationId } = this.#closed[done++]!
      this.#epochs.get(epoch)?.delete(allocationId)
    }
    if (done > 0) this.#closed.splice(0, done)
  }
}

function entryOf(
  batch: { readonly epoch: string; readonly relay: string; readonly at: number },
  snapshot: AllocationSnapshot,
  total: Totals,
  delta: Totals,
): MeterEntry {
  const { allocationId, app, user, transport, family, openedAt, closedAt } = snapshot
  const minute = batch.at - (batch.at % MINUTE)
  const entry = { epoch: batch.epoch, allocationId, app, user, transport, family, relay: batch.relay, openedAt }
  return closedAt === undefined ? { ...entry, minute, total, delta } : { ...entry, closedAt, minute, total, delta }
}

/** A worker's counters as ledger totals: wire bytes by `headerBytes`, lifetime up to `until`. */
export function totalsOf(snapshot: AllocationSnapshot, until: number): Totals {
  const c = snapshot.counters
  const client = headerBytes(snapshot.transport, snapshot.clientFamily ?? snapshot.family)
  const peer = headerBytes(snapshot.relayTransport ?? 'udp', snapshot.family)
  const { sent, sentOwn, received } = snapshot.otherFamily ?? NOTHING
  const moved = snapshot.movedHeaders ?? UNMOVED
  const more = headerBytes('udp', snapshot.family === 4 ? 6 : 4) - peer
  const t = zeroTotals()
  t[slot.from_client_payload] = c[raw.fromClientPayload]!
  t[slot.from_client_wire] = c[raw.fromClientFramed]! + client * c[raw.fromClientPackets]! + moved.fromClient
  t[slot.from_client_packets] = c[raw.fromClientPackets]!
  t[slot.to_client_payload] = c[raw.toClientPayload]!
  t[slot.to_client_wire] = c[raw.toClientFramed]! + client * c[raw.toClientPackets]! + moved.toClient
  t[slot.to_client_packets] = c[raw.toClientPackets]!
  t[slot.from_peer_payload] = c[raw.fromPeerPayload]!
  t[slot.from_peer_wire] = c[raw.fromPeerPayload]! + peer * c[raw.fromPeerPackets]! + more * received
  t[slot.from_peer_packets] = c[raw.fromPeerPackets]!
  t[slot.to_peer_payload] = c[raw.toPeerPayload]!
  t[slot.to_peer_wire] = c[raw.toPeerPayload]! + peer * c[raw.toPeerPackets]! + more * sent
  t[slot.to_peer_packets] = c[raw.toPeerPackets]!
  t[slot.local_from_peer_wire] = c[raw.localFromPeerPayload]! + peer * c[raw.localFromPeerPackets]!
  t[slot.local_to_peer_wire] = c[raw.localToPeerPayload]! + peer * c[raw.localToPeerPackets]! + more * sentOwn
  t[slot.allocations] = 1
  t[slot.duration_ms] = Math.max(0, Math.trunc(until - snapshot.openedAt))
  return t
}
