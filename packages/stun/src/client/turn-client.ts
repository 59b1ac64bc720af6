/**
 * A TURN client without I/O: RFC 8656 sections 6 to 12, long-term credentials by RFC 8489 section 9.2, TCP allocations by
 * RFC 6062 section 4.
 *
 * Invariant: every call takes `now` (milliseconds) and returns outputs to perform in order; nothing else happens.
 * Look at `nextDeadline` after each call and call `handleTimeout` when it comes.
 */
import { decodeXorAddress, encodeXorAddress } from '../attributes/address.ts'
import {
  decodeLifetime,
  encodeAddressFamily,
  encodeChannelNumber,
  encodeEvenPort,
  encodeLifetime,
  encodeRequestedTransport,
  Transport,
} from '../attributes/allocation.ts'
import { decodeConnectionId, encodeConnectionId } from '../attributes/connection-id.ts'
import { decodeAddressErrorCode, decodeErrorCode, decodeIcmp } from '../attributes/error-code.ts'
import { encodeText } from '../attributes/text.ts'
import { Attribute } from '../attributes/types.ts'
import { copyBytes } from '../bytes.ts'
import { decodeChannelData, encodeChannelData, isChannelData, MAX_CHANNEL, MIN_CHANNEL } from '../channel-data.ts'
import type { Endpoint } from '../endpoint.ts'
import { checkFingerprint } from '../fingerprint.ts'
import { Class, Method } from '../header.ts'
import { type Message, parseMessage } from '../message.ts'
import { MessageWriter } from '../writer.ts'
import { answerTo, isAuthentic, type Signature, sign } from './signature.ts'
import { Transactions } from './transactions.ts'
import type { ClientOutput, TurnClientOptions } from './types.ts'

type AttributePair = readonly [type: number, value: Uint8Array]

/** A request that may have to be built again, with another nonce and transaction id. */
interface Intent {
  readonly method: number
  readonly attributes: (id: Uint8Array) => AttributePair[]
  readonly done: (message: Message, now: number) => void
  /** How often it has been challenged: a 401 to signed credentials is final, 438 may come a few times. */
  challenges: number
}

/** What a request on its way was signed with. */
type Sent = Intent & { readonly signature: Signature | undefined }

interface Bound {
  readonly peer: Endpoint
  readonly channel: number
  bound: boolean
  refreshAt: number
}

/** Refresh well before the 300 s of a permission, which a ChannelBind renews too. */
const PEER_REFRESH = 240_000
const MAX_CHALLENGES = 3

export class TurnClient {
  readonly #options: TurnClientOptions
  readonly #transactions: Transactions<Sent>
  #outputs: ClientOutput[] = []
  #signature: Signature | undefined
  #ticket: Uint8Array | undefined
  #nextChannel = MIN_CHANNEL
  #refreshAt = Number.POSITIVE_INFINITY
  readonly #permissions = new Map<string, { readonly peer: Endpoint; refreshAt: number }>()
  readonly #channels = new Map<number, Bound>()
  readonly #channelsByPeer = new Map<string, Bound>()

  /** Set while there is an allocation. */
  relayed: Endpoint | undefined
  mapped: Endpoint | undefined

  constructor(options: TurnClientOptions) {
    this.#options = options
    this.#transactions = new Transactions(options.reliable ?? false)
  }

  /** Binding, without credentials. Answer: `mapped`. */
  binding(now: number): ClientOutput[] {
    const done = (message: Message) => {
      const mapped = this.#address(message, Attribute.XorMappedAddress)
      if (mapped) this.#emit({ type: 'mapped', mapped })
      else this.#fail(Method.Binding, 0, 'no mapped address in the answer')
    }
    return this.#request({ method: Method.Binding, attributes: () => [], done, challenges: 0 }, now)
  }

  /** Allocate; the server's challenge is answered. Answer: `allocated` or `failed`. */
  allocate(now: number): ClientOutput[] {
    const o = this.#options
    const attributes: AttributePair[] = [
      [Attribute.RequestedTransport, encodeRequestedTransport(o.requestedTransport ?? Transport.Udp)],
    ]
    if (o.lifetime !== undefined) attributes.push([Attribute.Lifetime, encodeLifetime(o.lifetime)])
    if (o.family) attributes.push([Attribute.RequestedAddressFamily, encodeAddressFamily(o.family)])
    if (o.dual) attributes.push([Attribute.AdditionalAddressFamily, encodeAddressFamily(6)])
    if (o.mobility) attributes.push([Attribute.MobilityTicket, EMPTY])
    if (o.evenPort) attributes.push([Attribute.EvenPort, encodeEvenPort(o.evenPort.reserve)])
    if (o.dontFragment) attributes.push([Attribute.DontFragment, new Uint8Array(0)])
    if (o.reservationToken) attributes.push([Attribute.ReservationToken, o.reservationToken])
    const done = (message: Message, at: number) => this.#allocated(message, at)
    return this.#request({ method: Method.Allocate, attributes: () => attributes, done, challenges: 0 }, now)
  }

