/**
 * What is counted. A worker keeps one `RawCounters` per allocation and only ever adds to it; the ledger works with
 * `Totals`: the same figures with headers of the wire added, plus how many allocations and milliseconds they stand for.
 * Both are flat rows of numbers, so that the packet path adds to a slot and the ledger merges with one loop.
 *
 * Counted is what is relayed (ChannelData, Send and Data indications), not Allocate, Refresh and their like.
 */

/** Seen from the relay: `fromClient` is received from the client, `toPeer` is sent to the peer. */
export type Direction = 'fromClient' | 'toClient' | 'fromPeer' | 'toPeer'

export const directions: readonly Direction[] = ['fromClient', 'toClient', 'fromPeer', 'toPeer']

/**
 * Slots of a worker's row. Payload: application bytes, without any TURN framing. Framed: bytes handed to or taken from
 * the client's socket (ChannelData header and padding, or the whole indication). Between relay and peer there is no
 * framing, so payload says both. Local: the part whose peer is a relayed address of this same host, which never
 * leaves the machine.
 */
export const raw = {
  fromClientPayload: 0,
  fromClientFramed: 1,
  fromClientPackets: 2,
  toClientPayload: 3,
  toClientFramed: 4,
  toClientPackets: 5,
  fromPeerPayload: 6,
  fromPeerPackets: 7,
  toPeerPayload: 8,
  toPeerPackets: 9,
  localFromPeerPayload: 10,
  localFromPeerPackets: 11,
  localToPeerPayload: 12,
  localToPeerPackets: 13,
} as const

export const RAW_SIZE = 14

/** `RAW_SIZE` monotonic counts, by the slots of `raw`. */
export type RawCounters = ArrayLike<number>

/** Columns of the ledger in slot order; the names are those of the database's columns. */
export const columns = [
  'from_client_payload',
  'from_client_wire',
  'from_client_packets',
  'to_client_payload',
  'to_client_wire',
  'to_client_packets',
  'from_peer_payload',
  'from_peer_wire',
  'from_peer_packets',
  'to_peer_payload',
  'to_peer_wire',
  'to_peer_packets',
  'local_from_peer_wire',
  'local_to_peer_wire',
  'allocations',
  'duration_ms',
] as const

export type Column = (typeof columns)[number]

export const TOTALS_SIZE = columns.length

/**
 * `TOTALS_SIZE` whole numbers, by the order of `columns`. Bytes stay exact up to 2^53 (9 PB). A plain array: thousands
 * are made each second, and typed arrays cost several times as much to make.
 */
export type Totals = number[]

export const slot = Object.fromEntries(columns.map((name, index) => [name, index])) as Readonly<Record<Column, number>>

/** First slot of a direction: payload bytes, then wire bytes, then packets. */
export const directionSlot: Readonly<Record<Direction, number>> = {
  fromClient: 0,
  toClient: 3,
  fromPeer: 6,
  toPeer: 9,
}

export type Transport = 'udp' | 'tcp' | 'tls'

/**
 * Bytes per packet below the socket. UDP: IP header (20 or 40) + 8. TCP: IP header + 32 (with the timestamp option), a
 * segment of its own for each message; acknowledgements and repeats are not seen from user space, so this is an
 * estimate. TLS: TCP + 22 for a TLS 1.3 record (header 5, content type 1, tag 16).
 */
export function headerBytes(transport: Transport, family: 4 | 6): number {
  const ip = family === 4 ? 20 : 40
  if (transport === 'udp') return ip + 8
  return transport === 'tcp' ? ip + 32 : ip + 54
}

/** `RAW_SIZE` zeros, for a new allocation. */
export function rawCounters(): Float64Array<ArrayBuffer> {
  return new Float64Array(RAW_SIZE)
}

export function zeroTotals(): Totals {
  return [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/** Adds `amount` onto `into`. */
export function addTotals(into: Totals, amount: Totals): void {
  for (let i = 0; i < TOTALS_SIZE; i++) into[i]! += amount[i]!
}
