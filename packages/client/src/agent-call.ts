import type { ClientMessage, ServerMessage } from '@hairpin/protocol'
import { AgentLeg } from './agent-leg.ts'
import { Emitter } from './emitter.ts'
import { HairpinError } from './errors.ts'
import { stopMedia, switchTrack } from './media.ts'
import { CallStats } from './stats.ts'
import { Timer, type Timers } from './timers.ts'

/**
 * A customer calls: incoming ──take──▶ taking ──▶ connected. The business calls: calling ──▶ ringing ──▶ answered. any ──▶ ended.
 * The words are the server's: `connected` when WhatsApp took the answer, `ringing` and `answered` when it says so of the
 * customer's phone.
 */
export type AgentCallState = 'incoming' | 'taking' | 'calling' | 'ringing' | 'answered' | 'connected' | 'ended'

/** The path between this device and the service; `lost`: it is looked for anew. */
export type AgentMediaState = 'none' | 'connecting' | 'connected' | 'lost'

export type AgentEndReason =
  | Extract<ServerMessage, { type: 'call-ended' }>['reason']
  /** Another agent, or another device of this one, has it. */
  | 'answered-elsewhere'
  /** It rings here no more: it is not handed over after all, or its agent has taken another one. */
  | 'ring-stopped'
  /** Another agent took it over. */
  | 'transferred'
  /** The server, or WhatsApp, said no: `code` and `text` say why. */
  | 'refused'
  /** No path to the service was found, twice. */
  | 'connect-failed'
  /** The path, or the server, was lost and did not come back. */
  | 'connection-lost'
  /** The engine could not make or take a session description. */
  | 'negotiation-failed'

export interface AgentCallEnd {
  readonly reason: AgentEndReason
  readonly by: 'local' | 'remote'
  /** Of a refusal: the server's error code. */
  readonly code?: string
  /** Of a call that failed: a word for it, of docs/WHATSAPP.md. */
  readonly cause?: string
  /** A sentence for a person. */
  readonly text?: string
}

/** Digits with the country's; neither is sure to be known. */
export interface Caller {
  readonly name?: string
  readonly number?: string
}

export type AgentSignal = Extract<
  ClientMessage,
  {
    type:
      | 'browser-offer'
      | 'browser-answer'
      | 'call-decline'
      | 'call-over'
      | 'call-hold'
      | 'call-transfer'
      | 'call-keep'
      | 'call-dial'
  }
>

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

/** Milliseconds that a path may take to appear; after as long again the call is given up. */
const connectTimeout = 15_000
/** After this long without packets the path is looked for anew. */
const lossDelay = 2_500
/** How long the server may be away while the path is lost, and a page that was loaded anew without a microphone. */
const offlinePatience = 30_000
const rejoinPatience = 70_000

/**
 * A call between a customer and this agent. Messages come in through `handle…`, go out as `signal` events. It owns its peer
 * connections and stops the tracks it was given when it ends.
 */
export class AgentCall extends Emitter<AgentCallEvents> {
  readonly direction: 'user' | 'business'
  readonly transferredBy: string | undefined
  readonly stats: CallStats
  readonly #options: AgentCallOptions
  readonly #patience: Timer
  readonly #loss: Timer
  #id: string | undefined
  #caller: Caller
  #state: AgentCallState
  #media: AgentMediaState = 'none'
  #answeredAt: number | undefined
  #held: boolean
  #muted = false
  #transferringTo: string | undefined
  #end: AgentCallEnd | undefined
  #leg: AgentLeg | undefined
  /** The path was lost, or not found, and this is the second try. */
  #retrying = false
  #wasConnected = false
  /** Offers that have had no answer: the answers come in their order, and only the last one is of the present leg. */
  #due = 0
  /** Of the page before this one, until `rejoin`. */
  #restoring: boolean
  #localStream: MediaStream | undefined
  #remoteStream: MediaStream | undefined

