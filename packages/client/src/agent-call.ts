import type { AgentRequest, ServerMessage } from '@hairpin/protocol'
import type { AgentCallEnd, AgentCallState, AgentEndReason, AgentMediaState, Caller } from './agent-call-state.ts'
import { AgentPath } from './agent-path.ts'
import { Emitter } from './emitter.ts'
import { HairpinError } from './errors.ts'
import { stopMedia, switchTrack } from './media.ts'
import { CallStats } from './stats.ts'
import type { Timers } from './timers.ts'

export type AgentSignal = Exclude<AgentRequest, { type: 'call-permission' }>

export interface AgentCallEvents {
  state: [AgentCallState]
  /** Mute, hold, hand-over, microphone or the media's state changed. */
  change: []
  'remote-stream': [MediaStream]
  /** The other agent does not take it over: it stays here. */
  'transfer-declined': []
  ended: [AgentCallEnd]
  signal: [AgentSignal]
}

export interface AgentCallOptions {
  readonly state: AgentCallState
  readonly direction: 'user' | 'business'
  readonly caller: Caller
  /** Undefined: the server has not named it yet. */
  readonly id?: string
  readonly transferredBy?: string
  /** In direct mode: the customer's offer. */
  readonly offer?: string
  /** The browser talks with the customer's phone itself: nothing can be negotiated twice. */
  readonly direct: boolean
  readonly answeredAt?: number
  readonly held?: boolean
  readonly createPeer: () => RTCPeerConnection
  /** Whether this device has no call. */
  readonly isFree: () => boolean
  /** Whether there is a server to negotiate with. */
  readonly isOnline: () => boolean
  readonly timers: Timers
}

type CallStateMessage = Extract<ServerMessage, { type: 'call-state' }>

/**
 * A call between a customer and this agent. Messages come in through `handle…`, go out as `signal` events. It owns its peer
 * connections and stops the tracks it was given when it ends.
 */
export class AgentCall extends Emitter<AgentCallEvents> {
  readonly direction: 'user' | 'business'
  readonly transferredBy: string | undefined
  readonly stats: CallStats
  readonly #options: AgentCallOptions
  readonly #path: AgentPath
  #id: string | undefined
  #caller: Caller
  #state: AgentCallState
  #answeredAt: number | undefined
  #held: boolean
  #muted = false
  #transferringTo: string | undefined
  #end: AgentCallEnd | undefined
  /** Of the page before this one, until `rejoin`. */
  #restoring: boolean
  #localStream: MediaStream | undefined
  #remoteStream: MediaStream | undefined

