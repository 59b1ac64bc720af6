import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { type ClientOutput, type Endpoint, Transport, TurnClient } from '@hairpin/stun'
import { steadyNow } from '../../src/net/driver.ts'
import { StreamFramer } from '../../src/net/streams/framer.ts'

interface Credentials {
  readonly username: string
  readonly credential: string
}
type EventOf<T extends ClientOutput['type']> = Extract<ClientOutput, { type: T }>

/** The sans-IO TURN client on one stream, until that becomes a data connection. */
class StreamSession {
  readonly socket: Socket
  readonly core: TurnClient
  readonly #framer = new StreamFramer(65_556)
  readonly #events: ClientOutput[] = []
  #wake: (() => void) | undefined

  constructor(socket: Socket, { username, credential }: Credentials) {
    this.socket = socket
    this.core = new TurnClient({
      username,
      password: credential,
      randomBytes,
      reliable: true,
      requestedTransport: Transport.Tcp,
    })
    socket.on('error', () => {})
    socket.on('data', this.#received)
  }

  perform(outputs: readonly ClientOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'send') this.socket.write(output.bytes)
      else this.#events.push(output)
    }
    this.#wake?.()
  }

  async next<T extends ClientOutput['type']>(types: readonly T[], milliseconds = 5000): Promise<EventOf<T>> {
    const until = performance.now() + milliseconds
    for (;;) {
      const at = this.#events.findIndex(({ type }) => types.includes(type as T))
      if (at >= 0) return this.#events.splice(at, 1)[0] as EventOf<T>
      if (performance.now() > until) throw new Error(`no ${types.join()}, but ${JSON.stringify(this.#events)}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        setTimeout(resolve, 50)
      })
    }
  }

  /** The chunk that brings the last answer may bring the peer's first bytes: they stay in the socket. */
  readonly #received = (chunk: Buffer) => {
    this.#framer.push(chunk, (frame) => {
      const outputs = this.core.receive(frame, steadyNow())
      const bound = outputs.some(({ type }) => type === 'connectionBound')
      if (bound) {
        this.socket.off('data', this.#received)
        this.socket.pause()
        const { rest } = this.#framer
        if (rest !== undefined && rest.length > 0) this.socket.unshift(rest)
      }
      this.perform(outputs)
      return !bound
    })
  }
}

/** A client with a TCP allocation (RFC 6062) over connections of its own making, TCP or TLS. */
export class TcpAllocationClient {
  readonly control: StreamSession
  readonly #open: () => Promise<Socket>
  readonly #credentials: Credentials

  private constructor(control: StreamSession, open: () => Promise<Socket>, credentials: Credentials) {
    this.control = control
    this.#open = open
    this.#credentials = credentials
  }

  /** @param open connects to the relay; asked again for each data connection */
  static async over(open: () => Promise<Socket>, credentials: Credentials): Promise<TcpAllocationClient> {
    return new TcpAllocationClient(new StreamSession(await open(), credentials), open, credentials)
  }

  async allocate(): Promise<Endpoint> {
    this.control.perform(this.control.core.allocate(steadyNow()))
    return (await this.control.next(['allocated'])).relayed
  }

  async permit(peer: Endpoint): Promise<void> {
    this.control.perform(this.control.core.createPermission([peer], steadyNow()))
    await this.control.next(['permitted'])
  }

  /** The id of a connection to the peer, or the error code. */
  async connect(peer: Endpoint): Promise<{ id: number } | { code: number }> {
    this.control.perform(this.control.core.connect(peer, steadyNow()))
    const answer = await this.control.next(['connected', 'failed'], 40_000)
    return answer.type === 'connected' ? { id: answer.connection } : { code: answer.code }
  }

  /** The next peer that connects. */
  async attempt(): Promise<{ id: number; peer: Endpoint }> {
    const { connection, peer } = await this.control.next(['connectionAttempt'])
    return { id: connection, peer }
  }

  /** A new connection, bound to this one of a peer: halted. Or the error code. */
  async bind(id: number): Promise<Socket | { code: number }> {
    const session = new StreamSession(await this.#open(), this.#credentials)
    session.perform(session.core.connectionBind(id, steadyNow()))
    const answer = await session.next(['connectionBound', 'failed'])
    return answer.type === 'connectionBound' ? session.socket : { code: answer.code }
  }

  /** A data connection to the peer. */
  async reach(peer: Endpoint): Promise<Socket> {
    const connected = await this.connect(peer)
    if ('code' in connected) throw new Error(`Connect drew ${connected.code}`)
    return this.bound(connected.id)
  }

  async bound(id: number): Promise<Socket> {
    const socket = await this.bind(id)
    if ('code' in socket) throw new Error(`ConnectionBind drew ${socket.code}`)
    return socket
  }

  async release(): Promise<void> {
    this.control.perform(this.control.core.close(steadyNow()))
    await this.control.next(['closed'])
  }
}
