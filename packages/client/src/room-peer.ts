import type { ClientMessage } from '@hairpin/protocol'
import { Emitter } from './emitter.ts'
import { PeerLink } from './peer-link.ts'
import { wholeCandidate } from './sdp.ts'
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
  readonly #link: PeerLink
  readonly #timer: Timer
  #state: RoomPeerState = 'connecting'
  #muted = false
  #cameraOff = false

  constructor({ id, name, offers, stream, createPeer, timers }: RoomPeerOptions) {
    super()
    this.id = id
    this.name = name
    this.#timer = new Timer(timers)
    const link = new PeerLink(createPeer(), !offers, stream)
    this.#link = link
    link.on('description', ({ type, sdp = '' }) => {
      if (type === 'offer' || type === 'answer') this.emit('signal', { sdp: { type, sdp } })
    })
    link.on('candidate', (candidate) => this.emit('signal', { candidate: wholeCandidate(candidate) }))
    link.on('failed', () => this.#setState('failed'))
    link.on('connection', (state) => this.#follow(state))
    link.on('stream', () => this.emit('media'))
    this.#timer.set(connectTimeout, () => this.#setState('failed'))
    if (offers) link.offer()
  }

  get peerConnection(): RTCPeerConnection {
    return this.#link.peer
  }
  get state(): RoomPeerState {
    return this.#state
  }
  get stream(): MediaStream | undefined {
    return this.#link.remoteStream
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
    if (sdp) void this.#link.handleDescription(sdp)
    if (candidate) void this.#link.handleCandidate(candidate as RTCIceCandidateInit)
    if (!mute) return
    this.#muted = mute.audio
    this.#cameraOff = mute.video
    this.emit('media')
  }

  /** Looks for a path anew if the present one is in doubt. */
  checkPath(): void {
    if (this.#link.isShaky) this.#link.peer.restartIce()
  }

  close(): void {
    this.#timer.clear()
    this.#link.close()
    this.#setState('closed')
  }

  #follow(connection: RTCPeerConnectionState): void {
    if (connection === 'connected') {
      this.#timer.clear()
      this.#setState('connected')
    } else if (connection === 'failed' || connection === 'disconnected') {
      if (this.#state === 'connected') this.#setState('reconnecting')
      this.#timer.set(connection === 'failed' ? 0 : restartDelay, () => {
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
