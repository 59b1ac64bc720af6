import type { ClientMessage, ServerMessage, ServerResumed } from '@hairpin/protocol'
import { closeCodes, subprotocol } from '@hairpin/protocol/constants'
import { backoff, type ReconnectPolicy } from './backoff.ts'
import { Emitter } from './emitter.ts'
import { clientErrors } from './errors.ts'
import { Resumption } from './resumption.ts'
import type { SavedSession } from './saved-session.ts'
import { systemTimers, Timer, type Timers } from './timers.ts'

/**
 * idle ──▶ connecting ──▶ joined ──▶ reconnecting ──▶ joined …   closed: by the user, or for good by the server.
 */
export type SignalingState = 'idle' | 'connecting' | 'joined' | 'reconnecting' | 'closed'

export interface CloseInfo {
  /** WebSocket close code; `closeCodes` of the protocol names ours. */
  readonly code: number
  /** The last error the server gave before it closed. */
  readonly error?: { readonly code: string; readonly message: string }
}

export interface Joined {
  readonly name: string
  readonly wanted: string
  /** The session of before goes on: nothing was lost in either direction, calls included. */
  readonly resumed: boolean
  /** It is the session of the page before this one: of what the server said to that one, this one knows nothing. */
  readonly reloaded: boolean
  /** The call that a resumed session is in. */
  readonly call?: ServerResumed['call']
}

export interface SignalingEvents {
  state: [SignalingState]
  /** There is a server to talk to: at first, and again after each reconnect. */
  joined: [Joined]
  /** The session is gone and what the server knew of it, its calls included. */
  lost: []
  /** Every message of the server, ahead of the `joined` that it may bring. */
  message: [ServerMessage]
  /** A reconnect is due in so many milliseconds. */
  retry: [{ readonly attempt: number; readonly delay: number }]
  closed: [CloseInfo]
}

/** The part of a WebSocket that is used: the browser's, React Native's, Node's and `ws`'s all have it. */
export interface WebSocketLike {
  readonly readyState: number
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: string): void
  close(code?: number, reason?: string): void
}

export interface SignalingOptions {
  /** `wss://host/ws` */
  readonly url: string
  readonly createSocket?: (url: string, subprotocol: string) => WebSocketLike
  readonly reconnect?: ReconnectPolicy
  /** A signaling token of the app's own server: asked for at each join, and when the present one is about to end. */
  readonly getToken?: () => Promise<string> | string
  /** Keeps the session for the page that is loaded after this one. */
  readonly saved?: SavedSession
  readonly timers?: Timers
  /** Milliseconds until an attempt that has not led to a session counts as failed. */
  readonly joinTimeout?: number
  /**
   * Milliseconds of silence after which the server is asked for a sign of life, and how long it may take. Browsers hide the
   * server's pings, and a network that is gone closes no socket for minutes.
   */
  readonly silence?: number
  readonly probeTimeout?: number
}

/** The server meant it: trying again would only repeat the refusal. */
const final: readonly number[] = [
  closeCodes.abuse,
  closeCodes.unauthorized,
  closeCodes.replaced,
  closeCodes.tooManyDevices,
]
/** The session ended with its socket. */
const ending: readonly number[] = [...final, closeCodes.tokenExpired, closeCodes.outboxFull]

const ackAfter = { messages: 50, ms: 5_000 }
/** Frames about a peer connection: it does not outlive its page. */
const ofThePage = new Set([
  'video-offer',
  'video-answer',
  'new-ice-candidate',
  'mute',
  'hold',
  'browser-offer',
  'browser-answer',
  'call-dial',
  'ack',
  'ice-servers',
])
/** The server may notice the loss of a socket this much later than the client: its pings are 25 s apart. */
const lateNotice = 60_000

/**
 * One session at the signaling server under one name, kept up through reconnects. Where the server can resume, a lost socket
 * is a pause: what is sent meanwhile goes out afterwards. Otherwise the session ends with its socket. Messages out while
 * there is no session are dropped (`send` says so): what they were about died with it.
 */
export class SignalingConnection extends Emitter<SignalingEvents> {
  readonly #options: SignalingOptions
  readonly #reconnect: ReconnectPolicy
  readonly #retry: Timer
  readonly #watch: Timer
  readonly #acknowledge: Timer
  readonly #grace: Timer
  #state: SignalingState = 'idle'
  #socket: WebSocketLike | undefined
  #wanted: string | undefined
  #name: string | undefined
  #attempt = 0
  /** Of the session that was asked for last; without a token it ends with its socket. */
  #resumption: Resumption | undefined
  /** On this socket `resume` went out, or is to, and `resumed` has not come. */
  #resuming = false
  /** The session is of the page before, and `resumed` has not come. */
  #reloaded = false
  /** This session was `joined`. */
  #standing = false
  #error: { code: string; message: string } | undefined

