import type { ClientMessage, ServerMessage } from '@hairpin/protocol'
import { agentRequests } from '@hairpin/protocol/constants'
import { AgentCall, type AgentCallOptions } from './agent-call.ts'
import type { Caller } from './agent-call-state.ts'
import type { HairpinClient } from './client.ts'
import { Emitter } from './emitter.ts'
import { HairpinError } from './errors.ts'
import { systemTimers, Timer, type Timers } from './timers.ts'

export interface Agent {
  readonly name: string
  /** In no call. */
  readonly free: boolean
}

export type CallPermission = Omit<Extract<ServerMessage, { type: 'call-permission' }>, 'type' | 'seq'>

export interface AgentDeskEvents {
  /** `available`, `mode` or `agents` changed. */
  agents: []
  /** A customer's call rings here, or one that another agent hands over. */
  incoming: [AgentCall]
  /** This device has a call: taken, dialled or restored. */
  call: [AgentCall]
  /**
   * A call of this agent that this page knows nothing of: of the page before it, or of another device, which it would be taken
   * from. Get the microphone and `rejoin`. Its `call` event came just before.
   */
  restored: [AgentCall]
  /** A customer gave or refused the permission to be called, or was asked for it. */
  permission: [CallPermission]
  error: [AgentRefusal]
}

/** The server had no use for a request. `code` is one of docs/ERRORS.md, the message a sentence for a person. */
export class AgentRefusal extends Error {
  readonly code: string
  /** The type of the message. */
  readonly about: string | undefined

  constructor(code: string, message: string, about?: string) {
    super(message)
    this.name = 'AgentRefusal'
    this.code = code
    this.about = about
  }
}

interface Question {
  readonly digits: string
  readonly resolve: (permission: CallPermission) => void
  readonly reject: (error: AgentRefusal) => void
}

/** Milliseconds after the service was away until a call that it does not name again is over. */
const confirmation = 10_000
/** Calls that were left, the last ones: messages about them are on their way for a moment only. */
const remembered = 20

/**
 * Customers' calls at this device: those that ring, the one that its agent has, and those that the agent makes. It lives on a
 * `HairpinClient`, which joins, resumes and has the relay credentials.
 */
export class AgentDesk extends Emitter<AgentDeskEvents> {
  readonly #client: HairpinClient
  readonly #timers: Timers
  readonly #confirm: Timer
  readonly #ringing = new Map<string, AgentCall>()
  readonly #questions: Question[] = []
  #wanted = false
  #available = false
  #mode: 'bridge' | 'direct' = 'bridge'
  #agents: readonly Agent[] = []
  #current: AgentCall | undefined
  /** Calls being made that the server has not named, in order; those given up among them. */
  readonly #dialled: AgentCall[] = []
  /** Calls that this side has left: what the server says of them was said before it knew. */
  readonly #left = new Set<string>()

  constructor(client: HairpinClient, { timers = systemTimers }: { readonly timers?: Timers } = {}) {
    super()
    this.#client = client
    this.#timers = timers
    this.#confirm = new Timer(timers)
    this.#wire()
  }

