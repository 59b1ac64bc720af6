import type { ServerMessage, ServerType } from '@hairpin/protocol'
import { WebSocket } from 'ws'

export interface ClientOptions {
  readonly protocol?: string[]
  readonly headers?: Readonly<Record<string, string>>
  readonly origin?: string
  readonly autoPong?: boolean
  /** ms that `next` waits. */
  readonly patience?: number
}

type Of<T extends ServerType> = Extract<ServerMessage, { type: T }>

/** A real WebSocket client that keeps what it gets until a test asks for it. */
export class Client {
  readonly socket: WebSocket
  readonly received: ServerMessage[] = []
  /** The HTTP status and body when the upgrade was refused. */
  readonly refused: Promise<{ status: number; body: string }>
  readonly opened: Promise<void>
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #patience: number
  #taken = new Set<ServerMessage>()
  #wake: (() => void)[] = []

  constructor(url: string, options: ClientOptions = {}) {
    const { protocol = ['json'], headers = {}, origin, autoPong = true, patience = 3000 } = options
    this.#patience = patience
    this.socket = new WebSocket(url, protocol, { headers, autoPong, ...(origin === undefined ? {} : { origin }) })
    this.socket.on('error', () => {})
    this.socket.on('message', (data) => {
      this.received.push(JSON.parse(String(data)))
      for (const wake of this.#wake.splice(0)) wake()
    })
    this.opened = new Promise((resolve) => this.socket.once('open', resolve))
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
    })
    this.refused = new Promise((resolve) => {
      this.socket.on('unexpected-response', (_request, response) => {
        let body = ''
        response.on('data', (chunk) => {
          body += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      })
    })
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message))
  }

  /** The next message of a type that no test has taken yet, be it here already or still to come. */
  async next<T extends ServerType>(type: T, where: (message: Of<T>) => boolean = () => true): Promise<Of<T>> {
    const deadline = Date.now() + this.#patience
    for (;;) {
      const found = this.received.find((m) => m.type === type && !this.#taken.has(m) && where(m as Of<T>))
      if (found !== undefined) {
        this.#taken.add(found)
        return found as Of<T>
      }
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`no ${type} came; got ${JSON.stringify(this.received.map((m) => m.type))}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** The types received after a round trip through the server: whatever was sent to this client before is in it. */
  async settled(): Promise<string[]> {
    this.send({ type: 'ice-servers' })
    await this.next('ice-servers')
    return this.received.map((message) => message.type)
  }
}
