/** A TURN client that sends exactly what a case asks for, over UDP, TCP or TLS: no timers, no retransmission. */
import { randomBytes } from 'node:crypto'
import type { Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import {
  Attribute,
  Class,
  copyBytes,
  decodeErrorCode,
  decodeXorAddress,
  type Endpoint,
  encodeChannelNumber,
  encodeLifetime,
  encodeRequestedTransport,
  encodeText,
  encodeXorAddress,
  familyOf,
  longTermKey,
  type Message,
  MessageWriter,
  Method,
  type PasswordAlgorithm,
  parseMessage,
  Transport,
} from '@hairpin/stun'
import { StreamFramer } from '../../services/turn/src/net/streams/framer.ts'
import { bindUdp } from '../../services/turn/src/net/udp-socket.ts'

/** A value, or one that needs the transaction id (XOR addresses). */
export type Value = Uint8Array | ((id: Uint8Array) => Uint8Array)
export type Pair = readonly [type: number, value: Value]
export type ClientTransport = 'udp' | 'tcp' | 'tls'

export interface Credentials {
  readonly username: string
  readonly password: string
}

export interface Ask {
  readonly id?: Uint8Array
  readonly class?: Class
  /** Default: `sha1` once the client has a nonce. */
  readonly integrity?: 'none' | 'sha1' | 'sha256' | 'both'
  /** With which the key is made; default MD5. */
  readonly algorithm?: PasswordAlgorithm
  readonly credentials?: Credentials
  readonly nonce?: Uint8Array
  /** In the place of USERNAME, REALM and NONCE. */
  readonly named?: readonly Pair[]
  /** Behind the integrity. */
  readonly after?: readonly Pair[]
  readonly fingerprint?: boolean
}

export const UDP_TRANSPORT: Pair = [Attribute.RequestedTransport, encodeRequestedTransport(Transport.Udp)]
export const peerAddress = (peer: { address: string; port: number }): Pair => [
  Attribute.XorPeerAddress,
  (id) => encodeXorAddress(peer, id),
]
export const lifetime = (seconds: number): Pair => [Attribute.Lifetime, encodeLifetime(seconds)]
export const channel = (number: number): Pair => [Attribute.ChannelNumber, encodeChannelNumber(number)]

/** 200 or the error code. */
export function codeOf(answer: Message): number {
  return answer.class === Class.Success ? 200 : (decodeErrorCode(answer.get(Attribute.ErrorCode)!)?.code ?? -1)
}

export function relayedOf(answer: Message): Endpoint {
  return decodeXorAddress(answer.get(Attribute.XorRelayedAddress)!, answer.transactionId)!
}

export class TestClient {
  readonly transport: ClientTransport
  readonly local: Endpoint
  readonly credentials: Credentials
  realm = ''
  nonce: Uint8Array = new Uint8Array(0)
  /** The other end is gone: streams only. */
  closed = false
  readonly #write: (bytes: Uint8Array) => void
  readonly #end: () => void
  readonly #patience: number
  readonly #inbox: Buffer[] = []
  #wake: (() => void) | undefined

  private constructor(socket: UdpSocket | Socket, port: number, options: OpenOptions) {
    this.transport = options.transport
    this.credentials = options.credentials
    this.#patience = options.patience
    const arrived = (bytes: Buffer) => {
      this.#inbox.push(bytes)
      this.#wake?.()
    }
    if ('write' in socket) {
      const { localAddress: address = '', localPort = 0 } = socket
      this.local = { address, port: localPort, family: 4 }
      this.#write = (bytes) => socket.write(bytes)
      this.#end = () => socket.destroy()
      const framer = new StreamFramer(65_556)
      socket.on('data', (chunk) =>
        framer.push(chunk, (frame) => {
          arrived(Buffer.from(frame))
          return true
        }),
      )
      socket.on('error', () => {})
      socket.on('close', () => {
        this.closed = true
        this.#wake?.()
      })
    } else {
      const { address, port: localPort } = socket.address()
      this.local = { address, port: localPort, family: familyOf(address) }
      this.#write = (bytes) => socket.send(bytes, port, options.server)
      this.#end = () => socket.close()
      socket.on('message', arrived)
    }
  }

  static async open(port: number, options: OpenOptions): Promise<TestClient> {
    const { server, transport, localPort = 0 } = options
    if (transport === 'udp')
      return new TestClient(bindUdp({ address: server, port: localPort, family: familyOf(server) }), port, options)
    const to = { host: server, port, noDelay: true, ...(localPort > 0 && { localAddress: server, localPort }) }
    const socket = transport === 'tls' ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to)
    await once(socket, transport === 'tls' ? 'secureConnect' : 'connect')
    return new TestClient(socket, port, options)
  }

  close(): void {
    this.#end()
  }

  send(bytes: Uint8Array): void {
    this.#write(bytes)
  }

  /** The next frame that `wanted` accepts; others stay for later calls. */
  async receive(wanted: (frame: Buffer) => boolean = () => true): Promise<Buffer> {
    const end = performance.now() + this.#patience
    for (;;) {
      const at = this.#inbox.findIndex(wanted)
      if (at >= 0) return this.#inbox.splice(at, 1)[0]!
      const left = end - performance.now()
      if (left <= 0 || this.closed) throw new Error(this.closed ? 'the connection was closed' : 'no answer')
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  build(method: number, pairs: readonly Pair[] = [], ask: Ask = {}): Uint8Array {
    const id = ask.id ?? randomBytes(12)
    const writer = new MessageWriter(method, ask.class ?? Class.Request, id)
    const write = (list: readonly Pair[]) => {
      for (const [type, value] of list) writer.attribute(type, typeof value === 'function' ? value(id) : value)
    }
    const integrity = ask.integrity ?? (this.nonce.length > 0 ? 'sha1' : 'none')
    write(pairs)
    if (integrity !== 'none') {
      const { username, password } = ask.credentials ?? this.credentials
      write(
        ask.named ?? [
          [Attribute.Username, encodeText(username)],
          [Attribute.Realm, encodeText(this.realm)],
          [Attribute.Nonce, ask.nonce ?? this.nonce],
        ],
      )
      const key = longTermKey(username, this.realm, password, ask.algorithm)
      if (integrity !== 'sha256') writer.integrity(key)
      if (integrity !== 'sha1') writer.integritySha256(key)
    }
    write(ask.after ?? [])
    if (ask.fingerprint) writer.fingerprint()
    return writer.finish()
  }

  /** Sends a request and gives its answer, whatever it is. */
  async ask(method: number, pairs: readonly Pair[] = [], ask: Ask = {}): Promise<Message> {
    const bytes = this.build(method, pairs, ask)
    this.send(bytes)
    return this.answer(bytes)
  }

  async code(method: number, pairs: readonly Pair[] = [], ask: Ask = {}): Promise<number> {
    return codeOf(await this.ask(method, pairs, ask))
  }

  async answer(request: Uint8Array): Promise<Message> {
    const id = copyBytes(request.subarray(8, 20))
    const frame = await this.receive((bytes) => bytes.length >= 20 && bytes.subarray(8, 20).equals(id))
    const parsed = parseMessage(frame)
    if (!parsed.ok) throw new Error(`malformed answer: ${parsed.reason}`)
    return parsed.message
  }

  /** Learns realm and nonce from a 401. */
  async challenge(): Promise<Message> {
    const answer = await this.ask(Method.Allocate, [UDP_TRANSPORT], { integrity: 'none' })
    this.realm = Buffer.from(answer.get(Attribute.Realm)!).toString()
    this.nonce = copyBytes(answer.get(Attribute.Nonce)!)
    return answer
  }

  async allocate(...pairs: readonly Pair[]): Promise<Endpoint> {
    if (this.nonce.length === 0) await this.challenge()
    const answer = await this.ask(Method.Allocate, [UDP_TRANSPORT, ...pairs])
    if (codeOf(answer) !== 200) throw new Error(`Allocate: ${codeOf(answer)}`)
    return relayedOf(answer)
  }

  permit(...peers: readonly Endpoint[]): Promise<number> {
    return this.code(Method.CreatePermission, peers.map(peerAddress))
  }

  bind(number: number, peer: Endpoint): Promise<number> {
    return this.code(Method.ChannelBind, [channel(number), peerAddress(peer)])
  }

  indicate(peer: Endpoint, payload: Uint8Array, ...more: readonly Pair[]): void {
    const pairs: Pair[] = [peerAddress(peer), [Attribute.Data, payload], ...more]
    this.send(this.build(Method.Send, pairs, { class: Class.Indication, integrity: 'none' }))
  }

  async dataIndication(): Promise<{ peer: Endpoint; payload: string }> {
    const parsed = parseMessage(await this.receive((bytes) => bytes.length >= 20 && bytes.readUInt16BE(0) === 0x0017))
    if (!parsed.ok) throw new Error(parsed.reason)
    const { message } = parsed
    const peer = decodeXorAddress(message.get(Attribute.XorPeerAddress)!, message.transactionId)!
    return { peer, payload: Buffer.from(message.get(Attribute.Data)!).toString() }
  }

  /** A whole ChannelData message, padding and all. */
  channelData(): Promise<Buffer> {
    return this.receive((bytes) => (bytes[0]! & 0xc0) === 0x40)
  }

  /**
   * Whatever was answered to what was sent so far: the server takes what comes from one client in order, so all of it is
   * here once a Binding is answered.
   */
  async answers(): Promise<readonly Buffer[]> {
    const binding = this.build(Method.Binding, [], { integrity: 'none' })
    this.send(binding)
    await this.answer(binding)
    return this.#inbox.splice(0)
  }
}

export interface OpenOptions {
  readonly server: string
  readonly transport: ClientTransport
  readonly credentials: Credentials
  /** Milliseconds until an answer that does not come is given up. */
  readonly patience: number
  readonly localPort?: number | undefined
}
