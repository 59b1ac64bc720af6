/**
 * The media of a customer as Meta has it: ICE-lite, so it sends no checks and answers 487 to a peer that does not control;
 * on another stack than the bridge, which is thereby held to the wire and not to itself.
 */
import {
  MediaStreamTrack,
  type Protocol,
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
  /** Payload type of Opus. */
  readonly opus?: number
  /** The DTLS role in an answer: `active` (client), or `passive` (server). */
  readonly setup?: 'active' | 'passive'
  /** The addresses that are bound and offered, as one of each family at Meta's; without them the machine's of IPv4. */
  readonly hosts?: readonly string[]
  /** Keeps packets in `received` and `reports`; false for calls that last. */
  readonly keep?: boolean
}

export interface PhoneEvents {
  readonly onRtp?: (packet: RtpPacket) => void
  readonly onRtcp?: (packet: RtcpPacket) => void
  /** DTLS failed, or the other side closed it. */
  readonly onLost?: () => void
  /** A check of an agent that does not control was answered with 487. */
  readonly onRoleConflict?: () => void
}

export class Phone {
  readonly received: RtpPacket[] = []
  readonly reports: RtcpPacket[] = []
  readonly opus: number
  readonly #options: PhoneOptions
  readonly #connection: RTCPeerConnection
  readonly #listeners: PhoneEvents[] = []
  #sequence = 1000
  #timestamp = 50_000

  constructor(options: PhoneOptions = {}) {
    const { lite = true, opus = 111, hosts } = options
    this.opus = opus
    this.#options = options
    const audio = [
      new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType: opus }),
      new RTCRtpCodecParameters({ mimeType: 'audio/telephone-event', clockRate: 8000, payloadType: 126 }),
    ]
    this.#connection = new RTCPeerConnection({
      iceLite: lite,
      iceServers: [],
      iceUseIpv4: hosts === undefined,
      iceUseIpv6: false,
      iceAdditionalHostAddresses: [...(hosts ?? ['127.0.0.1'])],
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

  on(events: PhoneEvents): void {
    this.#listeners.push(events)
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
    if (this.#options.setup === 'passive') this.#connection.dtlsTransports[0]!.role = 'server'
    await this.#connection.setLocalDescription(await this.#connection.createAnswer())
    return this.#described()
  }

  /** Sends a packet of 20 ms. @param extension ids and values of header extensions that nobody negotiated */
  async say(payload: Buffer, { type = this.opus, extension = false } = {}): Promise<void> {
    this.#timestamp += 960
    await this.send(payload, {
      payloadType: type,
      timestamp: this.#timestamp,
      marker: type === 126,
      ...(extension
        ? { extension: true, extensionProfile: 0xbede, extensions: [{ id: 7, payload: Buffer.from([1, 2]) }] }
        : {}),
    })
  }

  /** Sends a packet with the next sequence number; header fields that are not named are those of speech. */
  async send(payload: Buffer, header: Partial<RtpHeader> = {}): Promise<void> {
    const sequenceNumber = ++this.#sequence & 0xffff
    const own = { payloadType: this.opus, sequenceNumber, timestamp: this.#timestamp >>> 0, ssrc: this.ssrc }
    await this.#connection.dtlsTransports[0]!.sendRtp(payload, new RtpHeader({ ...own, ...header }))
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  #described(): string {
    const [transport] = this.#connection.dtlsTransports
    const keep = this.#options.keep ?? true
    // A lite agent checks nothing: that the other side is gone shows in DTLS alone, when it says so (RFC 8446 section 6.1).
    transport!.onStateChange.subscribe((state) => {
      if (state === 'closed' || state === 'failed') for (const { onLost } of this.#listeners) onLost?.()
    })
    transport!.onRtp.subscribe((packet) => {
      if (keep) this.received.push(packet)
      for (const { onRtp } of this.#listeners) onRtp?.(packet)
    })
    transport!.onRtcp.subscribe((packet) => {
      if (keep) this.reports.push(packet)
      for (const { onRtcp } of this.#listeners) onRtcp?.(packet)
    })
    if (this.#options.lite ?? true) this.#watchRoles()
    return this.#connection.localDescription!.sdp
  }

  /** The stack answers 487 by itself (RFC 8445 section 7.3.1.1: a lite agent never controls) and does not tell. */
  #watchRoles(): void {
    const { protocols } = this.#connection.iceTransports[0]!.connection as unknown as { protocols: readonly Protocol[] }
    for (const protocol of protocols)
      protocol.onRequestReceived.subscribe((message) => {
        if (!message.attributesKeys.includes('ICE-CONTROLLED')) return
        for (const { onRoleConflict } of this.#listeners) onRoleConflict?.()
      })
  }
}