  constructor(options: SignalingOptions) {
    super()
    const timers = options.timers ?? systemTimers
    this.#options = options
    this.#reconnect = options.reconnect ?? backoff()
    this.#retry = new Timer(timers)
    this.#watch = new Timer(timers)
    this.#acknowledge = new Timer(timers)
    this.#grace = new Timer(timers)
  }

  get state(): SignalingState {
    return this.#state
  }

  /** The name the server knows this session by; it may differ from the one that was asked for. */
  get name(): string | undefined {
    return this.#name
  }

  /** Joins under a name; progress is told by `joined`, `retry` and `closed`. */
  join(name = ''): void {
    this.close()
    this.#wanted = name
    this.#attempt = 0
    this.#setState('connecting')
    this.#connect()
  }

  /** Takes up the session that the page before this one kept in the store; when it is over, joins anew. False: there is none. */
  restore(): boolean {
    const saved = this.#options.saved?.load()
    if (!saved || (this.#state !== 'idle' && this.#state !== 'closed')) return false
    this.#wanted = saved.wanted
    this.#attempt = 0
    this.#resumption = Resumption.from(saved.resumption)
    this.#reloaded = true
    this.#standing = true
    this.#setState('reconnecting')
    this.#connect()
    return true
  }

  /** Leaves for good. */
  close(): void {
    this.#retry.clear()
    // Any other code keeps the session for its time of grace.
    this.#drop(1000)
    this.#forget()
    this.#standing = false
    this.#wanted = undefined
    if (this.#state === 'idle' || this.#state === 'closed') return
    this.#setState('closed')
    this.emit('closed', { code: 1000 })
  }

  /** False when there is no session to carry the message. While the session waits for a socket, the message does too. */
  send(message: ClientMessage): boolean {
    const joined = this.#state === 'joined'
    if (!joined && !(this.#standing && this.#resumption?.token)) return false
    const frame = JSON.stringify(message)
    this.#resumption?.keep(frame)
    this.#save()
    if (joined) this.#socket?.send(frame)
    return true
  }

  /** The network may have changed: do not wait for the back-off, and do not trust the silence of an open socket. */
  checkNow(): void {
    if (this.#state === 'reconnecting' && this.#retry.pending) {
      this.#retry.clear()
      this.#connect()
    } else if (this.#state === 'joined') this.#probe()
  }

  #connect(): void {
    this.#error = undefined
    this.#resuming = this.#resumption?.token !== undefined
    const create = this.#options.createSocket ?? ((url, protocol) => new WebSocket(url, protocol) as WebSocketLike)
    const socket = create(this.#options.url, subprotocol)
    this.#socket = socket
    this.#watch.set(this.#options.joinTimeout ?? 10_000, () => this.#failed(1006))
    socket.onmessage = (event: { data?: unknown }) => {
      if (this.#socket === socket) this.#receive(event.data)
    }
    socket.onclose = (event: { code?: number }) => {
      if (this.#socket === socket) this.#failed(event.code ?? 1006)
    }
    // A close event follows every error event.
    socket.onerror = () => {}
  }

  #receive(data: unknown): void {
    const message = parse(data)
    if (!message) return
    if (this.#resuming) {
      this.#resume(message)
      return
    }
    if (this.#state === 'joined') this.#listen()
    if (this.#resumption?.take(message.seq) === false) return
    if (message.type === 'id') this.#ask(message.seq)
    else if (message.type === 'rejectusername') this.#name = message.name
    else if (message.type === 'session') this.#resumption?.renew(message.token, message.grace)
    else if (message.type === 'ack') this.#resumption?.confirm(message.received)
    else if (message.type === 'error') this.#error = { code: message.code, message: message.message }
    if (message.type === 'token' && message.renew) this.#withToken((token) => this.send({ type: 'token', token }))
    this.#save()
    this.emit('message', message)
    // The server sends these once the name stands; without a relay at hand calls may still connect.
    if (message.type === 'ice-servers' || this.#error?.code === 'SIG_ICE_SERVERS_UNAVAILABLE') this.#joined()
    this.#acknowledgeSoon()
  }

  /** Asks for a session, `seq` being the last message on this socket. */
  #ask(seq: number): void {
    this.#name = this.#wanted
    this.#resumption = new Resumption()
    this.#resumption.take(seq)
    const join: ClientMessage = { type: 'username', name: this.#wanted ?? '', resume: true }
    if (this.#options.getToken) this.#withToken((token) => this.#socket?.send(JSON.stringify({ ...join, token })))
    else this.#socket?.send(JSON.stringify(join))
  }

  /** Gets a token for this socket. Without one there is no session; one that stands goes on until its token ends. */
  #withToken(use: (token: string) => void): void {
    const socket = this.#socket
    const get = async () => this.#options.getToken?.()
    get().then(
      (token) => {
        if (token !== undefined && this.#socket === socket) use(token)
      },
      () => {
        if (this.#socket !== socket || this.#state === 'joined') return
        this.#error = { code: 'TOKEN_FAILED', message: clientErrors.TOKEN_FAILED }
        this.#failed(1006)
      },
    )
  }

  #save(): void {
    const resumption = this.#resumption?.save()
    if (resumption) this.#options.saved?.update({ wanted: this.#wanted ?? '', resumption })
  }

  /** On a new socket, until it carries the session of before or the server says that there is none. */
  #resume(message: ServerMessage): void {
    const resumption = this.#resumption
    if (!resumption?.token) return
    if (message.type === 'id') {
      const { token, seq } = resumption
      const reload = this.#reloaded ? { reload: true } : {}
      this.#socket?.send(JSON.stringify({ type: 'resume', token, seq, ...reload } satisfies ClientMessage))
    } else if (message.type === 'resumed') {
      this.#resuming = false
      this.#grace.clear()
      this.#name = message.name
      resumption.renew(message.token, message.grace)
      resumption.confirm(message.received)
      if (this.#reloaded) resumption.giveUp((frame) => ofThePage.has(JSON.parse(frame).type))
      this.#save()
      for (const frame of resumption.frames) this.#socket?.send(frame)
      this.#joined(message.call)
      this.#acknowledgeSoon()
    } else if (message.type === 'error') {
      if (message.code === 'SIG_RESUME_UNKNOWN' || message.code === 'SIG_RESUME_GAP') {
        this.#lose()
        this.#ask(message.seq)
      } else this.#error = { code: message.code, message: message.message }
    }
  }

  #joined(call?: ServerResumed['call']): void {
    if (this.#state === 'joined') return
    const resumed = this.#standing
    const reloaded = this.#reloaded
    this.#reloaded = false
    // A server that did not offer it will not resume: nothing need be kept.
    if (!this.#resumption?.token) this.#forget()
    this.#standing = true
    this.#attempt = 0
    this.#error = undefined
    this.#setState('joined')
    this.#listen()
    this.emit('joined', {
      name: this.#name ?? '',
      wanted: this.#wanted ?? '',
      resumed,
      reloaded,
      ...(call ? { call } : {}),
    })
  }

  #acknowledgeSoon(): void {
    const resumption = this.#resumption
    if (this.#state !== 'joined' || !resumption?.unacked) return
    const acknowledge = () => {
      this.#acknowledge.clear()
      this.send({ type: 'ack', seq: resumption.ack() })
    }
    if (resumption.unacked >= ackAfter.messages) acknowledge()
    else if (!this.#acknowledge.pending) this.#acknowledge.set(ackAfter.ms, acknowledge)
  }

  /** The session is over, whatever becomes of the socket. */
  #lose(): void {
    const had = this.#standing
    this.#forget()
    this.#standing = false
    if (had) this.emit('lost')
  }

  #forget(): void {
    this.#resumption = undefined
    this.#resuming = false
    this.#reloaded = false
    this.#options.saved?.clear()
    this.#acknowledge.clear()
    this.#grace.clear()
  }

  #listen(): void {
    this.#watch.set(this.#options.silence ?? 30_000, () => this.#probe())
  }

  /** Any answer will do; the request for fresh relay credentials is one that every session may make. */
  #probe(): void {
    this.send({ type: 'ice-servers' })
    this.#watch.set(this.#options.probeTimeout ?? 8_000, () => this.#failed(1006))
  }

  #failed(code: number): void {
    const error = this.#error
    this.#drop()
    const delay = final.includes(code) ? undefined : this.#reconnect(this.#attempt)
    if (delay === undefined) this.#wanted = undefined
    this.#setState(delay === undefined ? 'closed' : this.#state === 'connecting' ? 'connecting' : 'reconnecting')
    if (delay === undefined || ending.includes(code) || !this.#resumption?.token) this.#lose()
    else if (!this.#grace.pending) this.#grace.set(this.#resumption.graceMs + lateNotice, () => this.#lose())
    if (delay === undefined) {
      this.emit('closed', error ? { code, error } : { code })
      return
    }
    this.#attempt++
    this.#retry.set(delay, () => this.#connect())
    this.emit('retry', { attempt: this.#attempt, delay })
  }

  #drop(code?: number): void {
    const socket = this.#socket
    this.#socket = undefined
    this.#watch.clear()
    this.#acknowledge.clear()
    if (!socket) return
    socket.onmessage = null
    socket.onclose = null
    socket.close(code)
  }

  #setState(state: SignalingState): void {
    if (this.#state === state) return
    this.#state = state
    this.emit('state', state)
  }
}

function parse(data: unknown): ServerMessage | undefined {
  try {
    const message: unknown = JSON.parse(String(data))
    return typeof (message as { type?: unknown } | null)?.type === 'string' ? (message as ServerMessage) : undefined
  } catch {
    return undefined
  }
}
