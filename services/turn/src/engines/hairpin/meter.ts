/**
 * One worker's counters. Packets are counted in their allocation by the data path; here they are summed by app and
 * transport when somebody looks, and kept when an allocation ends. Nothing in this file runs per packet, and a look at ten
 * thousand allocations is ten thousand additions, no more.
 */
import type { Allocation, AuthFailure, CloseReason, FiveTuple, ServerEvents } from '../../core/index.ts'
import type { DataPath, Drops } from '../../datapath/data-path.ts'
import { firstFamily, type RelaySocket } from '../../datapath/relay-socket.ts'
import type { Sample } from '../../engine.ts'
import { headerBytes } from '../../ledger/counters.ts'
import { CHANNEL_HEADER, type OtherFamily } from '../../ledger/relayed.ts'
import { AppLabels } from '../../metrics/app-labels.ts'
import { SampleSums } from '../../metrics/samples.ts'
import type { StreamListeners } from '../../net/streams/listeners.ts'

/** Upper bounds of `hairpin_allocation_seconds`. */
const SECONDS = [1, 5, 15, 60, 300, 600, 1800, 3600, 14_400, 86_400]

type RequestHandled = NonNullable<ServerEvents['requestHandled']>

/** What allocations of the same labels relayed. */
class Traffic {
  outBytes = 0
  outPackets = 0
  backBytes = 0
  backPackets = 0
  egressBytes = 0

  add(allocation: Allocation): void {
    this.outBytes += allocation.clientToPeerBytes
    this.outPackets += allocation.clientToPeerPackets
    this.backBytes += allocation.peerToClientBytes
    this.backPackets += allocation.peerToClientPackets
    this.egressBytes += egressBytes(allocation)
  }

  subtract(traffic: Traffic): void {
    this.outBytes -= traffic.outBytes
    this.outPackets -= traffic.outPackets
    this.backBytes -= traffic.backBytes
    this.backPackets -= traffic.backPackets
    this.egressBytes -= traffic.egressBytes
  }
}

/** Allocations of the same app, transport and family. */
interface Group {
  readonly labels: { readonly transport: string; readonly family: string; readonly app: string }
  /** With what is not counted here: what one that moved had relayed before, as if it had been here all the time. */
  readonly live: Map<Allocation, Traffic | undefined>
  readonly ended: Traffic
  opened: number
}

export class Meter implements ServerEvents {
  readonly #groups = new Map<string, Group>()
  readonly #events = new SampleSums()
  readonly #apps = new AppLabels()
  readonly #buckets = SECONDS.map(() => 0)
  #seconds = 0
  #moves = 0
  #count = 0
  readonly #next: ServerEvents

  /** @param next is told of allocations too */
  constructor(next: ServerEvents = {}) {
    this.#next = next
  }

  allocationOpened(allocation: Allocation, now: number): void {
    this.#next.allocationOpened?.(allocation, now)
    const group = this.#groupOf(allocation)
    group.live.set(allocation, undefined)
    group.opened++
  }

