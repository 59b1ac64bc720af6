import type { ClientMessage } from '@hairpin/protocol'
import type { CallEnd, CallEndReason, CallState } from './call-state.ts'
import { Emitter } from './emitter.ts'
import { offerMedia, switchTrack } from './media.ts'
import { Negotiator } from './negotiator.ts'
import type { StatsReport } from './pair.ts'
import { CallStats } from './stats.ts'
import { systemTimers, Timer, type Timers } from './timers.ts'

/** What a call asks to have sent to its peer. */
export type CallSignal = Extract<
  ClientMessage,
  { type: 'video-offer' | 'video-answer' | 'new-ice-candidate' | 'hang-up' | 'call-reject' | 'mute' | 'hold' }
>

export interface CallEvents {
  state: [CallState]
  /** Mute, camera, hold or local stream changed, or the other side's mute, camera or hold. */
  media: []
  'remote-stream': [MediaStream]
  ended: [CallEnd]
  /** What a page that is loaded anew has to know changed: `remoteSession` or `connectedAt`. */
  noted: []
  signal: [CallSignal]
}

export interface CallOptions {
  readonly peer: string
  readonly direction: 'outgoing' | 'incoming'
  /** Asked at the moment the peer connection is made. */
  readonly iceServers: () => readonly RTCIceServer[]
  readonly createPeer: (configuration: RTCConfiguration) => RTCPeerConnection
  /**
   * Only candidates of the relay: hides this side's addresses, and proves that the relay works. Chosen once per call: Chromium
   * keeps a direct path that stands, whatever the policy of a later ICE restart says.
   */
  readonly relayOnly?: boolean
  /** A call that a page before this one was in: `rejoin` goes on with it. */
  readonly restored?: {
    readonly state: 'ringing' | 'connected'
    readonly remoteSession?: string
    readonly connectedAt?: number
  }
  /** Milliseconds: a backstop behind the server's own ring time, and how long a path may take to appear or come back. */
  readonly ringTimeout?: number
  readonly connectTimeout?: number
  readonly timers?: Timers
}

/** After this long without packets the path is looked for anew; most interruptions are over sooner. */
const restartDelay = 2_500
const detachedPatience = 6_000

/**
 * One call with one peer. Signals come in through `handle…`, go out as `signal` events; the call knows no socket. It owns its
 * peer connection and stops the tracks it was given when it ends.
 */
export class Call extends Emitter<CallEvents> {
  readonly peer: string
  readonly direction: 'outgoing' | 'incoming'
  readonly stats: CallStats
  readonly #options: CallOptions
  readonly #deadline: Timer
  readonly #restart: Timer
  #state: CallState
  #end: CallEnd | undefined
  #detached = false
  #muted = false
  #cameraOff = false
  #held = false
  #remoteMuted = false
  #remoteHeld = false
  #remoteCameraOff = false
  /** What the other side was told last; undefined: it may hold anything for true. */
  #told: { audio: boolean; video: boolean; held: boolean } | undefined = { audio: false, video: false, held: false }
  #polite = false
  /** Of the page before: nothing of the other side counts until it answers this page's offer or makes a fresh one. */
  #restoring = false
  #remoteSession: string | undefined
  #connectedAt: number | undefined
  #pc: RTCPeerConnection | undefined
  #negotiator: Negotiator | undefined
  #offer: RTCSessionDescriptionInit | undefined
  #candidates: RTCIceCandidateInit[] = []
  #localStream: MediaStream | undefined
  #remoteStream: MediaStream | undefined

