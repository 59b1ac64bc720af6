import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type ClientOutput, type Endpoint, TurnClient } from '@hairpin/stun'
import { steadyNow } from '../../src/net/driver.ts'
import { StreamFramer } from '../../src/net/streams/framer.ts'

type EventOf<T extends ClientOutput['type']> = Extract<ClientOutput, { type: T }>

/** The sans-IO TURN client on a TCP or TLS connection; as RelayClient otherwise. */
export class StreamRelayClient {
  readonly socket: Socket
  readonly #core: TurnClient
  readonly #framer = new StreamFramer(65_556)
  readonly #events: ClientOutput[] = []

  /** @param socket connected, or about to be */
  constructor(socket: Socket, { username, credential }: { username: string; credential: string }) {
    this.socket = socket
    this.#core = new TurnClient({ username, password: credential, randomBytes, reliable: true })
    socket.on('error', () => {})
    socket.on('data', (chunk) =>
      this.#framer.push(chunk, (frame) => {
        this.perform(this.#core.receive(frame, steadyNow()))
        return true
      }),
    )
  }

  async allocate(): Promise<Endpoint> {
    this.perform(this.#core.allocate(steadyNow()))
    return (await this.next('allocated')).relayed
  }

  async bind(peer: Endpoint): Promise<number> {
    this.perform(this.#core.channelBind(peer, steadyNow()))
    return (await this.next('channelBound')).channel
  }

  async release(): Promise<void> {
    this.perform(this.#core.close(steadyNow()))
    await this.next('closed')
  }

  send(peer: Endpoint, payload: Uint8Array): void {
    this.socket.write(this.#core.send(peer, payload))
  }

  async receive(): Promise<Buffer> {
    return Buffer.from((await this.next('data')).payload)
  }

  /** Events of this type that have come and were not asked for yet. */
  waiting(type: ClientOutput['type']): number {
    return this.#events.filter((event) => event.type === type).length
  }

  async next<T extends ClientOutput['type']>(type: T, milliseconds = 5000): Promise<EventOf<T>> {
    const until = performance.now() + milliseconds
    for (;;) {
      const at = this.#events.findIndex((event) => event.type === type)
      if (at >= 0) return this.#events.splice(at, 1)[0] as EventOf<T>
      if (performance.now() > until)
        throw new Error(`no "${type}", but ${JSON.stringify(this.#events.map((event) => event.type))}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  perform(outputs: readonly ClientOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'send') this.socket.write(output.bytes)
      else this.#events.push(output)
    }
  }
}

/** A TCP connection that the relay closed resolves with what it sent before. */
export async function closedBy(socket: Socket, milliseconds = 5000): Promise<Buffer> {
  const got: Buffer[] = []
  socket.on('data', (chunk) => got.push(chunk))
  socket.on('error', () => {})
  if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(milliseconds) })
  return Buffer.concat(got)
}

export async function connected(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host, noDelay: true })
  await once(socket, 'connect')
  return socket
}
