import { CallMedia } from './call-media.ts'
import type { CallEvents, CallOptions, CallSignal } from './call-options.ts'
import type { CallEnd, CallEndReason, CallState } from './call-state.ts'
import { Emitter } from './emitter.ts'
import { switchTrack } from './media.ts'
import type { StatsReport } from './pair.ts'
import { configurationFor, PeerLink } from './peer-link.ts'
import { sdpSession, sendsVideo, wholeCandidate } from './sdp.ts'
import { CallStats } from './stats.ts'
import { systemTimers, Timer, type Timers } from './timers.ts'

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
  readonly #timers: Timers
  readonly #media: CallMedia
  readonly #deadline: Timer
  readonly #restart: Timer
  #state: CallState
  #end: CallEnd | undefined
  #detached = false
  /** Of the page before: nothing of the other side counts until it answers this page's offer or makes a fresh one. */
  #restoring = false
  #remoteSession: string | undefined
  #connectedAt: number | undefined
  #link: PeerLink | undefined
  /** The other side's, that no peer connection has taken yet. */
  #offer: RTCSessionDescriptionInit | undefined
  #candidates: RTCIceCandidateInit[] = []

  constructor(options: CallOptions) {
    super()
    const timers = options.timers ?? systemTimers
    this.#options = options
    this.#timers = timers
    this.#media = new CallMedia(!options.restored)
    this.peer = options.peer
    this.direction = options.direction
    const { restored } = options
    this.#deadline = new Timer(timers)
    this.#restart = new Timer(timers)
    if (restored) {
      this.#restoring = true
      this.#remoteSession = restored.remoteSession
      this.#state = restored.state === 'ringing' ? 'ringing' : 'reconnecting'
      if (restored.state === 'connected') this.#connectedAt = restored.connectedAt ?? timers.now()
      // Whoever is to give the camera may not be there.
      this.#deadline.set(options.ringTimeout ?? 70_000, () => this.#leave('connection-lost'))
    } else this.#state = options.direction === 'incoming' ? 'incoming' : 'calling'
    this.stats = new CallStats({
      getStats: async () => ((await this.#link?.peer.getStats()) ?? new Map()) as unknown as StatsReport,
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
    return this.#link?.peer
  }
  get localStream(): MediaStream | undefined {
    return this.#media.stream
  }
  get remoteStream(): MediaStream | undefined {
    return this.#link?.remoteStream
  }
  /** The other side's invitation comes with a picture. */
  get offersVideo(): boolean {
    return sendsVideo(this.#offer)
  }
  get muted(): boolean {
    return this.#media.muted
  }
  get cameraOff(): boolean {
    return this.#media.cameraOff
  }
  /** The other side says that it sends no sound. */
  get remoteMuted(): boolean {
    return this.#media.remoteMuted
  }
  /** The other side says that it sends no picture. */
  get remoteCameraOff(): boolean {
    return this.#media.remoteCameraOff
  }
  /** This side has put the other one on hold: it sends nothing and plays nothing. */
  get held(): boolean {
    return this.#media.held
  }
  /** The other side has put this one on hold. */
  get remoteHeld(): boolean {
    return this.#media.remoteHeld
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
    if (this.#state !== 'calling' || this.#link) return
    const link = this.#open(stream, false)
    this.#deadline.set(this.#options.ringTimeout ?? 70_000, () => this.#leave('no-answer'))
    link.offer()
  }

  /** Goes on with a call of the page before this one, over a peer connection of its own. */
  async rejoin(stream?: MediaStream): Promise<void> {
    if (!this.#restoring || this.#link || this.#state === 'ended') return
    if (this.#state !== 'ringing')
      this.#deadline.set(this.#options.connectTimeout ?? 30_000, () => this.#leave('connection-lost'))
    const link = this.#open(stream, this.direction === 'incoming')
    if (!this.#offer) return link.offer()
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
    this.#media.muted = muted
    this.#applyMedia()
  }

  setCameraOff(off: boolean): void {
    this.#media.cameraOff = off
    this.#applyMedia()
  }

  /** Sends another camera, microphone or screen, or nothing of that kind. */
  async switchTrack(kind: 'audio' | 'video', track?: MediaStreamTrack): Promise<void> {
    if (this.#state === 'ended') return track?.stop()
    this.#media.stream ??= new MediaStream()
    await switchTrack(this.#link ? [this.#link.peer] : [], this.#media.stream, kind, track)
    this.#applyMedia()
  }

  /** Puts the other side on hold, or takes it back. */
  setHeld(held: boolean): void {
    this.#media.held = held
    for (const track of this.remoteStream?.getTracks() ?? []) track.enabled = !held
    this.#applyMedia()
  }

  /** Fresh credentials: used for the next gathering, and for refreshing nothing that stands. */
  refreshIceServers(): void {
    if (this.#state !== 'ended') this.#link?.peer.setConfiguration(this.#configuration())
  }

  /** Looks for a path anew, for example after a change of network. */
  restartIce(): void {
    const pc = this.#link?.peer
    if (pc?.remoteDescription && !this.#detached && this.#state !== 'ended') pc.restartIce()
  }

  /** Looks for a path anew if the present one is in doubt and no offer of this side is on its way. */
  checkPath(): void {
    if (this.#link?.isShaky && this.#link.peer.signalingState === 'stable') this.restartIce()
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
      if (sdpSession(sdp) === this.#remoteSession || (this.#link && !this.#link.polite)) return
      this.#offer = sdp
      if (!this.#link) return
      this.#restoring = false
      await this.#replacePeer(sdp)
    } else if (this.#isCalling()) {
      // Not by rollback: Chromium does not gather again for a transport that it rolled back while gathering.
      this.#link?.close()
      this.#open(this.localStream, true)
      this.#connecting()
      await this.#answer(sdp)
    } else if (this.#remoteSession !== undefined && sdpSession(sdp) !== this.#remoteSession)
      await this.#replacePeer(sdp)
    else await this.#link?.handleDescription(sdp)
  }

  async handleAnswer(sdp: RTCSessionDescriptionInit): Promise<void> {
    if (this.#isCalling()) this.#connecting()
    // An answer to the page before.
    if (this.#restoring && !this.#link) return
    this.#restoring = false
    this.#note(sdp)
    await this.#link?.handleDescription(sdp)
  }

  async handleCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    if (this.#restoring && !this.#offer) return
    if (this.#link) await this.#link.handleCandidate(candidate)
    else this.#candidates.push(candidate)
  }

  handleMute({ audio, video }: { readonly audio: boolean; readonly video: boolean }): void {
    this.#media.remoteMuted = audio
    this.#media.remoteCameraOff = video
    this.emit('media')
  }

  handleHold(held: boolean): void {
    this.#media.remoteHeld = held
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

  #open(stream: MediaStream | undefined, polite: boolean): PeerLink {
    const link = new PeerLink(this.#options.createPeer(this.#configuration()), polite, stream)
    const target = this.peer
    this.#link = link
    this.#media.stream = stream
    this.#applyMedia()
    link.on('description', ({ type, sdp = '' }) => {
      if (type === 'offer') this.#send({ type: 'video-offer', target, sdp: { type, sdp }, ...this.#invitation() })
      else this.#send({ type: 'video-answer', target, sdp: { type: 'answer', sdp } })
    })
    link.on('candidate', (candidate) => {
      this.#send({ type: 'new-ice-candidate', target, candidate: wholeCandidate(candidate) })
    })
    link.on('failed', () => this.#leave('negotiation-failed'))
    link.on('connection', (state) => this.#follow(state))
    link.on('stream', (remote) => this.emit('remote-stream', remote))
    return link
  }

  /** What a push, or the list of missed calls, may say of a call that begins. */
  #invitation(): { media?: 'audio' | 'video' } {
    if (!this.#isCalling()) return {}
    return { media: this.localStream?.getVideoTracks().length ? 'video' : 'audio' }
  }

  /** The other side's page was loaded anew: its peer connection is another one, and so has to be this side's. */
  async #replacePeer(offer: RTCSessionDescriptionInit): Promise<void> {
    const polite = this.#link?.polite ?? false
    this.#link?.close()
    this.#candidates = []
    this.#media.forgotten()
    this.#open(this.localStream, polite)
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
    const applied = this.#link?.handleDescription(offer)
    for (const candidate of this.#candidates.splice(0)) void this.#link?.handleCandidate(candidate)
    await applied
  }

  #configuration(): RTCConfiguration {
    return configurationFor(this.#options.iceServers(), this.relayOnly)
  }

  #connecting(): void {
    this.#setState('connecting')
    this.#deadline.set(this.#options.connectTimeout ?? 30_000, () => this.#leave('connect-failed'))
  }

  #follow(connection: RTCPeerConnectionState): void {
    switch (connection) {
      case 'connected':
        this.#deadline.clear()
        this.#restart.clear()
        if (this.#connectedAt === undefined) {
          this.#connectedAt = this.#timers.now()
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
    this.#media.apply()
    this.#tellMedia()
    this.emit('media')
  }

  /** The server passes it on once the call was answered; a path that stands is proof of that. */
  #tellMedia(): void {
    if (this.#connectedAt === undefined || this.#state === 'ended') return
    for (const signal of this.#media.news()) this.#send(signal)
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
    this.#link?.close()
    this.#media.stop()
    this.#setState('ended')
    this.emit('ended', this.#end)
  }

  #setState(state: CallState): void {
    if (this.#state === state) return
    this.#state = state
    this.emit('state', state)
  }
}