  /** Refresh; done by itself before the lifetime ends unless `keepAlive` is false. @param lifetime seconds. @param family of one relayed address of two. */
  refresh(now: number, lifetime: number | undefined = this.#options.lifetime, family?: 4 | 6): ClientOutput[] {
    const attributes: AttributePair[] = lifetime === undefined ? [] : [[Attribute.Lifetime, encodeLifetime(lifetime)]]
    if (family) attributes.push([Attribute.RequestedAddressFamily, encodeAddressFamily(family)])
    const done = (message: Message, at: number) => {
      if (lifetime === 0 && !family) return this.#closed()
      const granted = decodeLifetime(message.get(Attribute.Lifetime) ?? new Uint8Array(0)) ?? 0
      this.#scheduleRefresh(granted, at)
      this.#emit({ type: 'refreshed', lifetime: granted })
    }
    return this.#request({ method: Method.Refresh, attributes: () => attributes, done, challenges: 0 }, now)
  }

  /** Deletes the allocation (Refresh with lifetime 0). Answer: `closed`. */
  close(now: number): ClientOutput[] {
    return this.refresh(now, 0)
  }

  /**
   * After its address has changed: takes the allocation along by the ticket that `mobility` brought (RFC 8016). Send the
   * outputs from the new address. Answer: `refreshed`.
   */
  move(now: number): ClientOutput[] {
    const ticket = this.#ticket
    if (!ticket) {
      this.#fail(Method.Refresh, 0, 'no ticket')
      return this.#drain()
    }
    const done = (message: Message, at: number) => {
      this.#ticket = ticketIn(message) ?? ticket
      const granted = decodeLifetime(message.get(Attribute.Lifetime) ?? EMPTY) ?? 0
      this.#scheduleRefresh(granted, at)
      this.#emit({ type: 'refreshed', lifetime: granted })
    }
    const attributes: AttributePair[] = [[Attribute.MobilityTicket, ticket]]
    return this.#request({ method: Method.Refresh, attributes: () => attributes, done, challenges: 0 }, now)
  }

  createPermission(peers: readonly Endpoint[], now: number): ClientOutput[] {
    const attributes = (id: Uint8Array) =>
      peers.map((peer): AttributePair => [Attribute.XorPeerAddress, encodeXorAddress(peer, id)])
    const done = (_: Message, at: number) => {
      for (const peer of peers) this.#permissions.set(peer.address, { peer, refreshAt: at + PEER_REFRESH })
      this.#emit({ type: 'permitted', peers })
    }
    return this.#request({ method: Method.CreatePermission, attributes, done, challenges: 0 }, now)
  }

  /** Binds the next free channel to the peer, or refreshes its own. Answer: `channelBound`. */
  channelBind(peer: Endpoint, now: number, channel?: number): ClientOutput[] {
    const bound = this.#channelsByPeer.get(textOf(peer)) ?? this.#reserveChannel(peer, channel)
    if (!bound) {
      this.#fail(Method.ChannelBind, 0, 'no channel number left')
      return this.#drain()
    }
    const attributes = (id: Uint8Array): AttributePair[] => [
      [Attribute.ChannelNumber, encodeChannelNumber(bound.channel)],
      [Attribute.XorPeerAddress, encodeXorAddress(peer, id)],
    ]
    const done = (_: Message, at: number) => {
      bound.bound = true
      bound.refreshAt = at + PEER_REFRESH
      this.#emit({ type: 'channelBound', peer, channel: bound.channel })
    }
    return this.#request({ method: Method.ChannelBind, attributes, done, challenges: 0 }, now)
  }

  /** Connects a TCP allocation to the peer (RFC 6062 section 4.3). Answer: `connected`. */
  connect(peer: Endpoint, now: number): ClientOutput[] {
    const attributes = (id: Uint8Array): AttributePair[] => [[Attribute.XorPeerAddress, encodeXorAddress(peer, id)]]
    const done = (message: Message) => {
      const connection = decodeConnectionId(message.get(Attribute.ConnectionId) ?? EMPTY)
      if (connection === undefined) return this.#fail(Method.Connect, 0, 'incomplete answer to Connect')
      this.#emit({ type: 'connected', peer, connection })
    }
    return this.#request({ method: Method.Connect, attributes, done, challenges: 0 }, now)
  }

