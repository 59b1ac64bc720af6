import type { AgentMediaState } from './agent-call-state.ts'
import { AgentLeg } from './agent-leg.ts'
import { Emitter } from './emitter.ts'
import { Timer, type Timers } from './timers.ts'

export interface AgentPathEvents {
  media: [AgentMediaState]
  stream: [MediaStream]
  /** To be sent: a fresh peer connection's offer. */
  offer: [string]
  /** No path was found, or one was lost and did not come back; the call can only end. */
  failed: ['connect-failed' | 'connection-lost' | 'negotiation-failed']
}

export interface AgentPathOptions {
  readonly createPeer: () => RTCPeerConnection
  /** Whether there is a server to negotiate with. */
  readonly isOnline: () => boolean
  /** To the customer's phone itself: nothing can be negotiated twice. */
  readonly direct: boolean
  readonly timers: Timers
}

/** Milliseconds that a path may take to appear, counted anew from the answer. */
const connectTimeout = 15_000
/** After this long without packets the path is looked for anew. */
const lossDelay = 2_500
/** How long the server may be away while there is no path. */
const offlinePatience = 30_000

/**
 * What carries an agent's call from this device: one leg after another. A path that is lost, or not found, is looked for once
 * more by a fresh peer connection. Offers do not overlap: an answer does not say which of two it is for.
 */
export class AgentPath extends Emitter<AgentPathEvents> {
  readonly #options: AgentPathOptions
  readonly #patience: Timer
  readonly #loss: Timer
  #stream: MediaStream | undefined
  #leg: AgentLeg | undefined
  #media: AgentMediaState = 'none'
  /** An offer is on its way, and its answer has not come. */
  #offered = false
  #retrying = false
  /** For the server. */
  #waiting = false
  #wasConnected = false

  constructor(options: AgentPathOptions) {
    super()
    this.#options = options
    this.#patience = new Timer(options.timers)
    this.#loss = new Timer(options.timers)
  }

  get media(): AgentMediaState {
    return this.#media
  }
  get leg(): AgentLeg | undefined {
    return this.#leg
  }

  /** What legs made from now on send. */
  use(stream: MediaStream | undefined): void {
    this.#stream = stream
  }

  /** Makes a leg and offers it. */
  async connect(): Promise<void> {
    this.#offered = true
    this.#waiting = false
    this.#patience.set(connectTimeout, () => this.#lost())
    const sdp = await this.#describe((leg) => leg.offer())
    if (sdp !== undefined) this.emit('offer', sdp)
  }

  /** Direct mode: the answer to a customer's offer. Undefined: there is nothing to send. */
  answer(offer: string): Promise<string | undefined> {
    this.#patience.set(connectTimeout, () => this.#lost())
    return this.#describe((leg) => leg.answer(offer))
  }

  /** Direct mode: the offer of a call that is made; how long the phone rings is not this side's to limit. */
  offer(): Promise<string | undefined> {
    return this.#describe((leg) => leg.offer())
  }

  async handleAnswer(sdp: string): Promise<void> {
    const leg = this.#leg
    if (!this.#options.direct && !this.#offered) return
    this.#offered = false
    this.#waiting = false
    if (this.#media !== 'connected') this.#patience.set(connectTimeout, () => this.#lost())
    try {
      await leg?.accept(sdp)
    } catch {
      if (leg === this.#leg) this.#fail('negotiation-failed')
    }
  }

  /** There is a server again: what could not be negotiated meanwhile is. */
  handleOnline(): void {
    if (this.#media !== 'lost' || this.#offered || this.#options.direct) return
    this.#retrying = true
    void this.connect()
  }

  /** No offer of this session will be answered. */
  handleSessionLost(): void {
    this.#offered = false
    if (this.#media === 'connecting' && !this.#options.direct) this.#set('lost')
  }

  close(): void {
    this.#patience.clear()
    this.#loss.clear()
    this.#leg?.close()
    this.#leg = undefined
    this.#media = 'none'
  }

  /** Undefined when another leg, or the end of the call, has come between. */
  async #describe(describe: (leg: AgentLeg) => Promise<string>): Promise<string | undefined> {
    let leg: AgentLeg | undefined
    try {
      leg = this.#open()
      const sdp = await describe(leg)
      return leg === this.#leg ? sdp : undefined
    } catch {
      if (leg === this.#leg) this.#fail('negotiation-failed')
      return undefined
    }
  }

  #open(): AgentLeg {
    const { createPeer, timers } = this.#options
    this.#loss.clear()
    this.#leg?.close()
    this.#leg = undefined
    const leg = new AgentLeg({ peer: createPeer(), stream: this.#stream, timers })
    this.#leg = leg
    leg.on('state', (state) => this.#follow(state))
    leg.on('stream', (stream) => this.emit('stream', stream))
    this.#set(this.#wasConnected ? 'lost' : 'connecting')
    return leg
  }

  #follow(state: RTCPeerConnectionState): void {
    if (state === 'connected') {
      this.#patience.clear()
      this.#loss.clear()
      this.#retrying = false
      this.#wasConnected = true
      this.#set('connected')
    } else if (state === 'failed') this.#lost()
    else if (state === 'disconnected') this.#loss.set(lossDelay, () => this.#lost())
  }

  #lost(): void {
    this.#loss.clear()
    const isOnline = this.#options.isOnline()
    const isFinal = this.#waiting || (isOnline && (this.#retrying || this.#offered))
    if (this.#options.direct || isFinal) {
      this.#fail(this.#wasConnected ? 'connection-lost' : 'connect-failed')
      return
    }
    this.#set('lost')
    if (isOnline) this.handleOnline()
    else {
      this.#waiting = true
      this.#patience.set(offlinePatience, () => this.#lost())
    }
  }

  #fail(reason: AgentPathEvents['failed'][0]): void {
    this.close()
    this.emit('failed', reason)
  }

  #set(media: AgentMediaState): void {
    if (this.#media === media) return
    this.#media = media
    this.emit('media', media)
  }
}
