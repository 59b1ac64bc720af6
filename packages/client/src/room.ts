import type { ClientMessage, ServerMessage } from '@hairpin/protocol'
import { Emitter } from './emitter.ts'
import { stopMedia, switchTrack } from './media.ts'
import { RoomPeer } from './room-peer.ts'
import { systemTimers, type Timers } from './timers.ts'

/** joining ──▶ joined ──▶ joining (the session was lost) …   any ──▶ left */
export type RoomState = 'joining' | 'joined' | 'left'

export interface RoomEvents {
  state: [RoomState]
  /** Somebody came or went, or something about a member changed: what `members` gives. */
  members: []
  /** Mute, camera or the local stream changed. */
  media: []
  /** It is over: `left` by this side, or the code of the server's error. */
  left: [{ readonly code: string }]
  signal: [RoomMessage]
}

export type RoomMessage = Extract<ClientMessage, { type: 'room-join' | 'room-leave' | 'room-signal' }>

export interface RoomOptions {
  readonly name: string
  readonly stream?: MediaStream
  /** Makes a peer connection with the present relay credentials. */
  readonly createPeer: () => RTCPeerConnection
  readonly timers?: Timers
}

/**
 * A room as this member sees it: a peer connection to each of the others. Messages come in through `handle`, go out as
 * `signal` events. The tracks of `stream` are the room's: it stops them when it is left.
 */
export class Room extends Emitter<RoomEvents> {
  readonly name: string
  readonly #options: RoomOptions
  readonly #peers = new Map<string, RoomPeer>()
  #state: RoomState = 'joining'
  #you: string | undefined
  #localStream: MediaStream | undefined
  #muted = false
  #cameraOff = false

  constructor(options: RoomOptions) {
    super()
    this.#options = options
    this.name = options.name
    this.#localStream = options.stream
  }

  get state(): RoomState {
    return this.#state
  }
  /** This side's own id in the room. */
  get you(): string | undefined {
    return this.#you
  }
  /** The others, in order of arrival. */
  get members(): readonly RoomPeer[] {
    return [...this.#peers.values()]
  }
  get localStream(): MediaStream | undefined {
    return this.#localStream
  }
  get muted(): boolean {
    return this.#muted
  }
  get cameraOff(): boolean {
    return this.#cameraOff
  }

  /** Enters, or enters again after the session was lost. */
  enter(): void {
    if (this.#state === 'left') return
    this.#clear()
    this.#setState('joining')
    this.emit('signal', { type: 'room-join', room: this.name })
  }

  leave(): void {
    if (this.#state === 'left') return
    this.emit('signal', { type: 'room-leave', room: this.name })
    this.#end('left')
  }

  setMuted(muted: boolean): void {
    this.#muted = muted
    for (const track of this.localStream?.getAudioTracks() ?? []) track.enabled = !muted
    this.#tellAll()
  }

  setCameraOff(off: boolean): void {
    this.#cameraOff = off
    for (const track of this.localStream?.getVideoTracks() ?? []) track.enabled = !off
    this.#tellAll()
  }

  /** Sends another camera, microphone or screen to everyone, or nothing of that kind. */
  async switchTrack(kind: 'audio' | 'video', track?: MediaStreamTrack): Promise<void> {
    if (this.#state === 'left') return track?.stop()
    this.#localStream ??= new MediaStream()
    const peers = this.members.map(({ peerConnection }) => peerConnection)
    await switchTrack(peers, this.#localStream, kind, track)
    if (track) track.enabled = kind === 'audio' ? !this.#muted : !this.#cameraOff
    this.#tellAll()
  }

  /** The network may have changed. */
  checkPaths(): void {
    for (const peer of this.#peers.values()) peer.checkPath()
  }

  handle(message: ServerMessage): void {
    if (this.#state === 'left') return
    if (message.type === 'error') {
      if (message.about === 'room-join') this.#end(message.code)
    } else if (!('room' in message) || message.room !== this.name) return
    else if (message.type === 'room-joined') {
      this.#clear()
      this.#you = message.you
      for (const { id, name } of message.members) this.#add(id, name, true)
      this.#setState('joined')
    } else if (message.type === 'room-entered') this.#add(message.id, message.name, false)
    else if (message.type === 'room-left') {
      this.#peers.get(message.id)?.close()
      this.#peers.delete(message.id)
      this.emit('members')
    } else if (message.type === 'room-signal') this.#peers.get(message.id)?.handle(message)
  }

  /** The client is gone from the server for good. */
  handleClosed(): void {
    this.#end('left')
  }

  #add(id: string, name: string, offers: boolean): void {
    const { createPeer, timers = systemTimers } = this.#options
    const stream = this.localStream
    const peer = new RoomPeer({ id, name, offers, stream, createPeer, timers })
    this.#peers.set(id, peer)
    peer.on('signal', (signal) => this.emit('signal', { type: 'room-signal', id, ...signal }))
    peer.on('media', () => this.emit('members'))
    peer.on('state', () => this.emit('members'))
    this.#tell(id)
    this.emit('members')
  }

  #tellAll(): void {
    for (const id of this.#peers.keys()) this.#tell(id)
    this.emit('media')
  }

  #tell(id: string): void {
    const audio = this.#muted || !this.localStream?.getAudioTracks().length
    const video = this.#cameraOff || !this.localStream?.getVideoTracks().length
    this.emit('signal', { type: 'room-signal', id, mute: { audio, video } })
  }

  #clear(): void {
    for (const peer of this.#peers.values()) peer.close()
    this.#peers.clear()
    this.emit('members')
  }

  #end(code: string): void {
    if (this.#state === 'left') return
    this.#setState('left')
    this.#clear()
    stopMedia(this.localStream)
    this.emit('left', { code })
  }

  #setState(state: RoomState): void {
    if (this.#state === state) return
    this.#state = state
    this.emit('state', state)
  }
}
