/** A leg on werift (ICE, DTLS and SRTP in TypeScript), to be measured beside the one that the service uses. */
import {
  MediaStreamTrack,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RTCSessionDescription,
  RtcpPacketConverter,
  RtpPacket,
} from 'werift'
import { isRtcp } from '../../services/whatsapp/src/core/rtp.ts'
import { OPUS, readRemoteAudio, TELEPHONE_EVENT } from '../../services/whatsapp/src/core/sdp.ts'
import {
  type LegAudio,
  LegError,
  type LegEvents,
  type MediaLeg,
  type NewLeg,
} from '../../services/whatsapp/src/media/leg.ts'

export function weriftLegs(bindAddress: string): NewLeg {
  return (events) => new WeriftLeg(bindAddress, events)
}

class WeriftLeg implements MediaLeg {
  audio: LegAudio | undefined
  readonly #connection: RTCPeerConnection
  readonly #events: LegEvents
  #closed = false

  constructor(bindAddress: string, events: LegEvents) {
    this.#events = events
    this.#connection = new RTCPeerConnection({
      iceServers: [],
      iceUseIpv4: false,
      iceUseIpv6: false,
      iceAdditionalHostAddresses: [bindAddress],
      codecs: {
        audio: [
          new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType: OPUS }),
          new RTCRtpCodecParameters({
            mimeType: 'audio/telephone-event',
            clockRate: 8000,
            payloadType: TELEPHONE_EVENT,
          }),
        ],
        video: [],
      },
      headerExtensions: { audio: [], video: [] },
    })
    this.#connection.connectionStateChange.subscribe((state) => {
      if (this.#closed) return
      if (state === 'connected') events.onConnected()
      else if (state === 'failed' || state === 'closed') events.onLost()
    })
    this.#connection.addTransceiver(new MediaStreamTrack({ kind: 'audio' }), { direction: 'sendrecv' })
  }

  get ssrc(): number {
    return this.#connection.getTransceivers()[0]!.sender.ssrc
  }

  async answer(offer: string): Promise<string> {
    this.#read(offer)
    await this.#connection.setRemoteDescription(new RTCSessionDescription(offer, 'offer'))
    await this.#connection.setLocalDescription(await this.#connection.createAnswer())
    return this.#described()
  }

  async offer(): Promise<string> {
    await this.#connection.setLocalDescription(await this.#connection.createOffer())
    return this.#described()
  }

  /** Its checks begin with the answer; no call waits for Meta here. */
  start(): void {}

  join(answer: string): void {
    this.#read(answer)
    void this.#connection.setRemoteDescription(new RTCSessionDescription(answer, 'answer'))
  }

  send(packet: Buffer): boolean {
    const [transport] = this.#connection.dtlsTransports
    if (this.#closed || this.#connection.connectionState !== 'connected' || !transport) return false
    if (isRtcp(packet)) void transport.sendRtcp(RtcpPacketConverter.deSerialize(packet))
    else {
      const { payload, header } = RtpPacket.deSerialize(packet)
      void transport.sendRtp(payload, header)
    }
    return true
  }

  close(): void {
    this.#closed = true
    void this.#connection.close()
  }

  #read(sdp: string): void {
    const remote = readRemoteAudio(sdp)
    if (typeof remote === 'string') throw new LegError(remote, 'the SDP cannot carry a call')
    this.audio = { opus: remote.opus, telephoneEvent: remote.telephoneEvent }
  }

  #described(): string {
    const [transport] = this.#connection.dtlsTransports
    transport!.onRtp.subscribe((packet) => {
      if (!this.#closed) this.#events.onPacket(packet.serialize())
    })
    return this.#connection.localDescription!.sdp
  }
}
