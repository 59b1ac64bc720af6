import type { SdpFault } from '../core/sdp.ts'

/** What happens on a leg. None of these may throw, and none comes after `close`. */
export interface LegEvents {
  /** RTP or RTCP, decrypted; the buffer is the receiver's. */
  readonly onPacket: (packet: Buffer) => void
  readonly onConnected: () => void
  /** The connection failed or was ended by the other side. */
  readonly onLost: () => void
}

/** Payload types that the other side uses. */
export interface LegAudio {
  readonly opus: number
  readonly telephoneEvent: number | undefined
}

/**
 * `MEDIA_NO_PORT`: no local port is free, or the local address is not this machine's.
 * `MEDIA_OTHER_MODE`: what was asked for belongs to the bridge, and the service is direct, or the other way round.
 */
export type MediaFault = 'MEDIA_FAILED' | 'MEDIA_NO_PORT' | 'MEDIA_OTHER_MODE'

/** An SDP that cannot carry a call, or that the stack refuses. */
export class LegError extends Error {
  readonly code: SdpFault | MediaFault

  constructor(code: SdpFault | MediaFault, message: string) {
    super(message)
    this.name = 'LegError'
    this.code = code
  }
}

/**
 * One WebRTC connection of a bridged call: audio both ways, RTP as it is. All ICE, DTLS and SRTP is behind it, so that the
 * stack can be another one.
 */
export interface MediaLeg {
  /** Of what it sends. */
  readonly ssrc: number
  /** Known once the other side's SDP is. */
  readonly audio: LegAudio | undefined
  /** Answers the offer. Candidates are in the SDP: nothing is trickled. No check is sent before `start`. @throws LegError */
  answer(offer: string): Promise<string>
  /** After `answer`, when the other side has it: what is sent earlier is lost, and sent again only after half a second. */
  start(): void
  /** @throws LegError */
  offer(): Promise<string>
  /** The answer to `offer`; checks begin at once. @throws LegError */
  join(answer: string): void
  /** Encrypts and sends RTP or RTCP; false when the leg is not connected, and the packet is dropped. */
  send(packet: Buffer): boolean
  close(): void
}

/** Makes a leg. @param side whose form the SDP has: WhatsApp's answer is always `setup:active` */
export type NewLeg = (events: LegEvents, side: 'whatsapp' | 'agent') => MediaLeg
