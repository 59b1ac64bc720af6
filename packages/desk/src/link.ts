import type { RawData, WebSocket } from 'ws'
import { maxFrameBytes } from './frames.ts'

/** Where things of note are told: a pino logger, for one. */
export interface LinkLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface LinkTimes {
  /** ms between pings; a link on which nothing was heard from one to the next is lost. */
  readonly heartbeatMs: number
  /** ms until `hello` has to be there. */
  readonly helloMs: number
  /** Bytes that wait for the other side, beyond which it counts as not reading and the link as lost. */
  readonly bufferedBytes: number
}

export const defaultTimes: LinkTimes = { heartbeatMs: 5000, helloMs: 5000, bufferedBytes: 4 * 1024 * 1024 }

/** One end of a link: a socket that is known to live, and that takes no more than it can carry. */
export class Link {
  readonly #socket: WebSocket
  readonly #times: LinkTimes
  readonly #heartbeat: NodeJS.Timeout
  #heard = true
  #over = false

  /** @param onText a frame came; undefined: a binary one. Synchronous with the opening of the socket, so that none is missed */
  constructor(socket: WebSocket, times: LinkTimes, onText: (text: string | undefined) => void) {
    this.#socket = socket
    this.#times = times
    socket.on('message', (data: RawData, isBinary: boolean) => {
      this.#heard = true
      if (!this.#over) onText(isBinary ? undefined : String(data))
    })
    for (const sign of ['ping', 'pong'] as const)
      socket.on(sign, () => {
        this.#heard = true
      })
    this.#heartbeat = setInterval(() => this.#beat(), times.heartbeatMs).unref()
    socket.once('close', () => clearInterval(this.#heartbeat))
  }

  send(frame: object): void {
    const { readyState, OPEN, bufferedAmount } = this.#socket
    if (readyState !== OPEN) return
    if (bufferedAmount > this.#times.bufferedBytes) this.end()
    else this.#socket.send(JSON.stringify(frame))
  }

  /** Says why, and reads no more; a side that does not answer is not waited for. */
  close(code: number, reason: string): void {
    this.#over = true
    this.#socket.close(code, reason)
    const timer = setTimeout(() => this.end(), 1000).unref()
    this.#socket.once('close', () => clearTimeout(timer))
  }

  /** At once, without a word. */
  end(): void {
    this.#over = true
    this.#socket.terminate()
  }

  #beat(): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    if (!this.#heard) {
      this.end()
      return
    }
    this.#heard = false
    this.#socket.ping()
  }
}

/** Options of a WebSocket at either end. */
export const socketOptions = { maxPayload: maxFrameBytes, perMessageDeflate: false } as const

/** @param api `unix:/path` or `ws://host:port` @throws Error for anything else */
export function parseAddress(
  api: string,
): { readonly path: string } | { readonly host: string; readonly port: number } {
  if (api.startsWith('unix:/')) return { path: api.slice('unix:'.length) }
  const url = URL.canParse(api) ? new URL(api) : undefined
  if (url?.protocol !== 'ws:' || url.pathname !== '/')
    throw new Error(`"${api}" is neither unix:/path nor ws://host:port`)
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) }
}
