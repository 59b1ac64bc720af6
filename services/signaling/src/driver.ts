import { randomBytes, randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { Desk } from '@hairpin/desk'
import type { IceServersAnswer, IceServersSource } from '@hairpin/ice-servers'
import { closeCodes } from '@hairpin/protocol'
import { TokenError, type TokenKeys, verifySignalingToken } from '@hairpin/tokens'
import type { FastifyBaseLogger } from 'fastify'
import type { Registry } from 'prom-client'
import type { RawData, WebSocket } from 'ws'
import type { Verdict } from './core/authentication.ts'
import { frameOf } from './core/encoder.ts'
import { Hub } from './core/hub.ts'
import { defaultSessionLimits, type SessionLimits } from './core/limits.ts'
import type { DeskOutput, Output } from './core/output.ts'
import { SignalingMetrics } from './metrics.ts'
import type { PushGateway } from './push/gateway.ts'

export interface DriverOptions {
  readonly guests: boolean
  /** The app that guests' relayed bytes are counted for. */
  readonly app: string
  /** What verifies signaling tokens. */
  readonly keys: TokenKeys
  readonly iceServers: IceServersSource
  /** Wakes devices; undefined: none can be woken. The driver closes it. */
  readonly push?: PushGateway
  /** The service that brings customers' calls, and the app whose users may be agents; undefined app: guests may. */
  readonly desk?: { readonly desk: Desk; readonly app: string | undefined }
  readonly registry: Registry
  readonly logger: FastifyBaseLogger
  readonly limits?: Partial<DriverLimits>
}

export interface DriverLimits extends SessionLimits {
  readonly heartbeatMs: number
  /** Unsent bytes of one socket beyond which its client counts as not reading. */
  readonly bufferedBytes: number
  /** How long a closed socket may take to say goodbye. */
  readonly closeMs: number
}

const defaultLimits: DriverLimits = {
  ...defaultSessionLimits,
  heartbeatMs: 25_000,
  bufferedBytes: 1024 * 1024,
  closeMs: 1000,
}

/** `setTimeout` fires at once beyond 2^31 - 1 milliseconds. */
const longestTimer = 2 ** 31 - 1

interface Connection {
  readonly id: string
  readonly socket: WebSocket
  readonly stream: Duplex
  /** Gives its place among the admitted back. */
  readonly leave: () => void
  /** Something came from the client since the last ping. */
  alive: boolean
  /** What is sent to it waits for the rest of this turn. */
  corked: boolean
}

interface Listeners {
  message(this: WebSocket, data: RawData, isBinary: boolean): void
  pong(this: WebSocket): void
  error(this: WebSocket, error: Error): void
  close(this: WebSocket, code: number): void
}

/** Gives the hub its sockets and its clock, and does what the hub wants done. */
export class Driver {
  readonly #options: DriverOptions
  readonly #limits: DriverLimits
  readonly #hub: Hub
  readonly #metrics: SignalingMetrics
  readonly #connections = new Map<string, Connection>()
  readonly #bySocket = new Map<WebSocket, Connection>()
  /** The same for all sockets, who are `this` in them: closures for each would take a tenth of a connection's memory. */
  readonly #listeners: Listeners
  /** Of sessions that wait for a socket: what their place among the admitted costs. */
  readonly #places = new Map<string, () => void>()
  readonly #heartbeat: NodeJS.Timeout
  /** Those that are sent something in this turn. */
  readonly #corked: Connection[] = []
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #stopped = false

  constructor(options: DriverOptions) {
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    const { guests, app: guestApp, registry, push, desk } = options
    this.#hub = new Hub({
      limits: this.#limits,
      guests,
      guestApp,
      newId: randomUUID,
      newToken,
      date: Date.now,
      ...(push ? { push: push.ability, pushRecords: push.records } : {}),
      ...(desk ? { desk: { app: desk.app } } : {}),
    })
    this.#metrics = new SignalingMetrics(registry, {
      connections: () => this.#connections.size,
      detached: () => this.#hub.resumable.detachedCount,
      users: () => this.#hub.directory.userCount,
      calls: () => this.#hub.calls.count(),
      rooms: () => this.#hub.rooms.count(),
      agents: () => this.#hub.desk.size,
      deskReachable: () => desk && this.#hub.desk.reachable,
    })
    desk?.desk.attach({
      tell: (agent, devices, body) => this.#later((now) => this.#hub.deskTold(agent, devices, body, now)),
      up: () => this.#later((now) => this.#hub.deskUp(now)),
      down: () => this.#later((now) => this.#hub.deskDown(now)),
    })
    this.#listeners = this.#listen()
    this.#heartbeat = setInterval(() => this.#beat(), this.#limits.heartbeatMs).unref()
  }

  get metrics(): SignalingMetrics {
    return this.#metrics
  }

  /**
   * Takes over an open socket. Synchronous: a message that came with the handshake must find its listener.
   * @param stream what the socket writes to
   * @param leave gives its place among the admitted back; a session that waits for another socket keeps it until then
   */
  accept(socket: WebSocket, stream: Duplex, leave: () => void): void {
    const id = this.#hub.open(performance.now())
    const connection: Connection = { id, socket, stream, leave, alive: true, corked: false }
    this.#connections.set(id, connection)
    this.#bySocket.set(socket, connection)
    const { message, pong, error, close } = this.#listeners
    socket.on('message', message).on('pong', pong).on('error', error).on('close', close)
    this.#perform()
  }

  #message({ id }: Connection, data: RawData, isBinary: boolean): void {
    this.#hub.receive(id, isBinary ? undefined : textOf(data), performance.now())
    this.#perform()
  }

  #closed({ id, socket, leave }: Connection, code: number): void {
    this.#connections.delete(id)
    this.#bySocket.delete(socket)
    const waiting = this.#hub.closed(id, performance.now(), code)
    if (waiting === undefined) leave()
    else this.#places.set(waiting, leave)
    this.#perform()
  }

  #listen(): Listeners {
    const connections = this.#bySocket
    const heard = (socket: WebSocket): Connection | undefined => {
      const connection = connections.get(socket)
      if (connection !== undefined) connection.alive = true
      return connection
    }
    const driver = this
    return {
      message(data, isBinary) {
        const connection = heard(this)
        if (connection !== undefined) driver.#message(connection, data, isBinary)
      },
      pong() {
        heard(this)
      },
      error(error) {
        driver.failed(this, error)
      },
      close(code) {
        const connection = connections.get(this)
        if (connection !== undefined) driver.#closed(connection, code)
      },
    }
  }

  /** An error of the socket itself: a broken frame, one over the size limit (ws closes it with 1009), a lost connection. */
  failed(socket: WebSocket, error: Error & { code?: string }): void {
    if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#metrics.error('SIG_MESSAGE_TOO_LARGE')
    else this.#options.logger.debug({ err: error }, 'socket failed')
    this.#terminateLater(socket)
  }

  /** Says goodbye to everyone; resolves when every socket is closed, at the latest after `closeMs`. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#heartbeat)
    clearTimeout(this.#timer)
    const sockets = [...this.#connections.values()].map(({ socket }) => socket)
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    this.#hub.shutdown()
    this.#perform()
    for (const socket of sockets) this.#terminateLater(socket)
    await Promise.all(closed)
    this.#options.push?.close()
  }

  #perform(): void {
    for (const output of this.#hub.drain()) this.#do(output)
    this.#schedule()
  }

  #do(output: Output): void {
    switch (output.do) {
      case 'send':
        this.#send(output)
        return
      case 'close': {
        const socket = this.#connections.get(output.connection)?.socket
        if (socket === undefined) return
        socket.close(output.code, output.reason)
        // A flood is not read while it is shown the door.
        if (output.code === closeCodes.abuse) socket.pause()
        this.#terminateLater(socket)
        return
      }
      case 'release':
        this.#places.get(output.session)?.()
        this.#places.delete(output.session)
        return
      case 'fetch-ice-servers':
        void this.#fetchIceServers(output)
        return
      case 'verify-token':
        void this.#verify(output.session, output.token)
        return
      case 'push':
        void this.#push(output)
        return
      case 'remember':
        this.#options.push?.remember(output.change)
        return
      case 'desk':
        this.#tellDesk(output)
        return
      case 'report':
        this.#metrics.report(output.report)
        return
    }
  }

  #send({ connection, type, text, seq }: Extract<Output, { do: 'send' }>): void {
    const receiver = this.#connections.get(connection)
    if (receiver === undefined) return
    const { socket } = receiver
    if (socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount > this.#limits.bufferedBytes) {
      // A close frame would wait behind what the client does not read.
      this.#metrics.error('SIG_SLOW_CONSUMER')
      socket.terminate()
      return
    }
    this.#metrics.sent(type)
    this.#cork(receiver)
    socket.send(frameOf(text, seq))
  }

  /** Messages that one turn has for a client go out by one system call, which costs more than all else about a message. */
  #cork(connection: Connection): void {
    if (connection.corked) return
    connection.corked = true
    connection.stream.cork()
    if (this.#corked.push(connection) === 1) process.nextTick(this.#uncork)
  }

  readonly #uncork = (): void => {
    for (const connection of this.#corked) {
      connection.corked = false
      connection.stream.uncork()
    }
    this.#corked.length = 0
  }

  async #fetchIceServers({ session, app, user }: Extract<Output, { do: 'fetch-ice-servers' }>): Promise<void> {
    let answer: IceServersAnswer | undefined
    try {
      answer = await this.#options.iceServers.iceServersFor({ app, user })
    } catch (error) {
      this.#options.logger.warn({ err: error, code: 'SIG_ICE_SERVERS_UNAVAILABLE' }, 'no relay credentials')
    }
    this.#hub.iceServers(session, answer, performance.now())
    this.#perform()
  }

  async #verify(session: string, token: string): Promise<void> {
    let verdict: Verdict
    try {
      verdict = { identity: await verifySignalingToken(token, this.#options.keys) }
    } catch (error) {
      if (!(error instanceof TokenError)) throw error
      const { code, message, cause } = error
      if (code === 'SIG_TOKEN_KEYS_UNAVAILABLE') this.#options.logger.warn({ err: cause, code }, 'no keys for tokens')
      verdict = { code, message }
    }
    this.#hub.verified(session, verdict, performance.now())
    this.#perform()
  }

  async #push({ endpoint, body, ttlMs }: Extract<Output, { do: 'push' }>): Promise<void> {
    const attempt = await this.#options.push?.send(endpoint, body, ttlMs)
    if (attempt === undefined) return
    const { result, reason } = attempt
    this.#metrics.pushed(endpoint.kind, result)
    if (result === 'failed')
      this.#options.logger.warn({ kind: endpoint.kind, reason, code: 'SIG_PUSH_FAILED' }, 'no push')
    // A gateway that is closed remembers nothing; the push service will say it again.
    if (result !== 'gone' || this.#stopped) return
    this.#hub.endpointGone(endpoint.address)
    this.#perform()
  }

  #tellDesk(output: DeskOutput): void {
    const desk = this.#options.desk?.desk
    if (output.act === 'leave') desk?.leave(output.agent)
    else if (output.act === 'request') desk?.request(output.agent, output.device, output.request)
    else desk?.[output.act](output.agent, output.device)
  }

  /** The service may answer while it is told something: that is another event, after the outputs that are being performed. */
  #later(event: (now: number) => void): void {
    queueMicrotask(() => {
      if (this.#stopped) return
      event(performance.now())
      this.#perform()
    })
  }

  /** One timer for the hub's nearest deadline. */
  #schedule(): void {
    const at = this.#stopped ? undefined : this.#hub.nextDeadline()
    if (at === this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = at ?? Number.POSITIVE_INFINITY
    if (at === undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Number.POSITIVE_INFINITY
        this.#hub.tick(performance.now())
        this.#perform()
      },
      // A later deadline than a timer can have: it is looked at again then.
      Math.min(Math.max(0, Math.ceil(at - performance.now())), longestTimer),
    ).unref()
  }

  #beat(): void {
    for (const connection of this.#connections.values()) {
      if (connection.alive) {
        connection.alive = false
        connection.socket.ping()
        continue
      }
      this.#metrics.error('SIG_HEARTBEAT_LOST')
      connection.socket.terminate()
    }
  }

  #terminateLater(socket: WebSocket): void {
    const timer = setTimeout(() => socket.terminate(), this.#limits.closeMs)
    socket.once('close', () => clearTimeout(timer))
  }
}

function newToken(): string {
  return randomBytes(32).toString('base64url')
}

function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString('utf8')
  return Array.isArray(data) ? Buffer.concat(data).toString('utf8') : Buffer.from(data).toString('utf8')
}