  /**
   * Makes this client's stream the data connection of `connection` (section 4.3): of a client of its own, with the
   * credentials of the one that allocated. Answer: `connectionBound`; give `receive` nothing that comes after it.
   */
  connectionBind(connection: number, now: number): ClientOutput[] {
    const attributes = (): AttributePair[] => [[Attribute.ConnectionId, encodeConnectionId(connection)]]
    const done = () => this.#emit({ type: 'connectionBound', connection })
    return this.#request({ method: Method.ConnectionBind, attributes, done, challenges: 0 }, now)
  }

  /** Payload to a peer: ChannelData when a channel is bound, a Send indication otherwise. */
  send(peer: Endpoint, payload: Uint8Array): Uint8Array {
    const bound = this.#channelsByPeer.get(textOf(peer))
    if (bound?.bound) return encodeChannelData(bound.channel, payload, this.#options.reliable)
    const id = this.#options.randomBytes(12)
    return new MessageWriter(Method.Send, Class.Indication, id, payload.length + 64)
      .attribute(Attribute.XorPeerAddress, encodeXorAddress(peer, id))
      .attribute(Attribute.Data, payload)
      .finish()
  }

  /** One datagram or stream frame from the server. What is no answer to us is ignored. */
  receive(bytes: Uint8Array, now: number): ClientOutput[] {
    if (isChannelData(bytes)) {
      const frame = decodeChannelData(bytes)
      const bound = frame.ok ? this.#channels.get(frame.channel) : undefined
      if (frame.ok && bound) this.#emit({ type: 'data', peer: bound.peer, payload: frame.data, channel: frame.channel })
      return this.#drain()
    }
    const parsed = parseMessage(bytes)
    if (parsed.ok && checkFingerprint(parsed.message) !== 'invalid') this.#message(parsed.message, now)
    return this.#drain()
  }

  get nextDeadline(): number {
    let next = Math.min(this.#transactions.next, this.#refreshAt)
    if (this.#options.keepAlive === false) return next
    for (const { refreshAt } of this.#permissions.values()) next = Math.min(next, refreshAt)
    for (const { refreshAt } of this.#channels.values()) next = Math.min(next, refreshAt)
    return next
  }

  /** Sends again what was not answered, and refreshes what is about to expire. */
  handleTimeout(now: number): ClientOutput[] {
    const { again, over } = this.#transactions.due(now)
    for (const { bytes } of again) this.#emit({ type: 'send', bytes })
    for (const { context } of over) this.#fail(context.method, 0, 'no answer')
    if (this.#options.keepAlive === false) return this.#drain()
    const outputs = this.#drain()
    if (this.#refreshAt <= now) {
      this.#refreshAt = Number.POSITIVE_INFINITY
      outputs.push(...this.refresh(now))
    }
    for (const permission of this.#permissions.values()) {
      if (permission.refreshAt > now) continue
      permission.refreshAt = now + PEER_REFRESH
      outputs.push(...this.createPermission([permission.peer], now))
    }
    for (const bound of this.#channels.values()) {
      if (bound.refreshAt > now) continue
      bound.refreshAt = now + PEER_REFRESH
      outputs.push(...this.channelBind(bound.peer, now))
    }
    return outputs
  }

  #message(message: Message, now: number) {
    if (message.class === Class.Indication && message.method === Method.ConnectionAttempt) {
      const peer = this.#address(message, Attribute.XorPeerAddress)
      const connection = decodeConnectionId(message.get(Attribute.ConnectionId) ?? EMPTY)
      if (peer && connection !== undefined) this.#emit({ type: 'connectionAttempt', peer, connection })
      return
    }
    if (message.class === Class.Indication && message.method === Method.Data) {
      const peer = this.#address(message, Attribute.XorPeerAddress)
      const payload = message.get(Attribute.Data)
      const icmp = decodeIcmp(message.get(Attribute.Icmp) ?? EMPTY)
      if (peer && payload) this.#emit({ type: 'data', peer, payload })
      else if (peer && icmp) this.#emit({ type: 'unreachable', peer, icmp })
      return
    }
    if (message.class !== Class.Success && message.class !== Class.Error) return
    const transaction = this.#transactions.find(message.transactionId)
    if (!transaction || transaction.context.method !== message.method) return
    const intent = transaction.context
    const error = message.class === Class.Error ? decodeErrorCode(message.get(Attribute.ErrorCode) ?? EMPTY) : undefined
    const challenge = error?.code === 401 || error?.code === 438
    if (!challenge && !this.#trusted(message, intent.signature)) return
    this.#transactions.end(transaction)
    if (message.class === Class.Success) return intent.done(message, now)
    if (challenge && this.#challenged(message, intent, error.code, now)) return
    this.#fail(intent.method, error?.code ?? 0, error?.reason ?? 'error without a code')
    if (intent.method === Method.Refresh && error?.code === 437) this.#closed()
  }

  /** Section 9.2.5: an answer to a signed request is signed, or it is ignored. */
  #trusted(message: Message, signature: Signature | undefined): boolean {
    if (!signature) return true
    return isAuthentic(message, signature) ?? this.#options.requireIntegrity === false
  }

  /** Takes realm and nonce, and asks again; false when that cannot help. */
  #challenged(message: Message, intent: Sent, code: number, now: number): boolean {
    if (code === 401 && intent.signature) return false
    if (intent.challenges >= MAX_CHALLENGES) return false
    const signature = answerTo(message, this.#options, this.#signature)
    if (!signature) return false
    this.#signature = signature
    this.#start({ ...intent, challenges: intent.challenges + 1 }, now)
    return true
  }

  #allocated(message: Message, now: number) {
    const relayed = this.#address(message, Attribute.XorRelayedAddress)
    const mapped = this.#address(message, Attribute.XorMappedAddress)
    const lifetime = decodeLifetime(message.get(Attribute.Lifetime) ?? EMPTY)
    if (!relayed || !mapped || lifetime === undefined)
      return this.#fail(Method.Allocate, 0, 'incomplete answer to Allocate')
    this.#ticket = ticketIn(message)
    this.relayed = relayed
    this.mapped = mapped
    this.#scheduleRefresh(lifetime, now)
    const token = message.get(Attribute.ReservationToken)
    const second = message.getAll(Attribute.XorRelayedAddress)[1]
    const additional = second && decodeXorAddress(second, message.transactionId)
    const missing = message.get(Attribute.AddressErrorCode)
    this.#emit({
      type: 'allocated',
      relayed,
      mapped,
      lifetime,
      ...(token && { reservationToken: copyBytes(token) }),
      ...(additional && { additional }),
      ...(missing && { missing: decodeAddressErrorCode(missing) }),
    })
  }

  /** A minute before the end, or half-way when the lifetime is short. */
  #scheduleRefresh(lifetime: number, now: number): void {
    if (this.#options.keepAlive === false) return
    this.#refreshAt = now + 1000 * Math.max(lifetime - 60, lifetime / 2)
  }

  #closed(): void {
    this.relayed = undefined
    this.#refreshAt = Number.POSITIVE_INFINITY
    this.#permissions.clear()
    this.#channels.clear()
    this.#channelsByPeer.clear()
    this.#transactions.clear()
    this.#emit({ type: 'closed' })
  }

  #reserveChannel(peer: Endpoint, wanted: number | undefined): Bound | undefined {
    const channel = wanted ?? this.#nextChannel++
    if (channel > MAX_CHANNEL) return undefined
    const bound = { peer, channel, bound: false, refreshAt: Number.POSITIVE_INFINITY }
    this.#channels.set(channel, bound)
    this.#channelsByPeer.set(textOf(peer), bound)
    return bound
  }

  #request(intent: Intent, now: number): ClientOutput[] {
    this.#start(intent, now)
    return this.#drain()
  }

