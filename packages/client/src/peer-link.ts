import { Emitter } from './emitter.ts'
import { offerMedia } from './media.ts'
import { Negotiator, type NegotiatorEvents } from './negotiator.ts'

export interface PeerLinkEvents extends NegotiatorEvents {
  connection: [RTCPeerConnectionState]
  /** Tracks of the other side came. */
  stream: [MediaStream]
}

/** One peer connection with its negotiation, for one local stream: what a call and a member of a room have in common. */
export class PeerLink extends Emitter<PeerLinkEvents> {
  readonly peer: RTCPeerConnection
  readonly polite: boolean
  readonly #negotiator: Negotiator
  readonly #stream: MediaStream | undefined
  #attached = false
  #remoteStream: MediaStream | undefined

  /** @param polite of two offers that cross, this side's gives way */
  constructor(peer: RTCPeerConnection, polite: boolean, stream: MediaStream | undefined) {
    super()
    this.peer = peer
    this.polite = polite
    this.#stream = stream
    this.#negotiator = new Negotiator(peer, polite)
    this.#negotiator.on('description', (sdp) => this.emit('description', sdp))
    this.#negotiator.on('candidate', (candidate) => this.emit('candidate', candidate))
    this.#negotiator.on('failed', (error) => this.emit('failed', error))
    peer.onconnectionstatechange = () => this.emit('connection', peer.connectionState)
    peer.ontrack = ({ track, streams }) => {
      this.#remoteStream = streams[0] ?? new MediaStream([...(this.#remoteStream?.getTracks() ?? []), track])
      this.emit('stream', this.#remoteStream)
    }
  }

  get remoteStream(): MediaStream | undefined {
    return this.#remoteStream
  }

  /** The path is in doubt. */
  get isShaky(): boolean {
    return this.peer.iceConnectionState === 'disconnected' || this.peer.iceConnectionState === 'failed'
  }

  /** Makes the first offer. What the stream does not have is received only. */
  offer(): void {
    this.#attached = true
    offerMedia(this.peer, this.#stream)
  }

  /** Takes an offer or answer of the other side. The first offer that is answered here gets the stream in the answer. */
  handleDescription(description: RTCSessionDescriptionInit): Promise<void> {
    return this.#negotiator.handleDescription(description, () => {
      if (this.#attached) return
      this.#attached = true
      for (const track of this.#stream?.getTracks() ?? []) this.peer.addTrack(track, this.#stream as MediaStream)
    })
  }

  handleCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    return this.#negotiator.handleCandidate(candidate)
  }

  close(): void {
    this.#negotiator.close()
    this.peer.onconnectionstatechange = null
    this.peer.ontrack = null
    this.peer.close()
  }
}

export function configurationFor(iceServers: readonly RTCIceServer[], relayOnly: boolean): RTCConfiguration {
  return {
    iceServers: [...iceServers],
    iceTransportPolicy: relayOnly ? 'relay' : 'all',
    bundlePolicy: 'max-bundle',
  }
}
