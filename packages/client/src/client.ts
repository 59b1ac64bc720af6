import type { ServerMessage } from '@hairpin/protocol'
import type { ReconnectPolicy } from './backoff.ts'
import type { Call } from './call.ts'
import type { CallOptions } from './call-options.ts'
import { Calls } from './calls.ts'
import { Emitter } from './emitter.ts'
import { HairpinError } from './errors.ts'
import { configurationFor } from './peer-link.ts'
import { Push } from './push.ts'
import { Room } from './room.ts'
import { platformStore, SavedSession, type SessionStore } from './saved-session.ts'
import {
  type CloseInfo,
  type Joined,
  SignalingConnection,
  type SignalingOptions,
  type SignalingState,
  type WebSocketLike,
} from './signaling.ts'
import { systemTimers, Timer, type Timers } from './timers.ts'

export interface HairpinClientOptions {
  /** `wss://host/ws` */
  readonly url: string
  readonly relayOnly?: boolean
  /** Where the platform's own WebSocket and RTCPeerConnection are missing or others are wanted (Node, React Native, tests). */
  readonly createSocket?: (url: string, subprotocol: string) => WebSocketLike
  readonly createPeer?: (configuration: RTCConfiguration) => RTCPeerConnection
  readonly reconnect?: ReconnectPolicy
  /** A signaling token of the app's own server; without it the client is a guest. Asked again before the present one ends. */
  readonly getToken?: () => Promise<string> | string
  /** Where the session waits for a page that is loaded anew (`restore`): by default `sessionStorage`; null: nowhere. */
  readonly store?: SessionStore | null
  readonly timers?: Timers
}

export interface HairpinClientEvents {
  state: [SignalingState]
  joined: [Joined]
  /** Who is there, this client included, in the server's order. */
  users: [readonly string[]]
  incoming: [Call]
  call: [Call]
  /** The call of the page before this one: get the media and `rejoin`. Its `call` event came just before. */
  restored: [Call]
  /** Somebody called while no device of this user could be reached. `date` in milliseconds since 1970. */
  missed: [{ readonly name: string; readonly date: number; readonly callId: string; readonly media?: string }]
  /** Text to everyone, to this client alone, or to its room. */
  text: [Text]
  error: [{ readonly code: string; readonly message: string; readonly about?: string }]
  retry: [{ readonly attempt: number; readonly delay: number }]
  closed: [CloseInfo]
}

export interface Text {
  readonly name: string
  readonly text: string
  /** Milliseconds since 1970, by the server's clock. */
  readonly date: number
  readonly target?: string
  readonly room?: string
}

/** What waits until the client has joined. */
const ofCalls = new Set<ServerMessage['type']>([
  'video-offer',
  'new-ice-candidate',
  'answered-elsewhere',
  'hang-up',
  'call-ended',
  'missed-call',
])

/** New credentials are asked for when this share of their life is over. */
const refreshAt = 0.8
/** `setTimeout` runs at once beyond 2^31 - 1 milliseconds. */
const longestTimer = 2 ** 31 - 1

/** A user at a Hairpin server: one signaling connection, the calls on it, and the relay credentials they use. */
export class HairpinClient extends Emitter<HairpinClientEvents> {
  readonly connection: SignalingConnection
  readonly calls: Calls
  readonly push = new Push()
  readonly #refresh: Timer
  readonly #createPeer: CallOptions['createPeer']
  readonly #timers: Timers
  #room: Room | undefined
  readonly #saved: SavedSession | undefined
  readonly #early: ServerMessage[] = []
  #users: readonly string[] = []
  #labels: Readonly<Record<string, string>> = {}
  #iceServers: readonly RTCIceServer[] = []
  relayOnly: boolean

