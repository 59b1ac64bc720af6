import type { ClientMessage, ServerMessage } from '@hairpin/protocol'
import { closeCodes, subprotocol } from '@hairpin/protocol/constants'
import { backoff, type ReconnectPolicy } from './backoff.ts'
import { Emitter } from './emitter.ts'
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

export interface SignalingEvents {
  state: [SignalingState]
  /** A session stands under this name: at first, and again after each reconnect. */
  joined: [{ readonly name: string; readonly wanted: string }]
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
const final: readonly number[] = [closeCodes.abuse, closeCodes.unauthorized]

/**
 * One session at the signaling server under one name, kept up through reconnects. Messages out while there is no session are
 * dropped (`send` says so): what they were about died with the session.
 */
export class SignalingConnection extends Emitter<SignalingEvents> {
  readonly #options: SignalingOptions
  readonly #reconnect: ReconnectPolicy
  readonly #retry: Timer
  readonly #watch: Timer
  #state: SignalingState = 'idle'
  #socket: WebSocketLike | undefined
  #wanted: string | undefined
  #name: string | undefined
  #attempt = 0
  #error: { code: string; message: string } | undefined

  constructor(options: SignalingOptions) {
    super()
    const timers = options.timers ?? systemTimers
    this.#options = options
    this.#reconnect = options.reconnect ?? backoff()
    this.#retry = new Timer(timers)
    this.#watch = new Timer(timers)
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
    this.#drop()
    this.#wanted = undefined
    if (this.#state === 'idle' || this.#state === 'closed') return
    this.#setState('closed')
    this.emit('closed', { code: 1000 })
  }

  /** False when there is no session to carry the message. */
  send(message: ClientMessage): boolean {
    if (this.#state !== 'joined') return false
    this.#socket?.send(JSON.stringify(message))
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
    if (this.#state === 'joined') this.#listen()
    if (message.type === 'id') {
      this.#name = this.#wanted
      this.#socket?.send(JSON.stringify({ type: 'username', name: this.#wanted ?? '' } satisfies ClientMessage))
    } else if (message.type === 'rejectusername') this.#name = message.name
    else if (message.type === 'error') this.#error = { code: message.code, message: message.message }
    this.emit('message', message)
    // The server sends these once the name stands; without a relay at hand calls may still connect.
    if (message.type === 'ice-servers' || this.#error?.code === 'SIG_ICE_SERVERS_UNAVAILABLE') this.#joined()
  }

  #joined(): void {
    if (this.#state === 'joined') return
    this.#attempt = 0
    this.#error = undefined
    this.#setState('joined')
    this.#listen()
    this.emit('joined', { name: this.#name ?? '', wanted: this.#wanted ?? '' })
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
    const hadSession = this.#state === 'joined'
    this.#drop()
    const delay = final.includes(code) ? undefined : this.#reconnect(this.#attempt)
    if (delay === undefined) this.#wanted = undefined
    this.#setState(delay === undefined ? 'closed' : this.#state === 'connecting' ? 'connecting' : 'reconnecting')
    if (hadSession) this.emit('lost')
    if (delay === undefined) {
      this.emit('closed', error ? { code, error } : { code })
      return
    }
    this.#attempt++
    this.#retry.set(delay, () => this.#connect())
    this.emit('retry', { attempt: this.#attempt, delay })
  }

  #drop(): void {
    const socket = this.#socket
    this.#socket = undefined
    this.#watch.clear()
    if (!socket) return
    socket.onmessage = null
    socket.onclose = null
    socket.close()
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