  #start(intent: Intent, now: number): void {
    const id = this.#options.randomBytes(12)
    const signature = intent.method === Method.Binding ? undefined : this.#signature
    const writer = new MessageWriter(intent.method, Class.Request, id)
    if (this.#options.software) writer.attribute(Attribute.Software, encodeText(this.#options.software))
    for (const [type, value] of intent.attributes(id)) writer.attribute(type, value)
    if (signature) sign(writer, signature)
    if (this.#options.fingerprint !== false) writer.fingerprint()
    const bytes = writer.finish()
    this.#transactions.start(id, bytes, { ...intent, signature }, now)
    this.#emit({ type: 'send', bytes })
  }

  #address(message: Message, type: number): Endpoint | undefined {
    const value = message.get(type)
    return value && decodeXorAddress(value, message.transactionId)
  }

  #fail(method: number, code: number, reason: string): void {
    this.#emit({ type: 'failed', method, code, reason })
  }

  #emit(output: ClientOutput): void {
    this.#outputs.push(output)
  }

  #drain(): ClientOutput[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }
}

const EMPTY = new Uint8Array(0)

function ticketIn(message: Message): Uint8Array | undefined {
  const ticket = message.get(Attribute.MobilityTicket)
  return ticket && copyBytes(ticket)
}

function textOf(peer: Endpoint): string {
  return `${peer.address} ${peer.port}`
}
