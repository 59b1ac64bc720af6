import { FakePeer } from './peer.ts'

/** A FakePeer whose candidates are gathered at once, or, where a test says so, when it says so; and that sends digits. */
export class FakeAgentPeer extends FakePeer {
  static hold = false

  iceGatheringState: RTCIceGatheringState = FakeAgentPeer.hold ? 'gathering' : 'complete'
  onicegatheringstatechange: (() => void) | null = null
  readonly dtmf = {
    canInsertDTMF: true,
    toneBuffer: '',
    insertDTMF(tones: string) {
      this.toneBuffer = tones
    },
  }

  static override readonly create = (configuration: RTCConfiguration): RTCPeerConnection =>
    new FakeAgentPeer(configuration) as unknown as RTCPeerConnection

  static get newest(): FakeAgentPeer {
    return FakePeer.last as FakeAgentPeer
  }

  override getTransceivers() {
    for (const { sender } of this.senders) Object.assign(sender, { dtmf: this.dtmf })
    return this.senders
  }

  /** A candidate is there, or, without a word of it, all are. */
  gathered(candidate?: string): void {
    if (candidate === undefined) this.iceGatheringState = 'complete'
    else if (this.localDescription) this.localDescription.sdp += `\r\na=candidate:${candidate}\r\n`
    if (candidate === undefined) this.onicegatheringstatechange?.()
    else this.onicecandidate?.({ candidate })
  }
}
