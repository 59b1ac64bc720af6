import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:dgram'
import { type ClientOutput, type Endpoint, familyOf, TurnClient, type TurnClientOptions } from '@hairpin/stun'
import { steadyNow } from '../../src/net/driver.ts'
import { bindUdp } from '../../src/net/udp-socket.ts'

type EventOf<T extends ClientOutput['type']> = Extract<ClientOutput, { type: T }>

/** The sans-IO TURN client on a UDP socket of loopback: each call resolves with the event it leads to. */
export class RelayClient {
  readonly socket: Socket
  readonly #core: TurnClient
  readonly #server: Endpoint
  readonly #events: ClientOutput[] = []
  readonly #timer: NodeJS.Timeout
  #wake: (() => void) | undefined

  /** @param from address of its socket; @param tick milliseconds between looks at its timers, for clients in their thousands */
  constructor(
    server: { address: string; port: number },
    options: Omit<TurnClientOptions, 'randomBytes'>,
    { from = server.address, tick = 100 } = {},
  ) {
    this.#server = { ...server, family: familyOf(server.address) }
    this.#core = new TurnClient({ ...options, randomBytes })
    this.socket = bindUdp({ address: from, port: 0, family: familyOf(server.address) })
    this.socket.on('message', (bytes) => this.#perform(this.#core.receive(bytes, steadyNow())))
    this.#timer = setInterval(() => this.#perform(this.#core.handleTimeout(steadyNow())), tick)
  }

  async allocate(): Promise<Endpoint> {
    return (await this.allocated()).relayed
  }

  /** Allocates; all that the answer says. */
  async allocated(): Promise<EventOf<'allocated'>> {
    this.#perform(this.#core.allocate(steadyNow()))
    return await this.next('allocated')
  }

  /** Asks for an allocation that is refused; gives the code. */
  async allocateRefused(): Promise<number> {
    this.#perform(this.#core.allocate(steadyNow()))
    return (await this.next('failed')).code
  }

  /** @param lifetime seconds; 0 gives the relayed address of that family up */
  async refresh(lifetime?: number, family?: 4 | 6): Promise<number> {
    this.#perform(this.#core.refresh(steadyNow(), lifetime, family))
    return (await this.next('refreshed')).lifetime
  }

  async permit(peer: Endpoint): Promise<void> {
    this.#perform(this.#core.createPermission([peer], steadyNow()))
    await this.next('permitted')
  }

  async bind(peer: Endpoint): Promise<number> {
    this.#perform(this.#core.channelBind(peer, steadyNow()))
    return (await this.next('channelBound')).channel
  }

  /** Asks for a channel that is refused; gives the code. */
  async bindRefused(peer: Endpoint): Promise<number> {
    this.#perform(this.#core.channelBind(peer, steadyNow()))
    return (await this.next('failed')).code
  }

  async release(): Promise<void> {
    this.#perform(this.#core.close(steadyNow()))
    await this.next('closed')
  }

  send(peer: Endpoint, text: string): void {
    this.sendRaw(this.#core.send(peer, Buffer.from(text)))
  }

  sendRaw(bytes: Uint8Array): void {
    this.socket.send(bytes, this.#server.port, this.#server.address)
  }

  async receive(): Promise<{ text: string; from: Endpoint; channel: number | undefined }> {
    const { payload, peer, channel } = await this.next('data')
    return { text: Buffer.from(payload).toString(), from: peer, channel }
  }

  async next<T extends ClientOutput['type']>(type: T, milliseconds = 3000): Promise<EventOf<T>> {
    const until = performance.now() + milliseconds
    for (;;) {
      const at = this.#events.findIndex((event) => event.type === type)
      if (at >= 0) return this.#events.splice(at, 1)[0] as EventOf<T>
      if (performance.now() > until)
        throw new Error(`no "${type}", but ${JSON.stringify(this.#events.map((event) => event.type))}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        setTimeout(resolve, 50)
      })
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.socket.close()
  }

  #perform(outputs: readonly ClientOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'send') this.sendRaw(output.bytes)
      else this.#events.push(output)
    }
    this.#wake?.()
  }
}
