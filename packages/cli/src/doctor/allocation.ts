import { randomBytes } from 'node:crypto'
import type { RelayTarget } from '@hairpin/checks'
import { type ClientOutput, type Endpoint, TurnClient } from '@hairpin/stun'
import { RefusedError, timeout } from './trouble.ts'
import { openWire, type Wire } from './wire.ts'

type EventOf<T extends ClientOutput['type']> = Extract<ClientOutput, { type: T }>

/** Milliseconds in which the relay has to answer a request. */
export const answerLimit = 6_000

interface Waiting {
  readonly type: ClientOutput['type']
  readonly resolve: (event: never) => void
  readonly reject: (error: unknown) => void
}

/** The sans-IO client of packages/stun on a socket, with one allocation. */
export class Allocation {
  readonly wire: Wire
  readonly #core: TurnClient
  readonly #limit: number
  #waiting: Waiting | undefined
  #timer: NodeJS.Timeout | undefined
  onData: ((payload: Uint8Array) => void) | undefined

  /** Connects only. Rejects with what the network did. @param family of the relayed address; IPv4 when left out */
  static async open(target: RelayTarget, address: string, limit: number, family?: 4 | 6): Promise<Allocation> {
    return new Allocation(target, await openWire(target, address), limit, family)
  }

  private constructor({ username, credential, transport }: RelayTarget, wire: Wire, limit: number, family?: 4 | 6) {
    this.wire = wire
    this.#limit = limit
    this.#core = new TurnClient({
      username,
      password: credential,
      randomBytes,
      reliable: transport !== 'udp',
      ...(family === undefined ? {} : { family }),
    })
    wire.onFrame = (bytes) => this.#perform(this.#core.receive(bytes, performance.now()))
    wire.onBroken = (error) => this.#waiting?.reject(error)
  }

  /** @throws RefusedError, TroubleError */
  allocate(): Promise<EventOf<'allocated'>> {
    return this.#ask('allocated', (core, now) => core.allocate(now))
  }

  /** @throws RefusedError, TroubleError */
  async permit(peer: Endpoint): Promise<void> {
    await this.#ask('permitted', (core, now) => core.createPermission([peer], now))
  }

  /** @throws RefusedError, TroubleError */
  async bind(peer: Endpoint): Promise<void> {
    await this.#ask('channelBound', (core, now) => core.channelBind(peer, now))
  }

  send(peer: Endpoint, payload: Uint8Array): void {
    this.wire.send(this.#core.send(peer, payload))
  }

  /** Gives the allocation up, or lets it expire if the relay does not answer in a moment. */
  async end(): Promise<void> {
    if (this.#core.relayed) await this.#ask('closed', (core, now) => core.close(now), 1_000).catch(() => {})
    clearTimeout(this.#timer)
    this.wire.close()
  }

  #ask<T extends ClientOutput['type']>(
    type: T,
    start: (core: TurnClient, now: number) => ClientOutput[],
    limit = this.#limit,
  ): Promise<EventOf<T>> {
    return new Promise<EventOf<T>>((resolve, reject) => {
      const timer = setTimeout(() => reject(timeout('no answer', limit)), limit)
      this.#waiting = {
        type,
        resolve(event) {
          clearTimeout(timer)
          resolve(event)
        },
        reject(error) {
          clearTimeout(timer)
          reject(error)
        },
      }
      this.#perform(start(this.#core, performance.now()))
    }).finally(() => {
      this.#waiting = undefined
    })
  }

  #perform(outputs: readonly ClientOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'send') this.wire.send(output.bytes)
      else if (output.type === 'data') this.onData?.(output.payload)
      else if (output.type === 'failed') this.#waiting?.reject(new RefusedError(output.code, output.reason))
      else if (output.type === this.#waiting?.type) this.#waiting.resolve(output as never)
    }
    clearTimeout(this.#timer)
    const wait = this.#core.nextDeadline - performance.now()
    if (Number.isFinite(wait))
      this.#timer = setTimeout(() => this.#perform(this.#core.handleTimeout(performance.now())), Math.max(0, wait))
  }
}