  allocationClosed(allocation: Allocation, reason: CloseReason, now: number): void {
    this.#next.allocationClosed?.(allocation, reason, now)
    settle(this.#groupOf(allocation), allocation)
    const seconds = (now - allocation.createdAt) / 1000
    this.#seconds += seconds
    this.#count++
    for (let i = 0; i < SECONDS.length; i++) if (seconds <= SECONDS[i]!) this.#buckets[i]!++
  }

  /** What it relayed over the transport it leaves is counted there. */
  allocationMoving(allocation: Allocation, to: FiveTuple, now: number): void {
    this.#next.allocationMoving?.(allocation, to, now)
    settle(this.#groupOf(allocation), allocation)
  }

  allocationMoved(allocation: Allocation, from: FiveTuple, now: number): void {
    this.#next.allocationMoved?.(allocation, from, now)
    const before = new Traffic()
    before.add(allocation)
    this.#groupOf(allocation).live.set(allocation, before)
    this.#moves++
  }

  requestHandled({ method, transport, code }: Parameters<RequestHandled>[0]): void {
    this.#events.add('hairpin_stun_requests_total', { method, transport, code: String(code) }, 1)
  }

  authFailed(reason: AuthFailure): void {
    this.#events.add('hairpin_auth_failures_total', { reason }, 1)
  }

  /** Everything as it is now. */
  samples(dataPath: DataPath, drops: Drops, streams?: StreamListeners): Sample[] {
    dataPath.collect()
    const sums = new SampleSums()
    sums.addAll(this.#events.samples())
    for (const group of this.#groups.values()) addGroup(sums, group)
    sums.add('hairpin_allocation_moves_total', {}, this.#moves)
    for (const [reason, count] of drops.entries()) sums.add('hairpin_dropped_total', { reason }, count)
    if (streams) addStreams(sums, streams)
    this.#addHistogram(sums)
    return sums.samples()
  }

  #groupOf(allocation: Allocation): Group {
    const { listener, principal } = allocation
    const family = firstFamily(allocation)
    const app = this.#apps.labelFor(principal.app)
    const key = `${listener.transport} ${family} ${app}`
    let group = this.#groups.get(key)
    if (!group) {
      const labels = { transport: listener.transport, family: `ipv${family}`, app }
      group = { labels, live: new Map(), ended: new Traffic(), opened: 0 }
      this.#groups.set(key, group)
    }
    return group
  }

  #addHistogram(sums: SampleSums): void {
    for (let i = 0; i < SECONDS.length; i++)
      sums.add('hairpin_allocation_seconds_bucket', { le: String(SECONDS[i]) }, this.#buckets[i]!)
    sums.add('hairpin_allocation_seconds_bucket', { le: '+Inf' }, this.#count)
    sums.add('hairpin_allocation_seconds_sum', {}, this.#seconds)
    sums.add('hairpin_allocation_seconds_count', {}, this.#count)
  }
}

function addStreams(sums: SampleSums, streams: StreamListeners): void {
  for (const transport of streams.transports)
    sums.add('hairpin_client_connections', { transport }, streams.count(transport))
  for (const [reason, count] of streams.refusals())
    sums.add('hairpin_client_connections_refused_total', { reason }, count)
}

function addLive(to: Traffic, allocation: Allocation, before: Traffic | undefined): void {
  to.add(allocation)
  if (before) to.subtract(before)
}

/** It is no longer one of the group's: what it relayed as such is kept. */
function settle({ live, ended }: Group, allocation: Allocation): void {
  addLive(ended, allocation, live.get(allocation))
  live.delete(allocation)
}

function addGroup(sums: SampleSums, { labels, live, ended, opened }: Group): void {
  const now = Object.assign(new Traffic(), ended)
  for (const [allocation, before] of live) addLive(now, allocation, before)
  const { transport, app } = labels
  const out = { direction: 'client_to_peer', transport, app }
  const back = { direction: 'peer_to_client', transport, app }
  sums.add('hairpin_relay_bytes_total', out, now.outBytes)
  sums.add('hairpin_relay_bytes_total', back, now.backBytes)
  sums.add('hairpin_relay_packets_total', out, now.outPackets)
  sums.add('hairpin_relay_packets_total', back, now.backPackets)
  sums.add('hairpin_relay_egress_bytes_total', { app }, now.egressBytes)
  // A group that was here keeps its gauge, at zero, so that a graph ends on the axis.
  sums.add('hairpin_allocations', labels, live.size)
  sums.add('hairpin_allocations_total', labels, opened)
}

/**
 * Bytes of this allocation's relayed datagrams that left the host, IP and UDP, TCP and TLS headers included. To clients:
 * payload with its ChannelData header or Data indication. To peers: payload, but not what went to another relayed address here.
 */
export function egressBytes(allocation: Allocation): number {
  const { listener, client, relayTransport } = allocation
  const family = firstFamily(allocation)
  const relay = allocation.attachment as RelaySocket | undefined
  const toClient =
    allocation.peerToClientBytes +
    allocation.peerToClientPackets * (CHANNEL_HEADER + headerBytes(listener.transport, client.family)) +
    (relay?.indicationExtra ?? 0)
  const peerBytes = allocation.clientToPeerBytes - (relay?.ownBytes ?? 0)
  const peerPackets = allocation.clientToPeerPackets - (relay?.ownPackets ?? 0)
  return (
    toClient + peerBytes + peerPackets * headerBytes(relayTransport, family) + moreHeaders(family, relay?.otherFamily)
  )
}

/** What the headers of the other family take beyond those of the first. */
function moreHeaders(family: 4 | 6, other: OtherFamily | undefined): number {
  if (other === undefined) return 0
  return (other.sent - other.sentOwn) * (headerBytes('udp', family === 4 ? 6 : 4) - headerBytes('udp', family))
}
