/** RTP headers (RFC 3550 section 5.1), as far as passing on a stream as another one needs them. Payloads stay as they are. */

const HEADER = 12

/** Whether a packet of a flow that RTP and RTCP share is RTCP (RFC 5761 section 4). */
export function isRtcp(packet: Buffer): boolean {
  const type = packet[1] ?? 0
  return type >= 192 && type <= 223
}

export interface RtpRelayOptions {
  /** Of the outgoing stream. */
  readonly ssrc: number
  /** Outgoing payload types by incoming ones; packets of others are dropped. */
  readonly payloadTypes: ReadonlyMap<number, number>
}

/**
 * One direction of a bridged call: whatever comes goes out as one stream with one SSRC, without CSRCs and header
 * extensions, whose ids mean other things on the other side. A new source goes on where the last one stopped (another
 * agent, a page that was reloaded): sequence numbers without a gap, timestamps by the time that passed.
 */
export class RtpRelay {
  readonly #ssrc: number
  #payloadTypes: ReadonlyMap<number, number>
  #source: number | undefined
  #resumed = false
  #sequenceOffset = 0
  #timestampOffset = 0
  #lastSequence = 0
  #lastTimestamp = 0
  #lastAt = 0

  constructor({ ssrc, payloadTypes }: RtpRelayOptions) {
    this.#ssrc = ssrc
    this.#payloadTypes = payloadTypes
  }

  /** For the next source. */
  set payloadTypes(types: ReadonlyMap<number, number>) {
    this.#payloadTypes = types
  }

  /** After a pause in which packets were not passed on: the next one goes on where the last one stopped. */
  resume(): void {
    this.#resumed = true
  }

  /** @param now ms @returns the packet to send; undefined when this is no RTP, or of a payload type that is not known */
  relay(packet: Buffer, now: number): Buffer | undefined {
    const start = payloadStart(packet)
    if (start === undefined) return undefined
    const second = packet[1]!
    const type = this.#payloadTypes.get(second & 0x7f)
    if (type === undefined) return undefined
    const source = packet.readUInt32BE(8)
    const sequence = packet.readUInt16BE(2)
    const timestamp = packet.readUInt32BE(4)
    if (source !== this.#source || this.#resumed) this.#follow(source, sequence, timestamp, now)

    const out = Buffer.allocUnsafe(HEADER + packet.length - start)
    // Version 2, padding as it came; no extension, no CSRC.
    out[0] = 0x80 | (packet[0]! & 0x20)
    out[1] = (second & 0x80) | type
    const outSequence = (sequence + this.#sequenceOffset) & 0xffff
    const outTimestamp = (timestamp + this.#timestampOffset) >>> 0
    out.writeUInt16BE(outSequence, 2)
    out.writeUInt32BE(outTimestamp, 4)
    out.writeUInt32BE(this.#ssrc, 8)
    packet.copy(out, HEADER, start)
    // Reordered packets must not set the end of the stream back.
    if (((outSequence - this.#lastSequence) & 0xffff) < 0x8000) {
      this.#lastSequence = outSequence
      this.#lastTimestamp = outTimestamp
    }
    this.#lastAt = now
    return out
  }

  #follow(source: number, sequence: number, timestamp: number, now: number): void {
    if (this.#source === undefined) {
      this.#lastSequence = sequence
    } else {
      const passed = Math.max(20, now - this.#lastAt) * 48
      this.#sequenceOffset = this.#lastSequence + 1 - sequence
      this.#timestampOffset = this.#lastTimestamp + passed - timestamp
    }
    this.#source = source
    this.#resumed = false
  }
}

/** Where the payload begins; undefined when this is not a whole RTP packet. */
function payloadStart(packet: Buffer): number | undefined {
  const first = packet[0] ?? 0
  if (packet.length < HEADER || first >> 6 !== 2 || isRtcp(packet)) return undefined
  let start = HEADER + (first & 0x0f) * 4
  if (first & 0x10) {
    if (packet.length < start + 4) return undefined
    start += 4 + packet.readUInt16BE(start + 2) * 4
  }
  return start <= packet.length ? start : undefined
}

/**
 * What is sent while nobody speaks, so that Meta does not take the call for dead: an empty receiver report and the source's
 * name (RFC 3550 sections 6.4.2 and 6.5; every compound has both).
 */
export function keepAliveReport(ssrc: number, name: string): Buffer {
  const text = Buffer.from(name)
  // The chunk: SSRC, item CNAME, its length and text, and zeros, one at least, to a multiple of four bytes.
  const chunk = Math.ceil((4 + 2 + text.length + 1) / 4) * 4
  const report = Buffer.alloc(8 + 4 + chunk)
  report.writeUInt32BE(0x80c9_0001, 0)
  report.writeUInt32BE(ssrc, 4)
  report.writeUInt16BE(0x81ca, 8)
  report.writeUInt16BE(chunk / 4, 10)
  report.writeUInt32BE(ssrc, 12)
  report[16] = 1
  report[17] = text.length
  text.copy(report, 18)
  return report
}
