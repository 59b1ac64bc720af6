/** The two ends of calls, as the load: both talk at 50 packets a second and time what they hear. */
import type { MediaLeg } from '../../services/whatsapp/src/media/leg.ts'
import { nativeLegs } from '../../services/whatsapp/src/media/native-leg.ts'
import { Histogram } from '../load/histogram.ts'

/** Bytes of Opus at about 32 kbit/s, in 20 ms. */
const PAYLOAD = 80
const HEADER = 12
const STEP = 960
/** Payload: number of the call, side, time of sending in ns, and what stays the same. */
const FILLING = Buffer.alloc(PAYLOAD - 13, 0xa5)

export interface Window {
  sent: number
  received: number
  /** Of another call, or changed. */
  wrong: number
  readonly latency: Histogram
}

export const newWindow = (): Window => ({ sent: 0, received: 0, wrong: 0, latency: new Histogram() })

export class End {
  /** Counts while it is set. */
  window: Window | undefined
  heard = 0
  readonly leg: MediaLeg
  readonly #call: number
  readonly #side: number
  #sequence = 0

  constructor(call: number, side: 'customer' | 'agent', address: string) {
    this.#call = call
    this.#side = side === 'customer' ? 1 : 2
    const onPacket = (packet: Buffer) => this.#hear(packet)
    this.leg = nativeLegs({ bindAddress: address })({ onPacket, onConnected() {}, onLost() {} }, 'agent')
  }

  say(): void {
    const packet = Buffer.allocUnsafe(HEADER + PAYLOAD)
    packet.writeUInt16BE(0x80_6f, 0)
    packet.writeUInt16BE(++this.#sequence & 0xffff, 2)
    packet.writeUInt32BE((this.#sequence * STEP) >>> 0, 4)
    packet.writeUInt32BE(this.leg.ssrc, 8)
    packet.writeUInt32BE(this.#call, 12)
    packet[16] = this.#side
    packet.writeBigUInt64BE(process.hrtime.bigint(), 17)
    FILLING.copy(packet, 25)
    if (this.leg.send(packet) && this.window) this.window.sent++
  }

  #hear(packet: Buffer): void {
    if ((packet[1]! & 0x7f) !== 0x6f) return
    this.heard++
    const { window } = this
    if (!window) return
    window.received++
    const isOurs = packet.length === HEADER + PAYLOAD && packet.readUInt32BE(12) === this.#call
    if (isOurs && packet[16] === 3 - this.#side && packet.subarray(25).equals(FILLING))
      window.latency.add(Number(process.hrtime.bigint() - packet.readBigUInt64BE(17)))
    else window.wrong++
  }
}
