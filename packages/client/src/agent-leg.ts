import { Emitter } from './emitter.ts'
import type { StatsReport } from './pair.ts'
import { Timer, type Timers } from './timers.ts'

export interface AgentLegEvents {
  /** The peer connection's own `connectionState`. */
  state: [RTCPeerConnectionState]
  stream: [MediaStream]
}

export interface AgentLegOptions {
  readonly peer: RTCPeerConnection
  /** With the microphone; without one the agent only listens. */
  readonly stream: MediaStream | undefined
  readonly timers: Timers
}

/** Milliseconds: no candidate follows a description, so it waits for them, but not for a server that does not answer. */
const gathering = 2_000

/** One peer connection of an agent's call: audio both ways, its description whole. Another try is another leg. */
export class AgentLeg extends Emitter<AgentLegEvents> {
  readonly peer: RTCPeerConnection
  readonly #stream: MediaStream | undefined
  readonly #timer: Timer
  #closed = false

  constructor({ peer, stream, timers }: AgentLegOptions) {
    super()
    this.peer = peer
    this.#stream = stream
    this.#timer = new Timer(timers)
    peer.onconnectionstatechange = () => this.emit('state', peer.connectionState)
    peer.ontrack = ({ track, streams }) => this.emit('stream', streams[0] ?? new MediaStream([track]))
  }

  get sender(): RTCRtpSender | undefined {
    return this.peer.getTransceivers()[0]?.sender
  }

  /** @throws when the engine cannot, or the leg was closed meanwhile */
  async offer(): Promise<string> {
    const [track] = this.#stream?.getAudioTracks() ?? []
    if (track) this.peer.addTrack(track, this.#stream as MediaStream)
    else this.peer.addTransceiver('audio', { direction: 'sendrecv' })
    await this.peer.setLocalDescription()
    return this.#described()
  }

  /** @throws as `offer` */
  async answer(offer: string): Promise<string> {
    await this.peer.setRemoteDescription({ type: 'offer', sdp: offer })
    const [track] = this.#stream?.getAudioTracks() ?? []
    if (track) this.peer.addTrack(track, this.#stream as MediaStream)
    await this.peer.setLocalDescription()
    return this.#described()
  }

  /** Takes the answer to the offer; a second one changes nothing. @throws as `offer` */
  async accept(answer: string): Promise<void> {
    if (this.peer.signalingState === 'have-local-offer')
      await this.peer.setRemoteDescription({ type: 'answer', sdp: answer })
  }

  async getStats(): Promise<StatsReport> {
    return (await this.peer.getStats()) as unknown as StatsReport
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#timer.clear()
    this.peer.onconnectionstatechange = null
    this.peer.onicegatheringstatechange = null
    this.peer.onicecandidate = null
    this.peer.ontrack = null
    this.peer.close()
  }

  /** The description with its candidates: all of them, or after a while those that are there, but one at least. */
  async #described(): Promise<string> {
    const { peer } = this
    await new Promise<void>((resolve) => {
      let late = false
      const look = () => {
        const enough = late && peer.localDescription?.sdp.includes('\na=candidate:')
        if (peer.iceGatheringState !== 'complete' && !enough) return
        peer.onicegatheringstatechange = null
        peer.onicecandidate = null
        this.#timer.clear()
        resolve()
      }
      peer.onicegatheringstatechange = look
      peer.onicecandidate = look
      this.#timer.set(gathering, () => {
        late = true
        look()
      })
      look()
    })
    return peer.localDescription?.sdp ?? ''
  }
}
