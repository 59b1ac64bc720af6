/** What a compliance case is, and what it gets. */
import { expect } from 'vitest'
import { type ClientTransport, TestClient } from './client.ts'
import { PEERS, type Relay, SERVER, type Settings } from './engines.ts'
import { Peer } from './peer.ts'

export interface Case {
  /** Section and rule: the title of the test, and what an engine's declarations call it by. */
  readonly name: string
  /** Set for cases that need an IPv6 loopback address on this host. */
  readonly ipv6?: boolean | undefined
  readonly run: (stage: Stage) => Promise<void>
}

export type Section = (add: (name: string, run: Case['run'], needs?: { readonly ipv6: boolean }) => void) => void

/** Milliseconds: for what must come, and for what an engine is declared not to do. */
export const PATIENCE = { supported: 5000, unsupported: 500 } as const

export interface StageOptions {
  readonly patience: number
  /** A running relay with these settings, and with a relayed address of IPv6 or without; the same for the same. */
  readonly relay: (settings: Settings, ipv6?: boolean) => Promise<Relay>
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
  /** The relay has an IPv6 address too. */
  readonly ipv6?: boolean
}

/** Makes the clients and peers of one case. */
export class Stage {
  readonly relay: StageOptions['relay']
  readonly #options: StageOptions

  constructor(options: StageOptions) {
    this.relay = options.relay
    this.#options = options
  }

  async client(wanted: ClientOptions = {}): Promise<TestClient> {
    const { transport = 'udp', user = 'ada', localPort, settings = {}, ipv6 } = wanted
    const relay = await this.relay(settings, ipv6)
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
