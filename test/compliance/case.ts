/** What a compliance case is, and what it gets. */
import { expect } from 'vitest'
import { type ClientTransport, TestClient } from './client.ts'
import { PEERS, type Relay, SERVER, type Settings } from './engines.ts'
import { Peer } from './peer.ts'

export interface Case {
  /** Section and rule: the title of the test, and what an engine's declarations call it by. */
  readonly name: string
  readonly run: (stage: Stage) => Promise<void>
}

export type Section = (add: (name: string, run: Case['run']) => void) => void

/** Milliseconds: for what must come, and for what an engine is declared not to do. */
export const PATIENCE = { supported: 5000, unsupported: 500 } as const

export interface StageOptions {
  readonly patience: number
  /** A running relay with these settings; the same for the same settings. */
  readonly relay: (settings: Settings) => Promise<Relay>
  /**
   * Takes what is to be closed when the relays have ended, not before: an allocation that a case leaves behind must not
   * be met by another client on the same port.
   */
  readonly opened: (closable: { close(): void }) => void
}

export interface ClientOptions {
  readonly transport?: ClientTransport
  readonly user?: string
  readonly localPort?: number
  readonly settings?: Settings
}

/** Makes the clients and peers of one case. */
export class Stage {
  readonly relay: StageOptions['relay']
  readonly #options: StageOptions

  constructor(options: StageOptions) {
    this.relay = options.relay
    this.#options = options
  }

  async client({ transport = 'udp', user = 'ada', localPort, settings = {} }: ClientOptions = {}): Promise<TestClient> {
    const relay = await this.relay(settings)
    const { patience, opened } = this.#options
    const options = { server: SERVER, transport, credentials: relay.credentials(user), patience }
    const client = await TestClient.open(relay.port(transport), { ...options, localPort })
    opened(client)
    return client
  }

  /** A client that has been told realm and nonce. */
  async challenged(options: ClientOptions = {}): Promise<TestClient> {
    const client = await this.client(options)
    await client.challenge()
    return client
  }

  /** A client with an allocation. */
  async allocated(options: ClientOptions = {}) {
    const client = await this.client(options)
    return { client, relayed: await client.allocate() }
  }

  peer(address: string = PEERS[0]): Peer {
    const peer = new Peer(address, this.#options.patience)
    this.#options.opened(peer)
    return peer
  }
}

/** Nothing was answered to what the client has sent. */
export async function expectSilence(client: TestClient): Promise<void> {
  expect(await client.answers()).toEqual([])
}
