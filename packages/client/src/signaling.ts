import type { ClientMessage, ServerMessage } from '@hairpin/protocol'
import { closeCodes, subprotocol } from '@hairpin/protocol/constants'
import { backoff, type ReconnectPolicy } from './backoff.ts'
import { Emitter } from './emitter.ts'
import { Resumption } from './resumption.ts'
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
  join(name: string): void {
    this.close()
    this.#wanted = name
    this.#attempt = 0
    this.#setState('connecting')
    this.#connect()
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
    this.#socket?.send(
      JSON.stringify({ type: 'username', name: this.#wanted ?? '', resume: true } satisfies ClientMessage),
    )
  }

  /** On a new socket, until it carries the session of before or the server says that there is none. */
  #resume(message: ServerMessage): void {
    const resumption = this.#resumption
    if (!resumption?.token) return
    if (message.type === 'id') {
      const { token, seq } = resumption
      this.#socket?.send(JSON.stringify({ type: 'resume', token, seq } satisfies ClientMessage))
    } else if (message.type === 'resumed') {
      this.#resuming = false
      this.#grace.clear()
      this.#name = message.name
      resumption.renew(message.token, message.grace)
      resumption.confirm(message.received)
      for (const frame of resumption.frames) this.#socket?.send(frame)
      this.#joined()
      this.#acknowledgeSoon()
    } else if (message.type === 'error') {
      if (message.code === 'SIG_RESUME_UNKNOWN' || message.code === 'SIG_RESUME_GAP') {
        this.#lose()
        this.#ask(message.seq)
      } else this.#error = { code: message.code, message: message.message }
    }
  }

  #joined(): void {
    if (this.#state === 'joined') return
    const resumed = this.#standing
    // A server that did not offer it will not resume: nothing need be kept.
    if (!this.#resumption?.token) this.#forget()
    this.#standing = true
    this.#attempt = 0
    this.#error = undefined
    this.#setState('joined')
    this.#listen()
    this.emit('joined', { name: this.#name ?? '', wanted: this.#wanted ?? '', resumed })
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
