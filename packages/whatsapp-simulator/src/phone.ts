/**
 * The media of a customer as Meta has it: ICE-lite, so it sends no checks and answers 487 to a peer that does not control;
 * on another stack than the bridge, which is thereby held to the wire and not to itself.
 */
import {
  MediaStreamTrack,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RTCSessionDescription,
  type RtcpPacket,
  RtpHeader,
  type RtpPacket,
} from 'werift'

export interface PhoneOptions {
  /** False: a browser, say an agent's, with full ICE. */
  readonly lite?: boolean
  readonly opus?: number
}

export class Phone {
  readonly received: RtpPacket[] = []
  readonly reports: RtcpPacket[] = []
  readonly opus: number
  readonly #connection: RTCPeerConnection
  #sequence = 1000
  #timestamp = 50_000

  constructor({ lite = true, opus = 111 }: PhoneOptions = {}) {
    this.opus = opus
    const audio = [
      new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType: opus }),
      new RTCRtpCodecParameters({ mimeType: 'audio/telephone-event', clockRate: 8000, payloadType: 126 }),
    ]
    this.#connection = new RTCPeerConnection({
      iceLite: lite,
      iceServers: [],
      iceUseIpv6: false,
      iceAdditionalHostAddresses: ['127.0.0.1'],
      codecs: { audio, video: [] },
      headerExtensions: { audio: [], video: [] },
    })
  }

  get connected(): boolean {
    return this.#connection.connectionState === 'connected'
  }

  get ssrc(): number {
    return this.#connection.getTransceivers()[0]!.sender.ssrc
  }

  /** Whether the other side leads, as it has to towards an ICE-lite agent. */
  get isControlled(): boolean {
    return !this.#connection.iceTransports[0]!.connection.iceControlling
  }

  get dtlsRole(): string {
    return this.#connection.dtlsTransports[0]!.role
  }

  async offer(): Promise<string> {
    this.#connection.addTransceiver(new MediaStreamTrack({ kind: 'audio' }), { direction: 'sendrecv' })
    await this.#connection.setLocalDescription(await this.#connection.createOffer())
    return this.#described()
  }

  async join(answer: string): Promise<void> {
    await this.#connection.setRemoteDescription(new RTCSessionDescription(answer, 'answer'))
  }

  async answer(offer: string): Promise<string> {
    await this.#connection.setRemoteDescription(new RTCSessionDescription(offer, 'offer'))
    const [transceiver] = this.#connection.getTransceivers()
    await transceiver!.sender.replaceTrack(new MediaStreamTrack({ kind: 'audio' }))
    transceiver!.setDirection('sendrecv')
    await this.#connection.setLocalDescription(await this.#connection.createAnswer())
    return this.#described()
  }

  /** Sends a packet of 20 ms. @param extension ids and values of header extensions that nobody negotiated */
  async say(payload: Buffer, { type = this.opus, extension = false } = {}): Promise<void> {
    this.#timestamp += 960
    const header = new RtpHeader({
      payloadType: type,
      sequenceNumber: ++this.#sequence & 0xffff,
      timestamp: this.#timestamp,
      ssrc: this.ssrc,
      marker: type === 126,
      ...(extension
        ? { extension: true, extensionProfile: 0xbede, extensions: [{ id: 7, payload: Buffer.from([1, 2]) }] }
        : {}),
    })
    await this.#connection.dtlsTransports[0]!.sendRtp(payload, header)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  #described(): string {
    const [transport] = this.#connection.dtlsTransports
    transport!.onRtp.subscribe((packet) => this.received.push(packet))
    transport!.onRtcp.subscribe((packet) => this.reports.push(packet))
    return this.#connection.localDescription!.sdp
  }
}

/** Waits for what the network brings. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 15_000
  while (!holds()) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
