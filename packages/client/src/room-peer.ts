import type { ClientMessage } from '@hairpin/protocol'
import { Emitter } from './emitter.ts'
import { offerMedia } from './media.ts'
import { Negotiator } from './negotiator.ts'
import { Timer, type Timers } from './timers.ts'

export type RoomSignal = Omit<Extract<ClientMessage, { type: 'room-signal' }>, 'type' | 'id'>

/** connecting ──▶ connected ⇄ reconnecting   any ──▶ failed (no path; a later signal may still mend it), closed */
export type RoomPeerState = 'connecting' | 'connected' | 'reconnecting' | 'failed' | 'closed'

export interface RoomPeerEvents {
  state: [RoomPeerState]
  /** Its stream, or what it says that it does not send. */
  media: []
  signal: [RoomSignal]
}

export interface RoomPeerOptions {
  readonly id: string
  readonly name: string
  /** This side came later: it offers, and its offer stands when two cross. */
  readonly offers: boolean
  readonly stream: MediaStream | undefined
  readonly createPeer: () => RTCPeerConnection
  readonly timers: Timers
}

/** After this long without packets the path is looked for anew. */
const restartDelay = 2_500
const connectTimeout = 30_000

/** One other member of a room, and the peer connection to it. */
export class RoomPeer extends Emitter<RoomPeerEvents> {
  readonly id: string
  readonly name: string
  readonly peerConnection: RTCPeerConnection
  readonly #negotiator: Negotiator
  readonly #stream: MediaStream | undefined
  readonly #timer: Timer
  #attached: boolean
  #state: RoomPeerState = 'connecting'
  #remoteStream: MediaStream | undefined
  #muted = false
  #cameraOff = false

  constructor({ id, name, offers, stream, createPeer, timers }: RoomPeerOptions) {
    super()
    this.id = id
    this.name = name
    this.#stream = stream
    this.#attached = offers
    this.#timer = new Timer(timers)
    const pc = createPeer()
    this.peerConnection = pc
    this.#negotiator = new Negotiator(pc, !offers)
    this.#negotiator.on('description', ({ type, sdp = '' }) => {
      if (type === 'offer' || type === 'answer') this.emit('signal', { sdp: { type, sdp } })
    })
    this.#negotiator.on('candidate', (candidate) => {
      this.emit('signal', { candidate: { candidate: '', ...candidate } })
    })
    this.#negotiator.on('failed', () => this.#setState('failed'))
    pc.onconnectionstatechange = () => this.#follow()
    pc.ontrack = ({ track, streams }) => {
      this.#remoteStream = streams[0] ?? new MediaStream([...(this.#remoteStream?.getTracks() ?? []), track])
      this.emit('media')
    }
    this.#timer.set(connectTimeout, () => this.#setState('failed'))
    if (offers) offerMedia(pc, stream)
  }

  get state(): RoomPeerState {
    return this.#state
  }
  get stream(): MediaStream | undefined {
    return this.#remoteStream
  }
  /** It says that it sends no sound. */
  get muted(): boolean {
    return this.#muted
  }
  /** It says that it sends no picture. */
  get cameraOff(): boolean {
    return this.#cameraOff
  }

  handle({ sdp, candidate, mute }: RoomSignal): void {
    if (sdp)
      void this.#negotiator.handleDescription(sdp, () => {
        if (this.#attached) return
        this.#attached = true
        for (const track of this.#stream?.getTracks() ?? [])
          this.peerConnection.addTrack(track, this.#stream as MediaStream)
      })
    if (candidate) void this.#negotiator.handleCandidate(candidate as RTCIceCandidateInit)
    if (!mute) return
    this.#muted = mute.audio
    this.#cameraOff = mute.video
    this.emit('media')
  }

  /** Looks for a path anew if the present one is in doubt. */
  checkPath(): void {
    const state = this.peerConnection.iceConnectionState
    if (state === 'disconnected' || state === 'failed') this.peerConnection.restartIce()
  }

  close(): void {
    this.#timer.clear()
    this.#negotiator.close()
    this.peerConnection.onconnectionstatechange = null
    this.peerConnection.ontrack = null
    this.peerConnection.close()
    this.#setState('closed')
  }

  #follow(): void {
    const { connectionState } = this.peerConnection
    if (connectionState === 'connected') {
      this.#timer.clear()
      this.#setState('connected')
    } else if (connectionState === 'failed' || connectionState === 'disconnected') {
      if (this.#state === 'connected') this.#setState('reconnecting')
      this.#timer.set(connectionState === 'failed' ? 0 : restartDelay, () => {
        this.#timer.set(connectTimeout, () => this.#setState('failed'))
        this.peerConnection.restartIce()
      })
    }
  }

  #setState(state: RoomPeerState): void {
    if (this.#state === state || this.#state === 'closed') return
    this.#state = state
    this.emit('state', state)
  }
}