  constructor(options: AgentCallOptions) {
    super()
    const { timers } = options
    this.#options = options
    this.#id = options.id
    this.#caller = options.caller
    this.#state = options.state
    this.#answeredAt = options.answeredAt
    this.#held = options.held ?? false
    this.direction = options.direction
    this.transferredBy = options.transferredBy
    this.#patience = new Timer(timers)
    this.#loss = new Timer(timers)
    this.#restoring = options.id !== undefined && options.state !== 'incoming'
    if (this.#restoring) this.#patience.set(rejoinPatience, () => this.#leave('connection-lost'))
    this.stats = new CallStats({ getStats: async () => (await this.#leg?.getStats()) ?? new Map(), timers })
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
    return this.#media
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
    return this.#leg?.peer
  }
  /** Digits can be sent now: the path stands and the other side takes them. */
  get canDial(): boolean {
    return this.#leg?.sender?.dtmf?.canInsertDTMF ?? false
  }

  /** Takes a call that rings here. Without a stream the agent only listens. @throws HairpinError */
  async take(stream?: MediaStream): Promise<void> {
    if (this.#state !== 'incoming') return stopMedia(stream)
    if (!this.#options.isFree()) throw new HairpinError('ALREADY_IN_CALL')
    this.#use(stream)
    this.#setState('taking')
    await this.#connect()
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
    const sdp = await this.#describe((leg) => leg.offer())
    if (sdp !== undefined) this.emit('signal', { type: 'call-dial', number, sdp })
  }

  /** Goes on with the call of the page before this one. */
  async rejoin(stream?: MediaStream): Promise<void> {
    if (!this.#restoring || this.#state === 'ended') return stopMedia(stream)
    this.#restoring = false
    this.#use(stream)
    await this.#connect()
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
    const dtmf = this.#leg?.sender?.dtmf
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
    await switchTrack(this.#leg ? [this.#leg.peer] : [], this.#localStream, 'audio', track)
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
    if (named && !this.#options.direct) void this.#connect()
    else if (message.resumed) this.handleOnline()
    this.emit('change')
  }

  async handleAnswer(sdp: string): Promise<void> {
    const leg = this.#leg
    if (this.#options.direct) {
      if (this.#media !== 'connected') this.#patience.set(connectTimeout, () => this.#mediaLost())
    } else if (this.#answered()) return
    try {
      await leg?.accept(sdp)
    } catch {
      if (leg === this.#leg) this.#leave('negotiation-failed')
    }
  }

  /** There is a server again: what could not be negotiated meanwhile is. */
  handleOnline(): void {
    if (this.#media === 'lost' && this.#due === 0 && !this.#options.direct) void this.#connect()
  }

  /** The session is over, and no offer of it will be answered; the call waits for a while. */
  handleSessionLost(): void {
    this.#due = 0
    // Nobody will ever name it.
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
    if (about === 'browser-offer' && this.#answered()) return
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

  #use(stream: MediaStream | undefined): void {
    this.#localStream = stream
    this.#applyMedia()
  }

  /** A fresh peer connection towards the service, which closes the one it had. */
  async #connect(): Promise<void> {
    const { offer } = this.#options
    this.#patience.set(connectTimeout, () => this.#mediaLost())
    if (offer === undefined) {
      this.#due++
      const sdp = await this.#describe((leg) => leg.offer())
      if (sdp === undefined) this.#due--
      else this.#signal((callId) => ({ type: 'browser-offer', callId, sdp }))
    } else {
      const sdp = await this.#describe((leg) => leg.answer(offer))
      if (sdp !== undefined) this.#signal((callId) => ({ type: 'browser-answer', callId, sdp }))
    }
  }

  /** Counts an offer as answered. True: a later one is under way, and this answer is of no use. */
  #answered(): boolean {
    this.#due = Math.max(0, this.#due - 1)
    return this.#due > 0
  }

  /** Undefined when another leg, or the end of the call, has come between. */
  async #describe(describe: (leg: AgentLeg) => Promise<string>): Promise<string | undefined> {
    let leg: AgentLeg | undefined
    try {
      leg = this.#open()
      const sdp = await describe(leg)
      return leg === this.#leg ? sdp : undefined
    } catch {
      if (leg === this.#leg) this.#leave('negotiation-failed')
      return undefined
    }
  }

  #open(): AgentLeg {
    const { createPeer, timers } = this.#options
    this.#loss.clear()
    this.#leg?.close()
    const leg = new AgentLeg({ peer: createPeer(), stream: this.#localStream, timers })
    this.#leg = leg
    leg.on('state', (state) => this.#follow(state))
    leg.on('stream', (stream) => {
      this.#remoteStream = stream
      this.#applyMedia()
      this.emit('remote-stream', stream)
    })
    this.#setMedia(this.#wasConnected ? 'lost' : 'connecting')
    return leg
  }

  #follow(state: RTCPeerConnectionState): void {
    if (state === 'connected') {
      this.#patience.clear()
      this.#loss.clear()
      this.#retrying = false
      this.#wasConnected = true
      this.stats.start()
      this.#setMedia('connected')
    } else if (state === 'failed') this.#mediaLost()
    else if (state === 'disconnected') this.#loss.set(lossDelay, () => this.#mediaLost())
  }

  /** One more try, as soon as there is a server to negotiate with. */
  #mediaLost(): void {
    this.#loss.clear()
    const lost = this.#wasConnected ? 'connection-lost' : 'connect-failed'
    if (this.#retrying || this.#options.direct) {
      this.#leave(lost)
      return
    }
    this.#retrying = true
    this.#setMedia('lost')
    if (this.#options.isOnline()) void this.#connect()
    else this.#patience.set(offlinePatience, () => this.#leave(lost))
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
    this.#patience.clear()
    this.#loss.clear()
    this.stats.stop()
    this.#leg?.close()
    this.#leg = undefined
    this.#media = 'none'
    stopMedia(this.#localStream)
    this.#setState('ended')
    this.emit('ended', end)
  }

  #setMedia(media: AgentMediaState): void {
    if (this.#media === media) return
    this.#media = media
    this.emit('change')
  }

  #setState(state: AgentCallState): void {
    if (this.#state === state) return
    this.#state = state
    this.emit('state', state)
  }
}
