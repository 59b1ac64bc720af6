/** Datagrams through a relay and back: throughput, loss, jitter (RFC 3550 section 6.4.1) and round-trip time. */
import type { Clock } from './context.ts'

/** Two ends of one machine, each with an allocation of its own. Datagrams may be lost on the way. */
export interface LoopLink {
  /** From the first end to the second. */
  forward(packet: Uint8Array): void
  /** And the other way. */
  back(packet: Uint8Array): void
  onForward: ((packet: Uint8Array) => void) | undefined
  onBack: ((packet: Uint8Array) => void) | undefined
  close(): void
}

export interface LoopPlan {
  readonly bitsPerSecond: number
  readonly milliseconds: number
}

export const usualLoop: LoopPlan = { bitsPerSecond: 2_000_000, milliseconds: 3_000 }

export interface LoopFigures {
  readonly sent: number
  readonly received: number
  /** 0 to 1. */
  readonly loss: number
  /** Of what arrived. */
  readonly bitsPerSecond: number
  /** What the sender set out to send; on a busy machine it sends less. */
  readonly plannedBitsPerSecond: number
  /** Milliseconds; undefined when too little arrived. */
  readonly jitter?: number
  readonly rtt?: { readonly least: number; readonly median: number; readonly most: number }
}

/** Bytes, about those of a video packet. */
const PACKET = 1000
/** One packet of so many is answered. */
const ECHO = 10
/** Milliseconds: between two looks at what is due, and the wait for what is still under way at the end. */
const TICK = 10
const TAIL = 700
/** At most so many packets in one go: after a halt the sender does not catch up with a burst that it would lose. */
const BURST = 25

/** Sends as planned and reports what came of it. */
export async function measureLoop(link: LoopLink, plan: LoopPlan, clock: Clock): Promise<LoopFigures> {
  const meter = new LoopMeter()
  link.onForward = (packet) => {
    const seen = readPacket(packet)
    if (!seen) return
    meter.arrived(seen.sequence, seen.sentAt, clock.now(), packet.length)
    if (seen.sequence % ECHO === 0) link.back(packet.subarray(0, 12))
  }
  link.onBack = (packet) => {
    const seen = readPacket(packet)
    if (seen) meter.echoed(clock.now() - seen.sentAt)
  }
  const interval = (PACKET * 8 * 1000) / plan.bitsPerSecond
  const planned = Math.floor(plan.milliseconds / interval)
  const start = clock.now()
  let due = 0
  for (let sequence = 0; due < planned; ) {
    due = Math.min(planned, Math.floor((clock.now() - start) / interval) + 1)
    const from = Math.max(sequence, due - BURST)
    for (sequence = from; sequence < due; sequence++) {
      meter.sent()
      link.forward(packetOf(sequence, clock.now()))
    }
    await clock.sleep(TICK)
  }
  await clock.sleep(TAIL)
  link.onForward = link.onBack = undefined
  return meter.figures(plan)
}

/** What was sent and came, by the sender's clock, which is the receiver's too. */
export class LoopMeter {
  #sent = 0
  #bytes = 0
  readonly #seen = new Set<number>()
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY
  #transit: number | undefined
  #jitter = 0
  readonly #rtts: number[] = []

  sent(): void {
    this.#sent++
  }

  arrived(sequence: number, sentAt: number, now: number, bytes: number): void {
    if (this.#seen.has(sequence)) return
    this.#seen.add(sequence)
    this.#bytes += bytes
    this.#first = Math.min(this.#first, now)
    this.#last = Math.max(this.#last, now)
    const transit = now - sentAt
    if (this.#transit !== undefined) this.#jitter += (Math.abs(transit - this.#transit) - this.#jitter) / 16
    this.#transit = transit
  }

  echoed(rtt: number): void {
    this.#rtts.push(rtt)
  }

  figures({ bitsPerSecond }: LoopPlan): LoopFigures {
    const received = this.#seen.size
    const rtts = [...this.#rtts].sort((a, b) => a - b)
    // The first packet opens the time and does not count in it.
    const seconds = (this.#last - this.#first) / 1000
    const counted = received > 1 ? (this.#bytes * (received - 1)) / received : 0
    return {
      sent: this.#sent,
      received,
      loss: this.#sent === 0 ? 0 : 1 - received / this.#sent,
      bitsPerSecond: seconds > 0 ? Math.round((counted * 8) / seconds) : 0,
      plannedBitsPerSecond: bitsPerSecond,
      ...(received > 1 ? { jitter: this.#jitter } : {}),
      ...(rtts.length > 0
        ? { rtt: { least: rtts[0]!, median: rtts[Math.floor(rtts.length / 2)]!, most: rtts[rtts.length - 1]! } }
        : {}),
    }
  }
}

function packetOf(sequence: number, now: number): Uint8Array {
  const packet = new Uint8Array(PACKET)
  const view = new DataView(packet.buffer)
  view.setUint32(0, sequence)
  view.setFloat64(4, now)
  return packet
}

function readPacket(packet: Uint8Array): { sequence: number; sentAt: number } | undefined {
  if (packet.length < 12) return undefined
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
  return { sequence: view.getUint32(0), sentAt: view.getFloat64(4) }
}
