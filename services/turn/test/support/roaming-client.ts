import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type ClientOutput, type Endpoint, TurnClient } from '@hairpin/stun'
import { steadyNow } from '../../src/net/driver.ts'
import { StreamFramer } from '../../src/net/streams/framer.ts'
import { bindUdp } from '../../src/net/udp-socket.ts'
import { connected } from './stream-client.ts'

type EventOf<T extends ClientOutput['type']> = Extract<ClientOutput, { type: T }>

/** One way to the relay; `receive` gets what comes by it. */
interface Path {
  readonly send: (bytes: Uint8Array) => void
  readonly close: () => Promise<void>
}

/**
 * A client with a ticket that goes from one socket to another, of UDP or TCP. Payloads must be multiples of four bytes: it
 * does not pad.
 */
export class RoamingClient {
  readonly #relay: { readonly address: string; readonly port: number; readonly tcpPort: number }
  readonly #core: TurnClient
  readonly #events: ClientOutput[] = []
  readonly #timer: NodeJS.Timeout
  readonly #open = new Set<Path>()
  #path: Path | undefined
  /** How many messages came by the path that is used now. */
  heard = 0

  constructor(
    relay: { address: string; port: number; tcpPort: number },
    credential: { username: string; password: string },
  ) {
    this.#relay = relay
    this.#core = new TurnClient({ ...credential, randomBytes, mobility: true })
    this.#timer = setInterval(() => this.#perform(this.#core.handleTimeout(steadyNow())), 100)
  }

  /** Opens a socket and uses it from now on; the former stays open. Gives a function that closes the former. */
  async over(transport: 'udp' | 'tcp'): Promise<() => Promise<void>> {
    const before = this.#path
    const path = transport === 'udp' ? this.#udp() : await this.#tcp()
    this.#path = path
    this.#open.add(path)
    this.heard = 0
    return async () => {
      if (before && this.#open.delete(before)) await before.close()
    }
  }

  async allocate(): Promise<Endpoint> {
    this.#perform(this.#core.allocate(steadyNow()))
    return (await this.next('allocated')).relayed
  }

  async bind(peer: Endpoint): Promise<void> {
    this.#perform(this.#core.channelBind(peer, steadyNow()))
    await this.next('channelBound')
  }

  /** Shows its ticket by the path that is used now. */
  async move(): Promise<void> {
    this.#perform(this.#core.move(steadyNow()))
    await this.next('refreshed')
  }

  async release(): Promise<void> {
    this.#perform(this.#core.close(steadyNow()))
    await this.next('closed')
  }

  send(peer: Endpoint, text: string): void {
    this.#path!.send(this.#core.send(peer, Buffer.from(text)))
  }

  async receive(): Promise<string> {
    return Buffer.from((await this.next('data')).payload).toString()
  }

  async next<T extends ClientOutput['type']>(type: T, milliseconds = 5000): Promise<EventOf<T>> {
    const until = performance.now() + milliseconds
    for (;;) {
      const at = this.#events.findIndex((event) => event.type === type)
      if (at >= 0) return this.#events.splice(at, 1)[0] as EventOf<T>
      if (performance.now() > until) throw new Error(`no "${type}", but ${JSON.stringify(this.#events)}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    for (const path of this.#open) await path.close()
  }

  #udp(): Path {
    const { address, port } = this.#relay
    const socket = bindUdp({ address, port: 0, family: 4 })
    const path: Path = {
      send: (bytes) => socket.send(bytes, port, address),
      close: async () => void socket.close(),
    }
    socket.on('message', (bytes) => this.#received(path, bytes))
    return path
  }

  async #tcp(): Promise<Path> {
    const socket = await connected(this.#relay.tcpPort, this.#relay.address)
    const framer = new StreamFramer(65_556)
    const path: Path = {
      send: (bytes) => void socket.write(bytes),
      close: async () => {
        socket.destroy()
        if (!socket.closed) await once(socket, 'close')
      },
    }
    socket.on('error', () => {})
    socket.on('data', (chunk) =>
      framer.push(chunk, (frame) => {
        this.#received(path, frame)
        return true
      }),
    )
    return path
  }

  #received(path: Path, bytes: Uint8Array): void {
    if (path === this.#path) this.heard++
    this.#perform(this.#core.receive(bytes, steadyNow()))
  }

  #perform(outputs: readonly ClientOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'send') this.#path?.send(output.bytes)
      else this.#events.push(output)
    }
  }
}
