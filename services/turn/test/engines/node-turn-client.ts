import { createHmac, randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import {
  Attribute,
  Class,
  checkIntegrity,
  decodeErrorCode,
  decodeLifetime,
  decodeText,
  decodeXorAddress,
  type Endpoint,
  encodeChannelData,
  encodeChannelNumber,
  encodeLifetime,
  encodeRequestedTransport,
  encodeText,
  encodeXorAddress,
  isChannelData,
  longTermKey,
  type Message,
  MessageWriter,
  Method,
  parseMessage,
} from '@hairpin/stun'

/** A value, or one that needs the transaction id (XOR addresses). */
export type Value = Uint8Array | ((transactionId: Uint8Array) => Uint8Array)

export interface Credentials {
  readonly username: string
  readonly password: string
}

export const loopback = '127.0.0.1'
export const secret = 'the-secret-that-signs-credentials'

export function mint(user = 'demo/ada', ttl = 600, key = secret): Credentials {
  const username = `${Math.floor(Date.now() / 1000) + ttl}:${user}`
  return { username, password: createHmac('sha1', key).update(username).digest('base64') }
}

export const peerAddress =
  (port: number, address = loopback): Value =>
  (id) =>
    encodeXorAddress({ address, port }, id)

/** A TURN client without timers or retransmission: what a test sends is what goes out. */
export class TurnTestClient {
  readonly socket: Socket
  readonly port: number
  realm = ''
  nonce = ''
  readonly #server: number
  credentials: Credentials
  readonly #inbox: Buffer[] = []
  #wake: (() => void) | undefined

  private constructor(socket: Socket, server: number, credentials: Credentials) {
    this.socket = socket
    this.port = socket.address().port
    this.#server = server
    this.credentials = credentials
    socket.on('message', (bytes) => {
      this.#inbox.push(bytes)
      this.#wake?.()
    })
  }

  static async open(server: number, credentials: Credentials = mint()): Promise<TurnTestClient> {
    return new TurnTestClient(await udp(), server, credentials)
  }

  close(): void {
    this.socket.close()
  }

  send(bytes: Uint8Array): void {
    this.socket.send(bytes, this.#server, loopback)
  }

  /** The next datagram that `wanted` accepts; others stay for later calls. */
  async receive(wanted: (bytes: Buffer) => boolean = () => true, ms = 1_000): Promise<Buffer> {
    const end = Date.now() + ms
    for (;;) {
      const at = this.#inbox.findIndex(wanted)
      if (at >= 0) return this.#inbox.splice(at, 1)[0]!
      const left = end - Date.now()
      if (left <= 0) throw new Error(`nothing came within ${ms} ms`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  build(
    method: number,
    attributes: readonly [number, Value][],
    id = randomBytes(12),
    sign = this.nonce !== '',
  ): Buffer {
    const writer = new MessageWriter(method, Class.Request, id)
    for (const [type, value] of attributes) writer.attribute(type, typeof value === 'function' ? value(id) : value)
    if (sign) {
      writer.attribute(Attribute.Username, encodeText(this.credentials.username))
      writer.attribute(Attribute.Realm, encodeText(this.realm)).attribute(Attribute.Nonce, encodeText(this.nonce))
      writer.integrity(this.key)
    }
    return Buffer.from(writer.fingerprint().finish())
  }

  get key(): Uint8Array {
    return longTermKey(this.credentials.username, this.realm, this.credentials.password)
  }

  /** Sends a request and gives its answer, whatever it is. */
  async request(method: number, attributes: readonly [number, Value][] = [], id = randomBytes(12)): Promise<Message> {
    this.send(this.build(method, attributes, id))
    return this.answer(id)
  }

  async answer(id: Uint8Array): Promise<Message> {
    const parsed = parseMessage(await this.receive((bytes) => bytes.subarray(8, 20).equals(id)))
    if (!parsed.ok) throw new Error(`malformed answer: ${parsed.reason}`)
    return parsed.message
  }

  /** Learns realm and nonce from the 401. */
  async challenge(): Promise<Message> {
    const answer = await this.request(Method.Allocate, [[Attribute.RequestedTransport, encodeRequestedTransport(17)]])
    this.realm = decodeText(answer.get(Attribute.Realm)!)!
    this.nonce = decodeText(answer.get(Attribute.Nonce)!)!
    return answer
  }

  async allocate(): Promise<Endpoint> {
    if (this.nonce === '') await this.challenge()
    const answer = await this.request(Method.Allocate, [[Attribute.RequestedTransport, encodeRequestedTransport(17)]])
    if (codeOf(answer) !== 0) throw new Error(`Allocate: ${codeOf(answer)}`)
    return decodeXorAddress(answer.get(Attribute.XorRelayedAddress)!, answer.transactionId)!
  }

  refresh(lifetime?: number): Promise<Message> {
    return this.request(Method.Refresh, lifetime === undefined ? [] : [[Attribute.Lifetime, encodeLifetime(lifetime)]])
  }

  permit(port: number, address = loopback): Promise<Message> {
    return this.request(Method.CreatePermission, [[Attribute.XorPeerAddress, peerAddress(port, address)]])
  }

  bind(channel: number, port: number, address = loopback): Promise<Message> {
    return this.request(Method.ChannelBind, [
      [Attribute.ChannelNumber, encodeChannelNumber(channel)],
      [Attribute.XorPeerAddress, peerAddress(port, address)],
    ])
  }

  sendIndication(port: number, payload: Uint8Array, address = loopback): void {
    const id = randomBytes(12)
    const writer = new MessageWriter(Method.Send, Class.Indication, id)
    writer.attribute(Attribute.XorPeerAddress, encodeXorAddress({ address, port }, id))
    this.send(writer.attribute(Attribute.Data, payload).finish())
  }

  sendChannelData(channel: number, payload: Uint8Array): void {
    this.send(encodeChannelData(channel, payload))
  }

  /** Payload of the next Data indication. */
  async dataIndication(ms?: number): Promise<Buffer> {
    const parsed = parseMessage(await this.receive((bytes) => bytes.readUInt16BE(0) === 0x0017, ms))
    if (!parsed.ok) throw new Error(parsed.reason)
    return Buffer.from(parsed.message.get(Attribute.Data)!)
  }

  channelData(ms?: number): Promise<Buffer> {
    return this.receive(isChannelData, ms)
  }
}

export async function udp(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, loopback)
  await once(socket, 'listening')
  return socket
}

/** 0 for success. */
export function codeOf(answer: Message): number {
  return answer.class === Class.Success ? 0 : (decodeErrorCode(answer.get(Attribute.ErrorCode)!)?.code ?? -1)
}

export function lifetimeOf(answer: Message): number | undefined {
  return decodeLifetime(answer.get(Attribute.Lifetime)!)
}

export function isSigned(answer: Message, client: TurnTestClient): boolean {
  return checkIntegrity(answer, client.key)
}
