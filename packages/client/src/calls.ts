import type { EndReason, ServerMessage, ServerResumed } from '@hairpin/protocol'
import { Call } from './call.ts'
import type { CallOptions, CallSignal } from './call-options.ts'
import { Emitter } from './emitter.ts'
import { HairpinError } from './errors.ts'
import type { CallNote } from './saved-session.ts'

export interface CallsEvents {
  /** Somebody calls. */
  incoming: [Call]
  /** A call began in either direction. */
  call: [Call]
  signal: [CallSignal]
  /** What a page that is loaded anew has to know; undefined: there is no call. */
  noted: [CallNote | undefined]
}

export interface CallsOptions extends Omit<CallOptions, 'peer' | 'direction' | 'relayOnly' | 'restored'> {
  /** Asked as each call begins. */
  readonly isRelayOnly?: () => boolean
}

/**
 * The calls of one session: gives each message to the call it is about. The server names a call by `callId`; an outgoing one
 * learns its id from the first message that carries it. Today's server admits one call at a time.
 */
export class Calls extends Emitter<CallsEvents> {
  readonly #options: CallsOptions
  #current: Call | undefined
  #callId: string | undefined
  /**
   * Calls ended here whose `call-ended` is still on its way, which must not end the next call: by id, and how many by peer of
   * those that ended before their id was known.
   */
  readonly #closingIds = new Set<string>()
  readonly #closing = new Map<string, number>()

  constructor(options: CallsOptions) {
    super()
    this.#options = options
  }

  get current(): Call | undefined {
    return this.#current
  }

  /** Calls a peer. `prepare` the media first: the offer goes out at once. */
  start(peer: string, stream?: MediaStream): Call {
    if (this.#current) throw new HairpinError('ALREADY_IN_CALL')
    const call = this.#adopt(peer, 'outgoing', undefined)
    call.start(stream)
    return call
  }

  /**
   * The call that the page before this one was in; undefined when it rings for this user: then the offer comes once more.
   * It waits for `rejoin`.
   */
  restore(info: NonNullable<ServerResumed['call']>, note: CallNote | undefined): Call | undefined {
    const { callId, name, state, incoming } = info
    if (this.#current || (state === 'ringing' && incoming)) return undefined
    const { callId: _id, ...known } = note?.callId === callId ? note : { callId }
    return this.#adopt(name, incoming ? 'incoming' : 'outgoing', callId, { state, ...known })
  }

  handle(message: ServerMessage): void {
    switch (message.type) {
      case 'video-offer':
        this.#offer(message.callId, message.name, message.sdp)
        break
      case 'video-answer':
        this.#find(message.callId, message.name)?.handleAnswer(message.sdp as RTCSessionDescriptionInit)
        break
      case 'new-ice-candidate':
        if (message.candidate) this.#find(message.callId, message.name)?.handleCandidate(message.candidate)
        break
      case 'ringing':
        this.#find(message.callId, message.name)?.handleRinging()
        break
      case 'waking':
        this.#find(message.callId, message.name)?.handleWaking()
        break
      case 'call-ended':
        if (!this.#isClosing(message.callId, message.name))
          // What only agents' calls end by does not come for these.
          this.#ended(this.#find(message.callId, message.name), message.reason as EndReason)
        break
      case 'mute':
        this.#find(message.callId, message.name)?.handleMute(message)
        break
      case 'hold':
        this.#find(message.callId, message.name)?.handleHold(message.held)
        break
      case 'answered-elsewhere':
        if (!this.#isClosing(message.callId, message.name))
          this.#find(message.callId, message.name)?.handleEnded('answered-elsewhere')
        break
      case 'error':
        this.#error(message.code, message.about)
        break
    }
  }

  handleSignalingLost(): void {
    this.#closing.clear()
    this.#closingIds.clear()
    this.#current?.handleSignalingLost()
  }

  refreshIceServers(): void {
    this.#current?.refreshIceServers()
  }

  #offer(callId: string, name: string, sdp: RTCSessionDescriptionInit): void {
    const known = this.#find(callId, name)
    if (known) {
      void known.handleOffer(sdp)
      return
    }
    const call = this.#current
    // A call that only its media still holds gives way to a new one from the same side.
    if (call?.detached && call.peer === name) call.hangUp()
    else if (call) {
      this.emit('signal', { type: 'call-reject', target: name })
      return
    }
    const incoming = this.#adopt(name, 'incoming', callId)
    void incoming.handleOffer(sdp)
    this.emit('incoming', incoming)
  }

  #adopt(
    peer: string,
    direction: Call['direction'],
    callId: string | undefined,
    restored?: CallOptions['restored'],
  ): Call {
    const relayOnly = this.#options.isRelayOnly?.() ?? false
    const call = new Call({ ...this.#options, relayOnly, peer, direction, ...(restored ? { restored } : {}) })
    this.#current = call
    this.#callId = callId
    call.on('signal', (signal) => this.emit('signal', signal))
    call.on('noted', () => this.#note(call))
    call.on('ended', ({ by }) => {
      if (this.#current !== call) return
      if (by === 'local' && !call.detached) this.#close(call.peer, this.#callId)
      this.#current = undefined
      this.#callId = undefined
      this.emit('noted', undefined)
    })
    this.emit('call', call)
    return call
  }

  #note({ remoteSession, connectedAt }: Call): void {
    if (this.#callId === undefined) return
    this.emit('noted', {
      callId: this.#callId,
      ...(remoteSession === undefined ? {} : { remoteSession }),
      ...(connectedAt === undefined ? {} : { connectedAt }),
    })
  }

  /** The other side lost the server, not us: as long as media flows the two need no server. */
  #ended(call: Call | undefined, reason: EndReason): void {
    if (reason === 'disconnected' && call?.connectedAt !== undefined) call.handleSignalingLost()
    else call?.handleEnded(reason)
  }

  /** The running call that a message is about. */
  #find(callId: string, name: string): Call | undefined {
    const call = this.#current
    if (!call || call.detached || this.#closingIds.has(callId)) return undefined
    // Of two invitations that crossed the server took the other side's: its id becomes this call's in the same way.
    if (this.#callId === undefined && call.peer === name && !this.#closing.get(name)) this.#callId = callId
    return this.#callId === callId ? call : undefined
  }

  #close(peer: string, callId: string | undefined): void {
    if (callId === undefined) this.#closing.set(peer, (this.#closing.get(peer) ?? 0) + 1)
    else this.#closingIds.add(callId)
  }

  #isClosing(callId: string, name: string): boolean {
    if (this.#closingIds.delete(callId)) return true
    const waiting = this.#closing.get(name)
    if (!waiting || callId === this.#callId) return false
    if (waiting === 1) this.#closing.delete(name)
    else this.#closing.set(name, waiting - 1)
    return true
  }

  /** Errors name the type of the message they are about, not the call; only the newest can be meant. */
  #error(code: string, about: string | undefined): void {
    if (about === 'hang-up' || about === 'call-reject') this.#closing.clear()
    const call = this.#current
    // At SIG_GLARE the other side's offer is here already or on its way.
    if (about !== 'video-offer' || code === 'SIG_GLARE' || call?.state !== 'calling') return
    call.handleEnded(code === 'SIG_TARGET_UNKNOWN' ? 'offline' : 'refused')
  }
}