  constructor(options: CallOptions) {
    super()
    const timers = options.timers ?? systemTimers
    this.#options = options
    this.peer = options.peer
    this.direction = options.direction
    const { restored } = options
    this.#deadline = new Timer(timers)
    this.#restart = new Timer(timers)
    if (restored) {
      this.#restoring = true
      this.#told = undefined
      this.#remoteSession = restored.remoteSession
      this.#state = restored.state === 'ringing' ? 'ringing' : 'reconnecting'
      if (restored.state === 'connected') this.#connectedAt = restored.connectedAt ?? timers.now()
      // Whoever is to give the camera may not be there.
      this.#deadline.set(options.ringTimeout ?? 70_000, () => this.#leave('connection-lost'))
    } else this.#state = options.direction === 'incoming' ? 'incoming' : 'calling'
    this.stats = new CallStats({
      getStats: async () => ((await this.#pc?.getStats()) ?? new Map()) as unknown as StatsReport,
      timers,
    })
  }

  get state(): CallState {
    return this.#state
  }
  get end(): CallEnd | undefined {
    return this.#end
  }
  /** True once the signaling session that carried the call is gone: media goes on as long as its path stands. */
  get detached(): boolean {
    return this.#detached
  }
  get peerConnection(): RTCPeerConnection | undefined {
    return this.#pc
  }
  get localStream(): MediaStream | undefined {
    return this.#localStream
  }
  get remoteStream(): MediaStream | undefined {
    return this.#remoteStream
  }
  get muted(): boolean {
    return this.#muted
  }
  get cameraOff(): boolean {
    return this.#cameraOff
  }
  /** The other side says that it sends no sound. */
  get remoteMuted(): boolean {
    return this.#remoteMuted
  }
  /** The other side says that it sends no picture. */
  get remoteCameraOff(): boolean {
    return this.#remoteCameraOff
  }
  /** This side has put the other one on hold: it sends nothing and plays nothing. */
  get held(): boolean {
    return this.#held
  }
  /** The other side has put this one on hold. */
  get remoteHeld(): boolean {
    return this.#remoteHeld
  }
  /** Names the other side's present peer connection. */
  get remoteSession(): string | undefined {
    return this.#remoteSession
  }
  get relayOnly(): boolean {
    return this.#options.relayOnly ?? false
  }
  /** Milliseconds by the injected clock, of the first time a path stood. */
  get connectedAt(): number | undefined {
    return this.#connectedAt
  }

  /** Calls the peer. Without a stream, or with a part of one, the missing kinds are received only. */
  start(stream?: MediaStream): void {
    if (this.#state !== 'calling' || this.#pc) return
    const pc = this.#open(stream, false)
    this.#deadline.set(this.#options.ringTimeout ?? 70_000, () => this.#leave('no-answer'))
    offerMedia(pc, stream)
  }

  /** Goes on with a call of the page before this one, over a peer connection of its own. */
  async rejoin(stream?: MediaStream): Promise<void> {
    if (!this.#restoring || this.#pc || this.#state === 'ended') return
    if (this.#state !== 'ringing')
      this.#deadline.set(this.#options.connectTimeout ?? 30_000, () => this.#leave('connection-lost'))
    const pc = this.#open(stream, this.direction === 'incoming')
    if (!this.#offer) return offerMedia(pc, stream)
    // The other side was loaded anew as well, and was faster.
    this.#restoring = false
    await this.#answer(this.#offer)
  }

  /** Takes an incoming call, with what media there is. */
  async accept(stream?: MediaStream): Promise<void> {
    if (this.#state !== 'incoming' || !this.#offer) return
    this.#open(stream, true)
    this.#connecting()
    await this.#answer(this.#offer)
  }

  /** Says no to an incoming call. */
  decline(): void {
    if (this.#state !== 'incoming') return
    this.#send({ type: 'call-reject', target: this.peer })
    this.#finish('rejected', 'local')
  }

  /** Ends the call in whatever state it is. */
  hangUp(): void {
    if (this.#state === 'incoming') this.decline()
    else this.#leave(this.#isCalling() ? 'cancelled' : 'hang-up')
  }

  setMuted(muted: boolean): void {
    this.#muted = muted
    this.#applyMedia()
  }

  setCameraOff(off: boolean): void {
    this.#cameraOff = off
    this.#applyMedia()
  }

  /** Sends another camera, microphone or screen, or nothing of that kind. */
  async switchTrack(kind: 'audio' | 'video', track?: MediaStreamTrack): Promise<void> {
    if (this.#state === 'ended') return track?.stop()
    this.#localStream ??= new MediaStream()
    await switchTrack(this.#pc ? [this.#pc] : [], this.#localStream, kind, track)
    this.#applyMedia()
  }

  /** Puts the other side on hold, or takes it back. */
  setHeld(held: boolean): void {
    this.#held = held
    for (const track of this.#remoteStream?.getTracks() ?? []) track.enabled = !held
    this.#applyMedia()
  }

  /** Fresh credentials: used for the next gathering, and for refreshing nothing that stands. */
  refreshIceServers(): void {
    if (this.#pc && this.#state !== 'ended') this.#pc.setConfiguration(this.#configuration())
  }

  /** Looks for a path anew, for example after a change of network. */
  restartIce(): void {
    if (this.#pc?.remoteDescription && !this.#detached && this.#state !== 'ended') this.#pc.restartIce()
  }

  /** Looks for a path anew if the present one is in doubt and no offer of this side is on its way. */
  checkPath(): void {
    const state = this.#pc?.iceConnectionState
    if ((state === 'disconnected' || state === 'failed') && this.#pc?.signalingState === 'stable') this.restartIce()
  }

  /**
   * The peer's offer: the invitation, a renegotiation, or an invitation that crossed ours. The server takes the first of two
   * crossing invitations, so one that arrives here won: ours gives way, and the wanted call comes about by answering.
   */
  async handleOffer(sdp: RTCSessionDescriptionInit): Promise<void> {
    if (this.#state === 'ended') return
    if (this.#state === 'incoming') {
      if (sdpSession(sdp) !== sdpSession(this.#offer)) this.#candidates = []
      this.#offer = sdp
      return
    }
    if (this.#restoring) {
      // From the peer connection that knew the page before: it is about to make way for another one.
      if (sdpSession(sdp) === this.#remoteSession || (this.#pc && !this.#polite)) return
      this.#offer = sdp
      if (!this.#pc) return
      this.#restoring = false
      await this.#replacePeer(sdp)
    } else if (this.#isCalling()) {
      // Not by rollback: Chromium does not gather again for a transport that it rolled back while gathering.
      this.#closePeer()
      this.#open(this.#localStream, true)
      this.#connecting()
      await this.#answer(sdp)
    } else if (this.#remoteSession !== undefined && sdpSession(sdp) !== this.#remoteSession)
      await this.#replacePeer(sdp)
    else await this.#negotiator?.handleDescription(sdp)
  }

  async handleAnswer(sdp: RTCSessionDescriptionInit): Promise<void> {
    if (this.#isCalling()) this.#connecting()
    // An answer to the page before.
    if (this.#restoring && !this.#pc) return
    this.#restoring = false
    this.#note(sdp)
    await this.#negotiator?.handleDescription(sdp)
  }

  async handleCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    if (this.#restoring && !this.#offer) return
    if (this.#negotiator) await this.#negotiator.handleCandidate(candidate)
    else this.#candidates.push(candidate)
  }

  handleMute({ audio, video }: { readonly audio: boolean; readonly video: boolean }): void {
    this.#remoteMuted = audio
    this.#remoteCameraOff = video
    this.emit('media')
  }

  handleHold(held: boolean): void {
    this.#remoteHeld = held
    this.emit('media')
  }

  handleRinging(): void {
    if (this.#isCalling()) this.#setState('ringing')
  }

  /** None of the peer's devices is connected; one may be soon. */
  handleWaking(): void {
    if (this.#state === 'calling') this.#setState('waking')
  }

  /** The other side, or the server on its behalf, ended the call. */
  handleEnded(reason: CallEndReason): void {
    this.#finish(reason, 'remote')
  }

  /**
   * One side's session at the server is gone, and with it the call's state there: nothing more can be agreed with the peer,
   * but media that flows goes on.
   */
  handleSignalingLost(): void {
    this.#detached = true
    if (this.#connectedAt === undefined) this.#finish('connection-lost', 'local')
  }

  #open(stream: MediaStream | undefined, polite: boolean): RTCPeerConnection {
    const pc = this.#options.createPeer(this.#configuration())
    const negotiator = new Negotiator(pc, polite)
    this.#pc = pc
    this.#polite = polite
    this.#negotiator = negotiator
    this.#localStream = stream
    this.#applyMedia()
    negotiator.on('description', (sdp) => {
      const text = sdp.sdp ?? ''
      if (sdp.type === 'offer')
        this.#send({ type: 'video-offer', target: this.peer, sdp: { type: 'offer', sdp: text } })
      else this.#send({ type: 'video-answer', target: this.peer, sdp: { type: 'answer', sdp: text } })
    })
    negotiator.on('candidate', (candidate) => {
      this.#send({ type: 'new-ice-candidate', target: this.peer, candidate: candidateOf(candidate) })
    })
    negotiator.on('failed', () => this.#leave('negotiation-failed'))
    pc.onconnectionstatechange = () => this.#followConnection()
    pc.ontrack = ({ track, streams }) => {
      this.#remoteStream = streams[0] ?? new MediaStream([...(this.#remoteStream?.getTracks() ?? []), track])
      this.emit('remote-stream', this.#remoteStream)
    }
    return pc
  }

  /** The other side's page was loaded anew: its peer connection is another one, and so has to be this side's. */
  async #replacePeer(offer: RTCSessionDescriptionInit): Promise<void> {
    this.#closePeer()
    this.#candidates = []
    this.#remoteStream = undefined
    // The other side forgot what it was told.
    this.#told = undefined
    this.#open(this.#localStream, this.#polite)
    this.#reconnecting(undefined)
    await this.#answer(offer)
  }

  #note(description: RTCSessionDescriptionInit): void {
    const session = sdpSession(description)
    if (session === undefined || session === this.#remoteSession) return
    this.#remoteSession = session
    this.emit('noted')
  }

  async #answer(offer: RTCSessionDescriptionInit): Promise<void> {
    this.#note(offer)
    const stream = this.#localStream
    const applied = this.#negotiator?.handleDescription(offer, () => {
      for (const track of stream?.getTracks() ?? []) this.#pc?.addTrack(track, stream as MediaStream)
    })
    for (const candidate of this.#candidates.splice(0)) void this.#negotiator?.handleCandidate(candidate)
    await applied
  }

  #configuration(): RTCConfiguration {
    return configurationFor(this.#options.iceServers(), this.relayOnly)
  }

  #connecting(): void {
    this.#setState('connecting')
    this.#deadline.set(this.#options.connectTimeout ?? 30_000, () => this.#leave('connect-failed'))
  }

  #followConnection(): void {
    switch (this.#pc?.connectionState) {
      case 'connected':
        this.#deadline.clear()
        this.#restart.clear()
        if (this.#connectedAt === undefined) {
          this.#connectedAt = (this.#options.timers ?? systemTimers).now()
          this.emit('noted')
        }
        this.stats.start()
        this.#tellMedia()
        this.#setState('connected')
        break
      case 'disconnected':
        if (this.#connectedAt !== undefined) this.#reconnecting(restartDelay)
        break
      case 'failed':
        if (this.#connectedAt === undefined) this.#leave('connect-failed')
        else this.#reconnecting(0)
        break
    }
  }

  /** Without a session no new path can be agreed on: the old one comes back soon or the call is over. */
  #reconnecting(delay: number | undefined): void {
    if (this.#detached && delay === 0) {
      this.#leave('connection-lost')
      return
    }
    if (this.#state !== 'reconnecting') {
      const patience = this.#detached ? detachedPatience : (this.#options.connectTimeout ?? 30_000)
      this.#deadline.set(patience, () => this.#leave('connection-lost'))
      this.#setState('reconnecting')
    }
    if (!this.#detached && delay !== undefined) this.#restart.set(delay, () => this.restartIce())
  }

  #applyMedia(): void {
    for (const track of this.#localStream?.getAudioTracks() ?? []) track.enabled = !this.#muted && !this.#held
    for (const track of this.#localStream?.getVideoTracks() ?? []) track.enabled = !this.#cameraOff && !this.#held
    this.#tellMedia()
    this.emit('media')
  }

  /** The server passes it on once the call was answered; a path that stands is proof of that. */
  #tellMedia(): void {
    if (this.#connectedAt === undefined || this.#state === 'ended') return
    const audio = this.#muted || !this.#localStream?.getAudioTracks().length
    const video = this.#cameraOff || !this.#localStream?.getVideoTracks().length
    const held = this.#held
    const told = this.#told
    this.#told = { audio, video, held }
    if (audio !== told?.audio || video !== told.video) this.#send({ type: 'mute', target: null, audio, video })
    if (held !== told?.held) this.#send({ type: 'hold', target: null, held })
  }

  /** Ends the call and tells the peer. */
  #leave(reason: CallEndReason): void {
    if (this.#state === 'ended') return
    this.#send({ type: 'hang-up', target: this.peer })
    this.#finish(reason, 'local')
  }

  #isCalling(): boolean {
    return this.#state === 'calling' || this.#state === 'waking' || this.#state === 'ringing'
  }

  #send(signal: CallSignal): void {
    if (!this.#detached) this.emit('signal', signal)
  }

  #finish(reason: CallEndReason, by: CallEnd['by']): void {
    if (this.#state === 'ended') return
    this.#end = { reason, by }
    this.#deadline.clear()
    this.#restart.clear()
    this.stats.stop()
    this.#closePeer()
    for (const track of this.#localStream?.getTracks() ?? []) track.stop()
    this.#setState('ended')
    this.emit('ended', this.#end)
  }

  #closePeer(): void {
    this.#negotiator?.close()
    if (!this.#pc) return
    this.#pc.onconnectionstatechange = null
    this.#pc.ontrack = null
    this.#pc.close()
  }

  #setState(state: CallState): void {
    if (this.#state === state) return
    this.#state = state
    this.emit('state', state)
  }
}

export function configurationFor(iceServers: readonly RTCIceServer[], relayOnly: boolean): RTCConfiguration {
  return {
    iceServers: [...iceServers],
    iceTransportPolicy: relayOnly ? 'relay' : 'all',
    bundlePolicy: 'max-bundle',
  }
}

/** The id of the peer connection that made a description: the session id of its `o=` line (RFC 8829 section 5.2.1). */
function sdpSession(description: RTCSessionDescriptionInit | undefined): string | undefined {
  return /^o=\S+ (\S+)/m.exec(description?.sdp ?? '')?.[1]
}

function candidateOf({
  candidate = '',
  sdpMid = null,
  sdpMLineIndex = null,
  usernameFragment = null,
}: RTCIceCandidateInit) {
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment }
}
