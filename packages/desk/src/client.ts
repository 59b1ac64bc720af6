import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import type { Desk, DeskEvents, DeskRequest } from './desk.ts'
import { type FromService, type FromSignaling, path, readFromService, version } from './frames.ts'
import { defaultTimes, Link, type LinkLog, type LinkTimes, parseAddress, socketOptions } from './link.ts'

export interface RemoteDeskOptions extends Partial<LinkTimes> {
  /** Where the service listens: `unix:/path` or `ws://host:port`. */
  readonly api: string
  /** The service's key. */
  readonly key: string
  readonly log: LinkLog
  /** ms until the second attempt, twice as many until the next, up to `most`; each is shortened at random by up to a half. */
  readonly retryMs?: { readonly first: number; readonly most: number }
}

/** The desk of another process. It is up while the link stands and the service says so. */
export function remoteDesk(options: RemoteDeskOptions): RemoteDesk {
  return new RemoteDesk(options)
}

export class RemoteDesk implements Desk {
  readonly #options: Required<RemoteDeskOptions>
  /** Which process this is. */
  readonly #from = randomUUID()
  #events: DeskEvents | undefined
  #link: Link | undefined
  #up = false
  #pauseMs = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** Whether the log was told that there is no link. */
  #mourned = false

  constructor(options: RemoteDeskOptions) {
    this.#options = { retryMs: { first: 250, most: 5000 }, ...defaultTimes, ...options }
    parseAddress(options.api)
  }

  attach(events: DeskEvents): void {
    this.#events = events
    this.#connect()
  }

  arrive(agent: string, device: string): void {
    this.#send({ type: 'arrive', agent, device })
  }

  appear(agent: string, device: string): void {
    this.#send({ type: 'appear', agent, device })
  }

  disappear(agent: string, device: string): void {
    this.#send({ type: 'disappear', agent, device })
  }

  leave(agent: string): void {
    this.#send({ type: 'leave', agent })
  }

  request(agent: string, device: string, request: DeskRequest): void {
    this.#send({ type: 'request', agent, device, request })
  }

  /** Ends the link and tries no more. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#link?.close(1000, 'signaling stops')
    this.#lost()
  }

  /** What is said while the service is not up is not kept: it is told everything when it is. */
  #send(frame: FromSignaling): void {
    if (this.#up) this.#link?.send(frame)
  }

  #connect(): void {
    const { api, key, helloMs } = this.#options
    const address = parseAddress(api)
    const isUnix = 'path' in address
    const socket = new WebSocket(isUnix ? `ws://localhost${path}` : new URL(path, api), {
      ...socketOptions,
      headers: { authorization: `Bearer ${key}` },
      handshakeTimeout: helloMs,
      ...(isUnix ? { createConnection: () => connect(address.path) } : {}),
    })
    let reason = ''
    const link = new Link(socket, this.#options, (text) => this.#read(link, text))
    const silence = setTimeout(() => link.end(), 2 * helloMs).unref()
    socket.once('open', () => link.send({ type: 'hello', version, from: this.#from } satisfies FromSignaling))
    socket.once('message', () => clearTimeout(silence))
    socket.on('error', (error) => {
      reason = error.message
    })
    socket.once('close', (code, said) => {
      clearTimeout(silence)
      if (this.#closed) return
      if (this.#link === link) this.#lost()
      this.#mourn(String(said) || reason || `code ${code}`)
      this.#retry()
    })
  }

  #read(link: Link, text: string | undefined): void {
    const frame = text === undefined ? undefined : readFromService(text)
    if (this.#closed) return
    if (this.#link !== link) this.#greeted(link, frame)
    else if (frame === undefined) this.#options.log.warn({ code: 'SIG_DESK_FRAME' }, 'a frame of the desk is not known')
    else if (frame.type === 'tell') this.#events?.tell(frame.agent, frame.devices, frame.body)
    else if (frame.type === 'up') this.#turn(true)
  }

  #greeted(link: Link, frame: FromService | undefined): void {
    if (frame?.type !== 'hello' || frame.version !== version) {
      link.end()
      return
    }
    this.#link = link
    this.#pauseMs = 0
    this.#mourned = false
    this.#options.log.info({ code: 'SIG_DESK_LINKED' }, 'the desk is linked')
  }

  #lost(): void {
    this.#link = undefined
    this.#turn(false)
  }

  #turn(up: boolean): void {
    if (this.#up === up) return
    this.#up = up
    if (up) this.#events?.up()
    else this.#events?.down()
  }

  #mourn(reason: string): void {
    if (this.#mourned) return
    this.#mourned = true
    this.#options.log.warn({ code: 'SIG_DESK_LOST', reason }, 'no link to the desk; trying again')
  }

  #retry(): void {
    const { first, most } = this.#options.retryMs
    this.#pauseMs = this.#pauseMs === 0 ? first : Math.min(most, 2 * this.#pauseMs)
    this.#timer = setTimeout(() => this.#connect(), this.#pauseMs * (0.5 + Math.random() / 2)).unref()
  }
}
