/**
 * The control phase: many TURN clients, each on a UDP socket of its own, that allocate, permit and bind a channel.
 * Built for throughput on one core, so it speaks the codec directly; a request is repeated twice when nothing answers.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import {
  Attribute,
  Class,
  decodeErrorCode,
  decodeText,
  decodeXorAddress,
  encodeChannelNumber,
  encodeLifetime,
  encodeRequestedTransport,
  encodeText,
  encodeXorAddress,
  longTermKey,
  type Message,
  MessageWriter,
  Method,
  parseMessage,
  Transport,
} from '@hairpin/stun'
import type { Address } from './plan.ts'

export interface Credentials {
  readonly username: string
  readonly password: string
}

export const CHANNEL = 0x4000
const TIMEOUT_MS = 1_000
const ATTEMPTS = 3

type Attributes = readonly (readonly [number, Uint8Array])[]

let transactions = 0

export class TurnClient {
  readonly local: Address
  readonly #server: Address
  readonly #credentials: Credentials
  #socket: Socket | undefined
  #realm = ''
  #nonce = ''
  #key: Uint8Array | undefined
  #pending: { readonly id: Uint8Array; readonly resolve: (answer: Message) => void } | undefined

  constructor(local: Address, server: Address, credentials: Credentials) {
    this.local = local
    this.#server = server
    this.#credentials = credentials
  }

  /** Binds the socket (again, after `release`). */
  async open(): Promise<void> {
    const socket = createSocket('udp4', (bytes) => this.#answer(bytes))
    this.#socket = socket
    // What a refused send means shows as a request that nothing answers.
    socket.on('error', () => {})
    socket.bind({ port: this.local.port, address: this.local.address, exclusive: true })
    await once(socket, 'listening')
  }

  /** Gives the port to the data phase. */
  release(): Promise<void> {
    const socket = this.#socket
    this.#socket = undefined
    return new Promise((resolve) => (socket ? socket.close(() => resolve()) : resolve()))
  }

  /** @returns the relayed transport address. */
  async allocate(): Promise<Address> {
    const answer = await this.#request(Method.Allocate, [
      [Attribute.RequestedTransport, encodeRequestedTransport(Transport.Udp)],
    ])
    const relayed = answer.get(Attribute.XorRelayedAddress)
    const address = relayed && decodeXorAddress(relayed, answer.transactionId)
    if (!address) throw new Error('Allocate: no relayed address in the answer')
    return address
  }

  async permit(peer: Address): Promise<void> {
    await this.#request(Method.CreatePermission, (id) => [[Attribute.XorPeerAddress, encodeXorAddress(peer, id)]])
  }

  async bindChannel(peer: Address): Promise<void> {
    await this.#request(Method.ChannelBind, (id) => [
      [Attribute.ChannelNumber, encodeChannelNumber(CHANNEL)],
      [Attribute.XorPeerAddress, encodeXorAddress(peer, id)],
    ])
  }

  /** Refresh with lifetime 0. */
  async deallocate(): Promise<void> {
    await this.#request(Method.Refresh, [[Attribute.Lifetime, encodeLifetime(0)]])
  }

  async #request(method: number, attributes: Attributes | ((id: Uint8Array) => Attributes)): Promise<Message> {
    // The first answer may be a challenge and the second a stale nonce; a third is an error.
    for (let round = 0; ; round++) {
      const answer = await this.#exchange(method, attributes)
      if (answer.class === Class.Success) return answer
      const value = answer.get(Attribute.ErrorCode)
      const error = value && decodeErrorCode(value)
      if (round === 2 || (error?.code !== 401 && error?.code !== 438) || !this.#challenged(answer))
        throw new Error(`method ${method} answered ${error?.code ?? 'an error without a code'} ${error?.reason ?? ''}`)
    }
  }

  #challenged(answer: Message): boolean {
    const realm = decodeText(answer.get(Attribute.Realm) ?? new Uint8Array()) ?? ''
    const nonce = decodeText(answer.get(Attribute.Nonce) ?? new Uint8Array()) ?? ''
    if (realm !== this.#realm || !this.#key) this.#key = sharedKey(this.#credentials, realm)
    this.#realm = realm
    this.#nonce = nonce
    return realm !== '' && nonce !== ''
  }

  #exchange(method: number, attributes: Attributes | ((id: Uint8Array) => Attributes)): Promise<Message> {
    const id = new Uint8Array(12)
    new DataView(id.buffer).setUint32(0, process.pid)
    new DataView(id.buffer).setUint32(8, ++transactions)
    const writer = new MessageWriter(method, Class.Request, id)
    for (const [type, value] of typeof attributes === 'function' ? attributes(id) : attributes)
      writer.attribute(type, value)
    if (this.#key) {
      writer
        .attribute(Attribute.Username, encodeText(this.#credentials.username))
        .attribute(Attribute.Realm, encodeText(this.#realm))
        .attribute(Attribute.Nonce, encodeText(this.#nonce))
        .integrity(this.#key)
    }
    const bytes = writer.finish()
    return new Promise((resolve, reject) => {
      let attempts = 1
      const send = () => this.#socket?.send(bytes, this.#server.port, this.#server.address)
      const timer = setInterval(() => {
        if (attempts++ < ATTEMPTS) return send()
        clearInterval(timer)
        this.#pending = undefined
        reject(new Error(`method ${method}: no answer in ${(TIMEOUT_MS * ATTEMPTS) / 1e3} s`))
      }, TIMEOUT_MS)
      this.#pending = {
        id,
        resolve: (answer) => {
          clearInterval(timer)
          this.#pending = undefined
          resolve(answer)
        },
      }
      send()
    })
  }

  #answer(bytes: Buffer): void {
    const parsed = parseMessage(bytes)
    if (!parsed.ok || parsed.message.class === Class.Indication) return
    if (this.#pending && Buffer.compare(this.#pending.id, parsed.message.transactionId) === 0)
      this.#pending.resolve(parsed.message)
  }
}

let keyed: { readonly username: string; readonly realm: string; readonly key: Uint8Array } | undefined

/** All clients of a run share one user: hash it once. */
function sharedKey({ username, password }: Credentials, realm: string): Uint8Array {
  if (keyed?.username !== username || keyed.realm !== realm)
    keyed = { username, realm, key: longTermKey(username, realm, password) }
  return keyed.key
}
