/** A browser of an agent, as far as ICE goes: told its servers, and perhaps allowed to use relays alone. */
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RTCSessionDescription, RtpHeader } from 'werift'

export interface BrowserOptions {
  readonly turn?: { readonly url: string; readonly username: string; readonly credential: string }
  readonly relayOnly?: boolean
}

export class Browser {
  readonly heard: Buffer[] = []
  readonly #connection: RTCPeerConnection
  #sequence = 0

  constructor({ turn, relayOnly = false }: BrowserOptions = {}) {
    this.#connection = new RTCPeerConnection({
      iceServers: turn ? [{ urls: turn.url, username: turn.username, credential: turn.credential }] : [],
      iceTransportPolicy: relayOnly ? 'relay' : 'all',
      iceUseIpv4: false,
      iceUseIpv6: false,
      iceAdditionalHostAddresses: ['127.0.0.1'],
      codecs: {
        audio: [
          new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType: 111 }),
        ],
        video: [],
      },
      headerExtensions: { audio: [], video: [] },
    })
  }

  get connected(): boolean {
    return this.#connection.connectionState === 'connected'
  }

  /** Types of the candidates of the pair in use: its own, and the other side's. */
  get pair(): readonly (string | undefined)[] {
    const { nominated } = this.#connection.iceTransports[0]!.connection
    return [nominated?.localCandidate.type, nominated?.remoteCandidate.type]
  }

  async offer(): Promise<string> {
    this.#connection.addTransceiver(new MediaStreamTrack({ kind: 'audio' }), { direction: 'sendrecv' })
    await this.#connection.setLocalDescription(await this.#connection.createOffer())
    this.#connection.dtlsTransports[0]!.onRtp.subscribe(({ payload }) => this.heard.push(payload))
    return this.#connection.localDescription!.sdp
  }

  async join(answer: string): Promise<void> {
    await this.#connection.setRemoteDescription(new RTCSessionDescription(answer, 'answer'))
  }

  async say(payload: Buffer): Promise<void> {
    const { ssrc } = this.#connection.getTransceivers()[0]!.sender
    const header = { payloadType: 111, sequenceNumber: ++this.#sequence, timestamp: this.#sequence * 960, ssrc }
    await this.#connection.dtlsTransports[0]!.sendRtp(payload, new RtpHeader(header))
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}
