/**
 * One worker's counters. Packets are counted in their allocation by the data path; here they are summed by app and
 * transport when somebody looks, and kept when an allocation ends. Nothing in this file runs per packet.
 */
import type { Allocation, AuthFailure, CloseReason, ServerEvents } from '../../core/index.ts'
import type { DataPath, Drops } from '../../datapath/data-path.ts'
import type { RelaySocket } from '../../datapath/relay-socket.ts'
import type { Sample } from '../../engine.ts'
import { AppLabels } from '../../metrics/app-labels.ts'
import { SampleSums } from '../../metrics/samples.ts'

/** Upper bounds of `hairpin_allocation_seconds`. */
const SECONDS = [1, 5, 15, 60, 300, 600, 1800, 3600, 14_400, 86_400]

/** Bytes of UDP and IP headers of one datagram. */
const HEADERS = { 4: 28, 6: 48 } as const
const CHANNEL_HEADER = 4

type RequestHandled = NonNullable<ServerEvents['requestHandled']>

export class Meter implements ServerEvents {
  readonly #ended = new SampleSums()
  readonly #events = new SampleSums()
  readonly #apps = new AppLabels()
  readonly #live = new Set<Allocation>()
  readonly #buckets = SECONDS.map(() => 0)
  #seconds = 0
  #count = 0

  allocationOpened(allocation: Allocation): void {
    this.#live.add(allocation)
    this.#events.add('hairpin_allocations_total', this.#allocationLabels(allocation), 1)
  }

  allocationClosed(allocation: Allocation, _reason: CloseReason, now: number): void {
    this.#live.delete(allocation)
    this.#addTraffic(this.#ended, allocation)
    const seconds = (now - allocation.createdAt) / 1000
    this.#seconds += seconds
    this.#count++
    for (let i = 0; i < SECONDS.length; i++) if (seconds <= SECONDS[i]!) this.#buckets[i]!++
  }

  requestHandled({ method, transport, code }: Parameters<RequestHandled>[0]): void {
    this.#events.add('hairpin_stun_requests_total', { method, transport, code: String(code) }, 1)
  }

  authFailed(reason: AuthFailure): void {
    this.#events.add('hairpin_auth_failures_total', { reason }, 1)
  }

  /** Everything as it is now. */
  samples(dataPath: DataPath, drops: Drops): Sample[] {
    dataPath.collect()
    const sums = new SampleSums()
    sums.addAll(this.#ended.samples())
    sums.addAll(this.#events.samples())
    // An app that was here keeps its gauge, at zero, so that a graph ends on the axis.
    for (const { name, labels } of this.#events.samples())
      if (name === 'hairpin_allocations_total') sums.add('hairpin_allocations', labels, 0)
    for (const allocation of this.#live) {
      this.#addTraffic(sums, allocation)
      sums.add('hairpin_allocations', this.#allocationLabels(allocation), 1)
    }
    for (const [reason, count] of drops.entries()) sums.add('hairpin_dropped_total', { reason }, count)
    this.#addHistogram(sums)
    return sums.samples()
  }

  #allocationLabels({ listener, family, principal }: Allocation) {
    return { transport: listener.transport, family: `ipv${family}`, app: this.#apps.labelFor(principal.app) }
  }

  #addTraffic(sums: SampleSums, allocation: Allocation): void {
    const app = this.#apps.labelFor(allocation.principal.app)
    const { transport } = allocation.listener
    const out = { direction: 'client_to_peer', transport, app }
    const back = { direction: 'peer_to_client', transport, app }
    sums.add('hairpin_relay_bytes_total', out, allocation.clientToPeerBytes)
    sums.add('hairpin_relay_bytes_total', back, allocation.peerToClientBytes)
    sums.add('hairpin_relay_packets_total', out, allocation.clientToPeerPackets)
    sums.add('hairpin_relay_packets_total', back, allocation.peerToClientPackets)
    sums.add('hairpin_relay_egress_bytes_total', { app }, egressBytes(allocation))
  }

  #addHistogram(sums: SampleSums): void {
    for (let i = 0; i < SECONDS.length; i++)
      sums.add('hairpin_allocation_seconds_bucket', { le: String(SECONDS[i]) }, this.#buckets[i]!)
    sums.add('hairpin_allocation_seconds_bucket', { le: '+Inf' }, this.#count)
    sums.add('hairpin_allocation_seconds_sum', {}, this.#seconds)
    sums.add('hairpin_allocation_seconds_count', {}, this.#count)
  }
}

/**
 * Bytes of this allocation's relayed datagrams that left the host, IP and UDP headers included. To clients: payload with
 * its ChannelData header or Data indication. To peers: payload, but not what went to another relayed address here.
 */
export function egressBytes(allocation: Allocation): number {
  const relay = allocation.attachment as RelaySocket | undefined
  const toClient =
    allocation.peerToClientBytes +
    allocation.peerToClientPackets * (CHANNEL_HEADER + HEADERS[allocation.client.family]) +
    (relay?.indicationExtra ?? 0)
  const peerBytes = allocation.clientToPeerBytes - (relay?.ownBytes ?? 0)
  const peerPackets = allocation.clientToPeerPackets - (relay?.ownPackets ?? 0)
  return toClient + peerBytes + peerPackets * HEADERS[allocation.family]
}