  constructor(options: HairpinClientOptions) {
    super()
    const timers = options.timers ?? systemTimers
    this.relayOnly = options.relayOnly ?? false
    this.#refresh = new Timer(timers)
    this.#timers = timers
    this.#createPeer = options.createPeer ?? platformPeer
    const store = options.store === undefined ? platformStore() : options.store
    this.#saved = store ? new SavedSession(store, options.url) : undefined
    this.connection = new SignalingConnection({ ...connectionOptions(options, this.#saved), timers })
    this.calls = new Calls({
      iceServers: () => this.#iceServers,
      createPeer: this.#createPeer,
      isRelayOnly: () => this.relayOnly,
      timers,
    })
    this.#wire()
  }

  get name(): string | undefined {
    return this.connection.name
  }
  get users(): readonly string[] {
    return this.#users
  }
  get iceServers(): readonly RTCIceServer[] {
    return this.#iceServers
  }
  get currentCall(): Call | undefined {
    return this.calls.current
  }
  get room(): Room | undefined {
    return this.#room
  }

  /** What to show for a user: the label of its token, else the name. */
  labelOf(name: string): string {
    return this.#labels[name] ?? name
  }

  /** Joins as a guest of that name, or, where there is `getToken`, as the token's user, whatever the name. */
  join(name?: string): void {
    this.connection.join(name)
  }

  /**
   * Goes on as the page before this one did, when it left a session: `joined` follows, and `restored` when it was in a call.
   * False when there is nothing to go on with.
   */
  restore(): boolean {
    return this.connection.restore()
  }

  /** Hangs up and leaves. */
  leave(): void {
    this.calls.current?.hangUp()
    this.#room?.leave()
    this.connection.close()
  }

  /** Calls a user. The tracks of `stream` are the call's from here on: it stops them at its end. */
  call(peer: string, stream?: MediaStream): Call {
    if (this.connection.state !== 'joined') throw new HairpinError('NOT_CONNECTED')
    if (this.#room) throw new HairpinError('ALREADY_IN_CALL')
    return this.calls.start(peer, stream)
  }

  /** A peer connection with the present relay credentials, for media that is negotiated in another way than a call's. */
  createPeer(): RTCPeerConnection {
    return this.#createPeer(configurationFor(this.#iceServers, this.relayOnly))
  }

  /**
   * Enters a room: up to 8 members, each connected to each. The tracks of `stream` are the room's from here on. When the
   * session is lost and there is another one, the room is entered again.
   */
  enterRoom(name: string, stream?: MediaStream): Room {
    if (this.connection.state !== 'joined') throw new HairpinError('NOT_CONNECTED')
    if (this.calls.current || this.#room) throw new HairpinError('ALREADY_IN_CALL')
    const room = new Room({
      name,
      createPeer: () => this.createPeer(),
      timers: this.#timers,
      ...(stream ? { stream } : {}),
    })
    this.#room = room
    room.on('signal', (signal) => this.connection.send(signal))
    room.on('left', () => {
      if (this.#room === room) this.#room = undefined
    })
    room.enter()
    return room
  }

  /** The network may have changed: tries the server and the path of the call at once. */
  checkNow(): void {
    this.connection.checkNow()
    this.calls.current?.checkPath()
    this.#room?.checkPaths()
  }

  /** Text to everyone, to one user, or to the room that this client is in. False when there is no session. */
  sendText(text: string, to?: string | Room): boolean {
    const where = to === undefined ? {} : typeof to === 'string' ? { target: to } : { room: to.name }
    return this.connection.send({ type: 'message', text, ...where })
  }

  #wire(): void {
    const { connection, calls } = this
    connection.on('state', (state) => this.emit('state', state))
    connection.on('retry', (retry) => {
      this.#early.length = 0
      this.emit('retry', retry)
    })
    connection.on('joined', (joined) => {
      if (joined.resumed && !joined.reloaded) calls.current?.checkPath()
      // The page before had the credentials.
      if (joined.reloaded) connection.send({ type: 'ice-servers' })
      if (!joined.resumed) this.#room?.enter()
      this.emit('joined', joined)
      for (const message of this.#early.splice(0)) this.#handle(message)
      const restored = joined.reloaded && joined.call && calls.restore(joined.call, this.#saved?.call)
      if (restored) this.emit('restored', restored)
    })
    connection.on('message', (message) => {
      // A device that was woken hears the ring before it has what it needs to answer.
      if (connection.state !== 'joined' && ofCalls.has(message.type)) this.#early.push(message)
      else this.#handle(message)
    })
    connection.on('lost', () => {
      calls.handleSignalingLost()
      this.push.handleSignalingLost()
    })
    connection.on('closed', (info) => {
      this.#early.length = 0
      this.#refresh.clear()
      this.#setUsers([])
      calls.handleSignalingLost()
      this.#room?.handleClosed()
      this.emit('closed', info)
    })
    calls.on('noted', (note) => {
      if (note) this.#saved?.update({ call: note })
      else this.#saved?.forgetCall()
    })
    calls.on('signal', (signal) => connection.send(signal))
    this.push.on('request', (request) => connection.send(request))
    calls.on('incoming', (call) => this.emit('incoming', call))
    calls.on('call', (call) => this.emit('call', call))
  }

  #handle(message: ServerMessage): void {
    switch (message.type) {
      case 'userlist':
        this.#labels = message.labels ?? {}
        this.#setUsers(message.users)
        break
      case 'ice-servers':
        this.#iceServers = message.iceServers
        this.#scheduleRefresh(message.ttl)
        this.calls.refreshIceServers()
        break
      case 'missed-call':
        this.emit('missed', message)
        break
      case 'push-keys':
      case 'push-registered':
        this.push.handle(message)
        break
      case 'message':
        this.emit('text', message)
        break
      case 'error':
        this.calls.handle(message)
        this.#room?.handle(message)
        this.push.handle(message)
        this.emit('error', message)
        break
      default:
        this.calls.handle(message)
        this.#room?.handle(message)
    }
  }

  #setUsers(users: readonly string[]): void {
    this.#users = users
    this.emit('users', users)
  }

  #scheduleRefresh(ttl: number): void {
    if (ttl <= 0) return
    const delay = Math.min(ttl * 1000 * refreshAt, longestTimer)
    this.#refresh.set(delay, () => this.connection.send({ type: 'ice-servers' }))
  }
}

function connectionOptions(options: HairpinClientOptions, saved: SavedSession | undefined): SignalingOptions {
  const { url, createSocket, reconnect, getToken } = options
  return {
    url,
    ...(createSocket ? { createSocket } : {}),
    ...(reconnect ? { reconnect } : {}),
    ...(getToken ? { getToken } : {}),
    ...(saved ? { saved } : {}),
  }
}

function platformPeer(configuration: RTCConfiguration): ReturnType<CallOptions['createPeer']> {
  if (typeof RTCPeerConnection === 'undefined') throw new HairpinError('WEBRTC_UNSUPPORTED')
  return new RTCPeerConnection(configuration)
}