  constructor(options: AgentCallOptions) {
    super()
    this.#options = options
    this.#id = options.id
    this.#caller = options.caller
    this.#state = options.state
    this.#answeredAt = options.answeredAt
    this.#held = options.held ?? false
    this.direction = options.direction
    this.transferredBy = options.transferredBy
    this.#restoring = options.id !== undefined && options.state !== 'incoming'
    this.#path = this.#newPath()
    this.stats = new CallStats({
      getStats: async () => (await this.#path.leg?.getStats()) ?? new Map(),
      timers: options.timers,
    })
  }

  /** Undefined until the server has named a call that is being made. */
  get id(): string | undefined {
    return this.#id
  }
  get caller(): Caller {
    return this.#caller
  }
  get state(): AgentCallState {
    return this.#state
  }
  get media(): AgentMediaState {
    return this.#path.media
  }
  /** Milliseconds since 1970, by the server's clock. */
  get answeredAt(): number | undefined {
    return this.#answeredAt
  }
  get held(): boolean {
    return this.#held
  }
  get muted(): boolean {
    return this.#muted
  }
  /** The agent who is asked to take it over. */
  get transferringTo(): string | undefined {
    return this.#transferringTo
  }
  /** It waits for `rejoin`. */
  get restoring(): boolean {
    return this.#restoring
  }
  get end(): AgentCallEnd | undefined {
    return this.#end
  }
  get localStream(): MediaStream | undefined {
    return this.#localStream
  }
  get remoteStream(): MediaStream | undefined {
    return this.#remoteStream
  }
  get peerConnection(): RTCPeerConnection | undefined {
    return this.#path.leg?.peer
  }
  /** Digits can be sent now: the path stands and the other side takes them. */
  get canDial(): boolean {
    return this.#path.leg?.sender?.dtmf?.canInsertDTMF ?? false
  }

  /** Takes a call that rings here. Without a stream the agent only listens. @throws HairpinError */
  async take(stream?: MediaStream): Promise<void> {
    if (this.#state !== 'incoming') return stopMedia(stream)
    if (!this.#options.isFree()) throw new HairpinError('ALREADY_IN_CALL')
    this.#use(stream)
    this.#setState('taking')
    const { offer } = this.#options
    if (offer === undefined) return this.#path.connect()
    const sdp = await this.#path.answer(offer)
    if (sdp !== undefined) this.#signal((callId) => ({ type: 'browser-answer', callId, sdp }))
  }

  /** Leaves a call that rings here to the others. */
  decline(): void {
    if (this.#state !== 'incoming') return
    this.#signal((callId) => ({ type: 'call-decline', callId }))
    this.#finish({ reason: 'declined', by: 'local' })
  }

  /** Makes the call, which has no id yet. */
  async dial(number: string, stream?: MediaStream): Promise<void> {
    this.#use(stream)
    if (!this.#options.direct) {
      this.emit('signal', { type: 'call-dial', number })
      return
    }
    const sdp = await this.#path.offer()
    if (sdp !== undefined) this.emit('signal', { type: 'call-dial', number, sdp })
  }

  /** Goes on here with the call of the page before this one, or of another device of this agent. In direct mode nobody can. */
  async rejoin(stream?: MediaStream): Promise<void> {
    if (!this.#restoring || this.#state === 'ended') return stopMedia(stream)
    this.#restoring = false
    this.#use(stream)
    if (this.#options.direct) this.#leave('connection-lost')
    else await this.#path.connect()
  }

  hangUp(): void {
    if (this.#state === 'incoming') this.decline()
    else this.#leave('agent-hung-up')
  }

  setMuted(muted: boolean): void {
    this.#muted = muted
    this.#applyMedia()
  }

  /** The customer hears silence and the agent nothing, until it is taken back. */
  setHeld(held: boolean): void {
    if (held === this.#held || this.#state === 'ended') return
    this.#held = held
    if (!this.#options.direct) this.#signal((callId) => ({ type: 'call-hold', callId, held }))
    this.#applyMedia()
  }

  /**
   * Sends digits (RFC 4733), after those that are still being sent.
   * @param tones of `0-9 A-D # *`; a comma pauses for two seconds
   * @returns false when none can be sent now
   */
  dtmf(tones: string): boolean {
    const dtmf = this.#path.leg?.sender?.dtmf
    if (!dtmf?.canInsertDTMF || !/^[\dA-D#*,]+$/i.test(tones)) return false
    dtmf.insertDTMF(dtmf.toneBuffer + tones)
    return true
  }

  /** Hands the call over: it rings at that agent, and stays here until the other one takes it. */
  transfer(to: string): void {
    if (this.#state === 'ended') return
    this.#transferringTo = to
    this.#signal((callId) => ({ type: 'call-transfer', callId, to }))
    this.emit('change')
  }

  /** Ends a hand-over that nobody has answered yet. */
  keep(): void {
    if (this.#transferringTo === undefined) return
    this.#transferringTo = undefined
    this.#signal((callId) => ({ type: 'call-keep', callId }))
    this.emit('change')
  }

  /** Speaks through another microphone, or none. */
  async switchMicrophone(track?: MediaStreamTrack): Promise<void> {
    if (this.#state === 'ended') return track?.stop()
    this.#localStream ??= new MediaStream()
    const { leg } = this.#path
    await switchTrack(leg ? [leg.peer] : [], this.#localStream, 'audio', track)
    this.#applyMedia()
  }

  handleState(message: CallStateMessage): void {
    if (this.#state === 'ended') return
    const named = this.#id === undefined
    this.#id = message.callId
    this.#answeredAt = message.answeredAt ?? this.#answeredAt
    const { callerName: name = this.#caller.name, callerNumber: number = this.#caller.number } = message
    this.#caller = { ...(name === undefined ? {} : { name }), ...(number === undefined ? {} : { number }) }
    if (message.resumed && message.held !== this.#held) {
      this.#held = message.held
      this.#applyMedia()
    }
    this.#setState(message.state)
    // In a direct call the offer went out with the number.
    if (named && !this.#options.direct) void this.#path.connect()
    this.emit('change')
  }

  handleAnswer(sdp: string): Promise<void> {
    return this.#path.handleAnswer(sdp)
  }

  /** There is a server again. */
  handleOnline(): void {
    this.#path.handleOnline()
  }

  /** The session is over; a call that it has named waits for the next one. */
  handleSessionLost(): void {
    this.#path.handleSessionLost()
    if (this.#id === undefined || this.#state === 'incoming') this.handleLost()
  }

  handleTransferDeclined(): void {
    if (this.#transferringTo === undefined) return
    this.#transferringTo = undefined
    this.emit('transfer-declined')
    this.emit('change')
  }

  /** A message about this call had no effect. */
  handleRefused(about: string, code: string, text: string): void {
    if (about === 'call-transfer') this.handleTransferDeclined()
    else if (about === 'call-hold') {
      this.#held = false
      this.#applyMedia()
    } else if (about !== 'call-keep' && about !== 'call-over' && about !== 'call-decline')
      this.#finish({ reason: 'refused', by: 'remote', code, text })
  }

  handleEnded(end: Omit<AgentCallEnd, 'by'>): void {
    this.#finish({ ...end, by: 'remote' })
  }

  /** It is over, as far as this side can tell. */
  handleLost(): void {
    this.#finish({ reason: 'connection-lost', by: 'local' })
  }

  #newPath(): AgentPath {
    const path = new AgentPath(this.#options)
    path.on('offer', (sdp) => this.#signal((callId) => ({ type: 'browser-offer', callId, sdp })))
    path.on('failed', (reason) => this.#leave(reason))
    path.on('stream', (stream) => {
      this.#remoteStream = stream
      this.#applyMedia()
      this.emit('remote-stream', stream)
    })
    path.on('media', (media) => {
      if (media === 'connected') this.stats.start()
      this.emit('change')
    })
    return path
  }

  #use(stream: MediaStream | undefined): void {
    this.#localStream = stream
    this.#path.use(stream)
    this.#applyMedia()
  }

  #applyMedia(): void {
    for (const track of this.#localStream?.getTracks() ?? []) track.enabled = !this.#muted && !this.#held
    for (const track of this.#remoteStream?.getTracks() ?? []) track.enabled = !this.#held
    this.emit('change')
  }

  #leave(reason: AgentEndReason): void {
    if (this.#state === 'ended') return
    this.#signal((callId) => ({ type: 'call-over', callId }))
    this.#finish({ reason, by: 'local' })
  }

  #signal(make: (callId: string) => AgentSignal): void {
    if (this.#id !== undefined && this.#state !== 'ended') this.emit('signal', make(this.#id))
  }

  #finish(end: AgentCallEnd): void {
    if (this.#state === 'ended') return
    this.#end = end
    this.#transferringTo = undefined
    this.stats.stop()
    this.#path.close()
    stopMedia(this.#localStream)
    this.#setState('ended')
    this.emit('ended', end)
  }

  #setState(state: AgentCallState): void {
    if (this.#state === state) return
    this.#state = state
    this.emit('state', state)
  }
}