  /** The server rings this device. */
  get available(): boolean {
    return this.#available
  }
  /** What was asked for; it counts again whenever there is a new session. */
  get wanted(): boolean {
    return this.#wanted
  }
  get mode(): 'bridge' | 'direct' {
    return this.#mode
  }
  /** Those who are here, this one included. */
  get agents(): readonly Agent[] {
    return this.#agents
  }
  /** Calls that ring here, the oldest first. */
  get ringing(): readonly AgentCall[] {
    return [...this.#ringing.values()]
  }
  /** The one call that this device has. */
  get current(): AgentCall | undefined {
    return this.#current
  }

  /** Takes customers' calls from now on, or no more; a call that runs goes on, and the end of it is waited for. */
  setAvailable(available: boolean): void {
    this.#wanted = available
    // Who is not available is told nothing more of a call that runs.
    if (available || !this.#current) this.#tellAvailable()
  }

  /** Calls a customer. The tracks of `stream` are the call's from here on. @throws HairpinError */
  dial(number: string, stream?: MediaStream): AgentCall {
    if (this.#client.connection.state !== 'joined') throw new HairpinError('NOT_CONNECTED')
    if (this.#current) throw new HairpinError('ALREADY_IN_CALL')
    const call = this.#make({ state: 'calling', direction: 'business', caller: { number: digitsOf(number) } })
    this.#adopt(call)
    void call.dial(number, stream)
    return call
  }

  /** May this customer be called? @throws AgentRefusal */
  permission(number: string): Promise<CallPermission> {
    return this.#ask(number, {})
  }

  /** Asks the customer, by a message, for the permission to be called. The answer comes as a `permission` event. @throws AgentRefusal */
  requestPermission(number: string): Promise<CallPermission> {
    return this.#ask(number, { request: true })
  }

  #wire(): void {
    const { connection } = this.#client
    connection.on('joined', ({ resumed, reloaded }) => {
      if (this.#wanted && (!resumed || reloaded)) this.#tellAvailable()
      this.#current?.handleOnline()
    })
    connection.on('message', (message) => this.#handle(message))
    connection.on('lost', () => this.#lost())
    connection.on('closed', () => {
      this.#lost()
      this.#current?.handleLost()
    })
  }

  #tellAvailable(): void {
    this.#send({ type: 'agent', available: this.#wanted })
  }

  #handle(message: ServerMessage): void {
    switch (message.type) {
      case 'agent':
        if (message.available && !this.#available && this.#current)
          this.#confirm.set(confirmation, () => this.#current?.handleLost())
        this.#available = message.available
        this.#mode = message.mode
        this.#agents = message.agents
        this.emit('agents')
        break
      case 'call-is-coming':
        this.#coming(message)
        break
      case 'call-state':
        this.#state(message)
        break
      case 'browser-answer':
        void this.#find(message.callId)?.handleAnswer(message.sdp)
        break
      case 'answered-elsewhere':
      case 'ring-stopped':
        this.#find(message.callId)?.handleEnded({ reason: message.type })
        break
      case 'call-transferred':
        this.#find(message.callId)?.handleEnded({ reason: 'transferred' })
        break
      case 'transfer-declined':
        this.#find(message.callId)?.handleTransferDeclined()
        break
      case 'call-ended': {
        const { callId, reason, cause, text } = message
        this.#find(callId)?.handleEnded({ reason, ...(cause ? { cause } : {}), ...(text ? { text } : {}) })
        break
      }
      case 'call-permission': {
        const { type: _type, seq: _seq, ...permission } = message
        this.#answer(permission.number, ({ resolve }) => resolve(permission))
        this.emit('permission', permission)
        break
      }
      case 'error':
        if (message.about !== undefined && ofAgents.has(message.about as ClientMessage['type']))
          this.#refused(message.about, message)
    }
  }

  #coming(message: Extract<ServerMessage, { type: 'call-is-coming' }>): void {
    const { callId: id, callerName, callerNumber, transferredBy, sdp } = message
    // It rings already: the server says so again after the device was gone for a moment.
    if (this.#ringing.has(id) || this.#current?.id === id) return
    if (transferredBy === undefined && this.#left.has(id)) return
    const call = this.#make({
      id,
      state: 'incoming',
      direction: 'user',
      caller: callerOf(callerName, callerNumber),
      ...(transferredBy === undefined ? {} : { transferredBy }),
      ...(sdp === undefined ? {} : { offer: sdp }),
    })
    this.#ringing.set(id, call)
    this.emit('incoming', call)
  }

  #state(message: Extract<ServerMessage, { type: 'call-state' }>): void {
    const { callId: id, state, resumed, direction, callerName, callerNumber, answeredAt, held } = message
    const current = this.#current
    if (this.#left.has(id)) return
    if (current?.id === id) {
      this.#confirm.clear()
      current.handleState(message)
    } else if (state === 'calling' && !resumed) {
      const dialled = this.#dialled.shift()
      // Without one another device of this agent makes the call.
      if (dialled?.state === 'ended') {
        this.#leave(id)
        this.#send({ type: 'call-over', callId: id })
      } else dialled?.handleState(message)
    } else if (resumed && !current) {
      const caller = callerOf(callerName, callerNumber)
      const call = this.#make({ id, state, direction, caller, held, ...(answeredAt ? { answeredAt } : {}) })
      this.#adopt(call)
      this.emit('restored', call)
    }
  }

  #refused(about: string, { code, message, callId }: Extract<ServerMessage, { type: 'error' }>): void {
    const error = new AgentRefusal(code, message, about)
    const current = this.#current
    if (about === 'call-permission') this.#questions.shift()?.reject(error)
    else if (about === 'call-dial') this.#dialled.shift()?.handleRefused(about, code, message)
    else if (about === 'agent') {
      // The server says when the service is back.
      if (code === 'SIG_DESK_UNAVAILABLE') this.#lost()
      else {
        const isBarred = code === 'SIG_NO_DESK' || code === 'SIG_AGENT_FORBIDDEN'
        this.#wanted = this.#available && !isBarred
        if (isBarred) this.#lost()
        else this.emit('agents')
      }
    } else (callId === undefined ? current : this.#find(callId))?.handleRefused(about, code, message)
    this.emit('error', error)
  }

  #make(options: Omit<AgentCallOptions, 'direct' | 'createPeer' | 'isOnline' | 'isFree' | 'timers'>): AgentCall {
    const call = new AgentCall({
      ...options,
      direct: this.#mode === 'direct',
      createPeer: () => this.#client.createPeer(),
      isFree: () => this.#current === undefined,
      isOnline: () => this.#client.connection.state === 'joined',
      timers: this.#timers,
    })
    call.on('signal', (signal) => {
      if (signal.type === 'call-dial') this.#dialled.push(call)
      else if (signal.type === 'call-over' || signal.type === 'call-decline') this.#leave(signal.callId)
      this.#send(signal)
    })
    call.on('state', (state) => {
      if (state !== 'taking' || !call.id) return
      this.#ringing.delete(call.id)
      this.#adopt(call)
    })
    call.on('ended', () => this.#ended(call))
    return call
  }

  #adopt(call: AgentCall): void {
    this.#current = call
    this.emit('call', call)
  }

  #ended(call: AgentCall): void {
    if (call.id !== undefined) this.#ringing.delete(call.id)
    if (this.#current !== call) return
    this.#current = undefined
    this.#confirm.clear()
    if (!this.#wanted && this.#available) this.#tellAvailable()
  }

  #leave(callId: string): void {
    this.#left.add(callId)
    const [oldest] = this.#left
    if (this.#left.size > remembered && oldest !== undefined) this.#left.delete(oldest)
  }

  #find(callId: string): AgentCall | undefined {
    return this.#current?.id === callId ? this.#current : this.#ringing.get(callId)
  }

  /** The session, or the service behind the server, is gone. */
  #lost(): void {
    for (const call of this.ringing) call.handleSessionLost()
    this.#current?.handleSessionLost()
    this.#dialled.length = 0
    this.#available = false
    const gone = new HairpinError('NOT_CONNECTED')
    for (const { reject } of this.#questions.splice(0)) reject(new AgentRefusal(gone.code, gone.message))
    this.emit('agents')
  }

  #ask(number: string, request: { readonly request?: true }): Promise<CallPermission> {
    return new Promise((resolve, reject) => {
      this.#questions.push({ digits: digitsOf(number), resolve, reject })
      if (this.#send({ type: 'call-permission', number, ...request })) return
      this.#questions.pop()
      const { code, message } = new HairpinError('NOT_CONNECTED')
      reject(new AgentRefusal(code, message))
    })
  }

  /** Gives the answer to the oldest question about that number. */
  #answer(digits: string, give: (question: Question) => void): void {
    const index = this.#questions.findIndex((question) => question.digits === digits)
    const [question] = index < 0 ? [] : this.#questions.splice(index, 1)
    if (question) give(question)
  }

  #send(message: ClientMessage): boolean {
    return this.#client.connection.send(message)
  }
}

/** Types of the messages that agents send. */
const ofAgents = new Set<ClientMessage['type']>(['agent', ...agentRequests])

function callerOf(name: string | undefined, number: string | undefined): Caller {
  return { ...(name === undefined ? {} : { name }), ...(number === undefined ? {} : { number }) }
}

function digitsOf(number: string): string {
  return number.replace(/\D/g, '')
}
