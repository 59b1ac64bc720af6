/**
 * An RTCPeerConnection without media: signaling states, implicit descriptions and rollback as webrtc-pc has them, and what
 * was done to it on record.
 */
export class FakePeer {
  static made: FakePeer[] = []

  signalingState: RTCSignalingState = 'stable'
  connectionState: RTCPeerConnectionState = 'new'
  iceConnectionState: RTCIceConnectionState = 'new'
  localDescription: RTCSessionDescriptionInit | null = null
  remoteDescription: RTCSessionDescriptionInit | null = null
  onnegotiationneeded: (() => void) | null = null
  onicecandidate: ((event: { candidate: unknown }) => void) | null = null
  onconnectionstatechange: (() => void) | null = null
  ontrack: ((event: { track: unknown; streams: unknown[] }) => void) | null = null
  configuration: RTCConfiguration
  readonly candidates: RTCIceCandidateInit[] = []
  readonly tracks: unknown[] = []
  readonly transceivers: string[] = []
  readonly senders: FakeTransceiver[] = []
  restarts = 0
  closed = false
  failOn: string | undefined
  #offers = 0

  constructor(configuration: RTCConfiguration) {
    this.configuration = configuration
    FakePeer.made.push(this)
  }

  static readonly create = (configuration: RTCConfiguration): RTCPeerConnection =>
    new FakePeer(configuration) as unknown as RTCPeerConnection

  static get last(): FakePeer {
    return FakePeer.made.at(-1) as FakePeer
  }

  addTrack(track: { kind: string }): void {
    this.tracks.push(track)
    this.senders.push(new FakeTransceiver(track.kind, 'sendrecv', track, () => this.#negotiate()))
    if (this.signalingState === 'stable') this.#negotiate()
  }

  addTransceiver(kind: string): void {
    this.transceivers.push(kind)
    this.senders.push(new FakeTransceiver(kind, 'recvonly', null, () => this.#negotiate()))
    this.#negotiate()
  }

  getTransceivers(): readonly FakeTransceiver[] {
    return this.senders
  }

  restartIce(): void {
    this.restarts++
    this.#negotiate()
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration
  }

  async setLocalDescription(): Promise<void> {
    await Promise.resolve()
    if (this.closed) throw new Error('closed')
    if (this.signalingState === 'have-remote-offer') {
      this.localDescription = { type: 'answer', sdp: 'answer' }
      this.signalingState = 'stable'
    } else {
      this.localDescription = { type: 'offer', sdp: `offer-${++this.#offers}` }
      this.signalingState = 'have-local-offer'
    }
  }

  async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    await Promise.resolve()
    if (this.failOn === description.sdp) throw new Error('bad description')
    this.remoteDescription = description
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable'
  }

  async addIceCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    if (!this.remoteDescription) throw new Error('InvalidStateError')
    if (candidate.candidate === 'stale') throw new Error('OperationError')
    this.candidates.push(candidate)
  }

  async getStats(): Promise<Map<string, unknown>> {
    return new Map()
  }

  close(): void {
    this.closed = true
  }

  /** What the engine would report. */
  connection(state: RTCPeerConnectionState): void {
    this.connectionState = state
    this.iceConnectionState = state === 'connecting' ? 'checking' : state
    this.onconnectionstatechange?.()
  }

  gather(candidate: string): void {
    this.onicecandidate?.({ candidate: { candidate, toJSON: () => ({ candidate, sdpMid: '0', sdpMLineIndex: 0 }) } })
  }

  #queued = false
  #negotiate(): void {
    if (this.#queued) return
    this.#queued = true
    queueMicrotask(() => {
      this.#queued = false
      if (this.signalingState === 'stable' && !this.closed) this.onnegotiationneeded?.()
    })
  }
}

class FakeTransceiver {
  readonly receiver: { readonly track: { readonly kind: string } }
  readonly sender: { track: unknown; replaceTrack(track: unknown): Promise<void> }
  #direction: string
  readonly #negotiate: () => void

  constructor(kind: string, direction: string, track: unknown, negotiate: () => void) {
    this.receiver = { track: { kind } }
    this.#direction = direction
    this.#negotiate = negotiate
    this.sender = {
      track,
      async replaceTrack(next) {
        this.track = next
      },
    }
  }

  get direction(): string {
    return this.#direction
  }
  set direction(direction: string) {
    this.#direction = direction
    this.#negotiate()
  }
}

/** A stream of tracks of these kinds, which remember whether they run. */
export function fakeStream(...kinds: ('audio' | 'video')[]) {
  const tracks = kinds.map((kind) => {
    return {
      kind,
      enabled: true,
      stopped: false,
      stop() {
        this.stopped = true
      },
    }
  })
  const of = (kind: string) => tracks.filter((track) => track.kind === kind)
  const stream = {
    tracks,
    addTrack: (track: (typeof tracks)[number]) => tracks.push(track),
    removeTrack: (track: (typeof tracks)[number]) => tracks.splice(tracks.indexOf(track), 1),
    getTracks: () => [...tracks],
    getAudioTracks: () => of('audio'),
    getVideoTracks: () => of('video'),
  }
  return stream as typeof stream & MediaStream
}
