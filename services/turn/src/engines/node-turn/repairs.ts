/**
 * What node-turn 0.0.6 lacks to carry a browser's call, put right from outside: its files and prototypes stay as they
 * are; event handlers, sockets and tables of one server instance are wrapped. It still parses, authenticates, answers
 * and relays by itself. Each repair names the line in the package's `lib/` that makes it necessary. What is left as it
 * is stands in docs/NODE-TURN.md.
 */
import { randomBytes } from 'node:crypto'
import type { RemoteInfo, Socket } from 'node:dgram'
import type { EventEmitter } from 'node:events'
import {
  Attribute,
  Class,
  checkFingerprint,
  checkIntegrity,
  classify,
  decodeAddressFamily,
  decodeChannelData,
  decodeEvenPort,
  decodeText,
  type Endpoint,
  encodeChannelData,
  encodeXorAddress,
  longTermKey,
  MAX_USERNAME,
  type Message,
  MessageWriter,
  Method,
  methodName,
  parseMessage,
} from '@hairpin/stun'
import type Server from 'node-turn'
import type { DropReason, Principal } from '../../core/index.ts'
import { Nonces } from '../../core/nonce.ts'
import type { RelayAddress } from '../../net/addresses.ts'
import { ListenError } from '../../net/listen-port.ts'
import type { Meter, RepairEvents, RepairPolicies } from './hooks.ts'
import { RelayedAddresses } from './relayed-addresses.ts'

/** The attributes node-turn can read; any other makes attribute.js:223 throw and the whole message vanish. */
const UNDERSTOOD = [
  Attribute.Username,
  Attribute.Realm,
  Attribute.Nonce,
  Attribute.ChannelNumber,
  Attribute.Lifetime,
  Attribute.XorPeerAddress,
  Attribute.Data,
  Attribute.RequestedTransport,
  Attribute.DontFragment,
]
const KNOWN = new Set<number>([
  ...UNDERSTOOD,
  Attribute.MessageIntegrity,
  Attribute.RequestedAddressFamily,
  Attribute.EvenPort,
  Attribute.ReservationToken,
])

/** Milliseconds, RFC 8656 section 12. */
const CHANNEL_LIFETIME = 600_000
/** Seconds. */
const NONCE_LIFETIME = 3_600
const SWEEP_INTERVAL = 1_000
const EVEN_PORT_TRIES = 64
/** Permissions, and channels, of one allocation; as the core's limits. */
const MAX_PEERS = 256

export class Repairs {
  readonly #server: Server
  readonly #policies: RepairPolicies
  readonly #events: RepairEvents
  /** node-turn's own table, behind the proxy that it works on. */
  readonly #allocations: Record<string, Server.Allocation> = {}
  /** Five-tuples whose relayed socket is being opened. */
  readonly #pending = new Set<string>()
  readonly #details = new WeakMap<Server.Allocation, Details>()
  readonly #relayed: RelayedAddresses
  #sweeper: NodeJS.Timeout | undefined
  #closed = false
  /** The request being handled: node-turn authenticates and dispatches synchronously, with no way to pass a context. */
  #current: { readonly message: Message; readonly client: Endpoint; readonly principal?: Principal } | undefined

  /** @param relay what `relayIps` and `externalIps` of the server's configuration were made from. */
  constructor(server: Server, relay: readonly RelayAddress[], policies: RepairPolicies, events: RepairEvents) {
    this.#server = server
    this.#policies = policies
    this.#events = events
    this.#relayed = new RelayedAddresses(relay, policies.peers)
    this.#refreshKeepsTheAllocation()
    this.#endOfAllocationClosesItsSockets()
    this.#noncesWithoutATable()
    this.#repliesAreSignedAndCounted()
    this.#allocateOncePerFiveTuple()
    this.#evenPortsAreEven()
    this.#peersMustBeAllowed()
  }

  /** server.start(), and an error when an address cannot be bound: network.js:30 only logs it. */
  async listen(): Promise<void> {
    const { network } = this.#server
    this.#server.start()
    const bound = network.sockets.map((socket, i) => {
      const address = network.listeningIps[i]!
      this.#wrapListener(socket, address)
      return new Promise<void>((resolve, reject) => {
        socket.once('listening', resolve)
        socket.once('error', (cause) =>
          reject(new ListenError(this.#server.listeningPort, (cause as NodeJS.ErrnoException).code, cause.message)),
        )
      })
    })
    const failed = (await Promise.allSettled(bound)).find((result) => result.status === 'rejected')
    if (failed) {
      this.close()
      throw failed.reason
    }
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_INTERVAL)
  }

  /** Ends every allocation and closes every socket; server.stop() (network.js:67) leaves the relayed ones open. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#sweeper)
    for (const key of Object.keys(this.#allocations)) delete this.#server.allocations[key]
    for (const socket of this.#server.network.sockets) socket.close()
  }

  /**
   * refresh.js:11,17 read two settings that the constructor stores under other names (server.js:46,47): the lifetime
   * becomes NaN or undefined, allocation.js:80 sets a timer of 1 ms, and the first Refresh removes the allocation.
   */
  #refreshKeepsTheAllocation(): void {
    this.#server.defaultLifetime = this.#server.defaultAllocatetLifetime
    this.#server.maxAllocateTimeout = this.#server.maxAllocateLifetime
  }

  /**
   * Expiry (allocation.js:22,80,86) and Refresh 0 (refresh.js:22) only delete the table's entry: the relayed sockets
   * stay open, and the old timer would later delete whatever holds the five-tuple by then.
   */
  #endOfAllocationClosesItsSockets(): void {
    this.#server.allocations = new Proxy(this.#allocations, {
      deleteProperty: (table, key) => {
        const allocation = table[key as string]
        delete table[key as string]
        if (!allocation) return true
        clearTimeout(allocation.timer)
        for (const socket of allocation.sockets) socket.close()
        this.#relayed.delete(allocation.relayedTransportAddress)
        const details = this.#details.get(allocation)
        if (details) this.#policies.quota.release(details.principal)
        details?.meter.ended()
        return true
      },
    })
  }

  /** authentification.js:152 stores every nonce with a timer of an hour: an unauthenticated flood fills the memory. */
  #noncesWithoutATable(): void {
    const nonces = new Nonces(randomBytes(32), NONCE_LIFETIME)
    this.#server.authentification.generateNonce = () =>
      Buffer.from(nonces.issue(this.#current!.client, Date.now())).toString('latin1')
    this.#server.authentification.checkNonce = (nonce) => {
      const valid = nonces.check(Buffer.from(nonce), this.#current!.client, Date.now())
      if (!valid) this.#events.authFailed('stale-nonce')
      return valid
    }
  }

  /**
   * Success of ChannelBind (channelBind.js:56) and every error after authentication lack MESSAGE-INTEGRITY. Chromium
   * takes no notice of such a success: it asks again and again and stays with Send indications. `toBuffer` is the last
   * step before sending, where FINGERPRINT is added too (message.js:240).
   */
  #repliesAreSignedAndCounted(): void {
    around<[Server.Message]>(this.#server, 'message', (handle, request) => {
      const makeReply = request.reply.bind(request)
      request.reply = () => {
        const reply = makeReply()
        const toBuffer = reply.toBuffer.bind(reply)
        reply.toBuffer = () => {
          if (!reply.attributes.some(({ name }) => name === 'message-integrity'))
            reply.addAttribute('message-integrity')
          const error = reply.getAttribute('error-code') as { code: number } | undefined
          this.#events.answered(methodName(reply.method), error?.code ?? 200)
          return toBuffer()
        }
        return reply
      }
      handle(request)
    })
  }

  /**
   * server.js:91 never looks an Allocate's five-tuple up: a retransmission opens a second relayed socket and forgets
   * the first, and 437 is never answered. Given the allocation, allocate.js:19 does both. Until the socket is bound
   * (asynchronously) a retransmission is left to the answer on its way. The quota of allocate.js:270 counts nothing.
   */
  #allocateOncePerFiveTuple(): void {
    around<[Server.Message, Server.Message]>(this.#server, 'allocate', (handle, request, reply) => {
      const key = request.transport.get5Tuple()
      request.allocation = this.#allocations[key] ?? null
      if (request.allocation) return handle(request, reply)
      if (this.#pending.has(key)) {
        this.#events.dropped('pending')
        return reply.discard()
      }
      const principal = this.#current!.principal!
      if (!this.#policies.quota.acquire(principal, Date.now())) return reply.reject(486, 'Allocation Quota Reached')
      this.#pending.add(key)
      const resolve = reply.resolve.bind(reply)
      const reject = reply.reject.bind(reply)
      reply.resolve = () => {
        this.#pending.delete(key)
        this.#adopt(request.allocation!, principal)
        resolve()
      }
      reply.reject = (code, reason) => {
        if (this.#pending.delete(key)) this.#policies.quota.release(principal)
        reject(code, reason)
      }
      handle(request, reply)
    })
  }

  /** For EVEN-PORT allocate.js:187 binds the client's own port number. Here its random ports are tried until one is even. */
  #evenPortsAreEven(): void {
    const { allocate } = this.#server
    const anyPort = allocate.allocateUdp.bind(allocate)
    allocate.allocateUdp = async (request) => {
      const even = this.#current!.message.has(Attribute.EvenPort)
      for (let tries = 0; tries < EVEN_PORT_TRIES; tries++) {
        const sockets = await anyPort(request)
        if (!even || sockets[0]!.address().port % 2 === 0) return sockets
        for (const socket of sockets) socket.close()
      }
      throw new Error('no even port is free')
    }
  }

  #adopt(allocation: Server.Allocation, principal: Principal): void {
    const details = { principal, meter: this.#events.allocated(principal), channels: new Map<number, number>() }
    this.#details.set(allocation, details)
    // allocation.js:88 multiplies an undefined lifetime: a retransmitted Allocate would end the allocation at once.
    const update = allocation.update.bind(allocation)
    allocation.update = (lifetime = allocation.lifetime) => update(lifetime)
    this.#relayed.add(allocation.relayedTransportAddress)
    for (const socket of allocation.sockets) this.#wrapRelay(socket, allocation, details.meter)
    this.#countEgress(allocation.transport, details.meter)
    if (this.#closed) delete this.#server.allocations[allocation.fiveTuple]
  }

  /**
   * channelBind.js:43 and createPermission.js:30 let every peer in. Also here: what node-turn would answer wrongly or not
   * at all (it reads no IPv6 address right, address.js:30; EVEN-PORT and RESERVATION-TOKEN throw, attribute.js:160,184; an
   * unknown attribute throws, attribute.js:223).
   */
  #peersMustBeAllowed(): void {
    for (const method of ['allocate', 'refresh', 'create_permission', 'channel_bind'])
      around<[Server.Message, Server.Message]>(this.#server, method, (handle, request, reply) => {
        const refusal = this.#refusal(request)
        if (!refusal) return handle(request, reply)
        if (refusal.unknown !== undefined) reply.addAttribute('unknown-attributes', refusal.unknown)
        reply.reject(refusal.code, refusal.reason)
      })
    around<[Server.Message, Server.Message]>(this.#server, 'send', (handle, indication, reply) => {
      const peer = indication.getAttribute('xor-peer-address') as Server.Address | undefined
      if (peer && this.#mayRelay(indication.allocation!, peer)) handle(indication, reply)
    })
    // Registered after the refusal: a channel counts once it is bound. channelBind.js:54 keeps it for ever.
    around<[Server.Message, Server.Message]>(this.#server, 'channel_bind', (handle, request, reply) => {
      handle(request, reply)
      const allocation = request.allocation!
      const number = request.getAttribute('channel-number') as number | undefined
      const peer = request.getAttribute('xor-peer-address') as Server.Address | undefined
      if (number === undefined || !peer || allocation.getPeerChannelNumber(`${peer}`) !== number) return
      this.#details.get(allocation)!.channels.set(number, Date.now() + CHANNEL_LIFETIME)
    })
  }

  #refusal(request: Server.Message): { code: number; reason: string; unknown?: number } | undefined {
    const { message } = this.#current!
    const [unknown] = message.unknownRequired(KNOWN)
    if (unknown !== undefined) return { code: 420, reason: 'Unknown Attribute', unknown }
    if (message.method === Method.Allocate) {
      const family = message.get(Attribute.RequestedAddressFamily)
      if (family && decodeAddressFamily(family) !== 4) return { code: 440, reason: 'Address Family not Supported' }
      const even = message.get(Attribute.EvenPort)
      if (message.has(Attribute.ReservationToken) || (even && decodeEvenPort(even)?.reserve !== false))
        return { code: 508, reason: 'Insufficient Capacity' }
    }
    for (const { family, address } of request.getAttributes('xor-peer-address') as Server.Address[]) {
      if (family !== 1) return { code: 443, reason: 'Peer Address Family Mismatch' }
      if (this.#policies.peers.check(address) === 'deny') {
        this.#events.dropped('peer-denied')
        return { code: 403, reason: 'Forbidden' }
      }
      // allocation.js:101 goes through all channels for each packet of a peer.
      const { permissions, channelBindings } = request.allocation!
      const full = (table: object) => Object.keys(table).length >= MAX_PEERS
      const newChannel =
        message.method === Method.ChannelBind && !channelBindings[request.getAttribute('channel-number') as number]
      if ((full(permissions) && !permissions[address]) || (newChannel && full(channelBindings)))
        return { code: 508, reason: 'Insufficient Capacity' }
    }
    return undefined
  }

  /** The permission stands for the peer policy's yes; of our own addresses only live relayed ports may be reached. */
  #mayRelay(allocation: Server.Allocation, peer: { readonly address: string; readonly port: number }): boolean {
    const permitted = (allocation.permissions[peer.address] ?? 0) >= Date.now()
    const allowed = permitted && this.#relayed.mayReach(peer)
    if (!allowed) this.#events.dropped(permitted ? 'peer-denied' : 'no-permission')
    return allowed
  }

  /** Between the listening socket and network.js:34: ChannelData, short datagrams, and STUN that node-turn can read. */
  #wrapListener(socket: Socket, address: string): void {
    const local = `>${address}:${this.#server.listeningPort}`
    const keyOf = (client: RemoteInfo) => `UDP://${client.address}:${client.port}${local}` // As in transport.js:12.
    this.#wrapSend(socket)
    around<[Buffer, RemoteInfo]>(socket, 'message', (handle, bytes, client) => {
      const kind = classify(bytes)
      if (kind === 'stun') this.#stunFromClient(handle, keyOf(client), bytes, client)
      else if (kind === 'channel-data') this.#channelDataFromClient(keyOf(client), bytes)
      else this.#events.dropped('malformed')
    })
  }

  /**
   * The request is handed on with the attributes that node-turn understands, signed anew once its integrity is proven:
   * message.js:116 knows one password per user name (we have several secrets), attribute.js:223 throws at unknown
   * attributes, and attributes behind MESSAGE-INTEGRITY would be believed (message.js:150). A response is dropped:
   * server.js:98 answers it with an error, which two servers could toss to and fro for ever.
   */
  #stunFromClient(
    handle: (bytes: Buffer, client: RemoteInfo) => void,
    fiveTuple: string,
    bytes: Buffer,
    client: RemoteInfo,
  ): void {
    const parsed = parseMessage(bytes)
    const unfit = parsed.ok ? reasonToDrop(parsed.message) : 'malformed'
    if (unfit) this.#events.dropped(unfit)
    if (!parsed.ok || unfit) return
    const { message } = parsed

    const user = this.#authenticate(message, this.#allocations[fiveTuple])
    const known = new MessageWriter(message.method, message.class, message.transactionId, bytes.length + 32)
    for (const type of UNDERSTOOD) for (const value of message.getAll(type)) known.attribute(type, value)
    if (user) known.integrity(longTermKey(user.username, this.#server.realm, user.password))
    if (message.has(Attribute.Fingerprint)) known.fingerprint()
    const { buffer, byteOffset, byteLength } = known.finish()

    this.#server.authentification.credentials = user ? { [user.username]: user.password } : {}
    this.#current = { message, client: { ...client, family: 4 }, ...(user && { principal: user.principal }) }
    try {
      handle(Buffer.from(buffer, byteOffset, byteLength), client)
    } finally {
      this.#current = undefined
    }
  }

  /** An allocation keeps the key it was made with: a call outlives its credential's expiry and its secret's rotation. */
  #authenticate(request: Message, allocation: Server.Allocation | undefined) {
    if (request.class !== Class.Request || !request.has(Attribute.MessageIntegrity)) return undefined
    const username = decodeText(request.get(Attribute.Username) ?? new Uint8Array(), MAX_USERNAME) ?? ''
    const holds = (password: string) => checkIntegrity(request, longTermKey(username, this.#server.realm, password))
    const details = allocation && this.#details.get(allocation)
    if (details && allocation.user.username === username && holds(allocation.user.password))
      return { ...allocation.user, principal: details.principal }
    const account = this.#policies.passwords(username, Date.now())
    const password = account.ok ? account.passwords.find(holds) : undefined
    if (account.ok && password !== undefined)
      return { username, password, principal: { app: account.app, user: account.user } }
    this.#events.authFailed(account.ok ? 'integrity' : account.reason)
    return undefined
  }

  /** message.js:74 discards whatever does not start with two zero bits. From here on it is a Send indication to it. */
  #channelDataFromClient(fiveTuple: string, bytes: Buffer): void {
    const frame = decodeChannelData(bytes)
    const allocation = this.#allocations[fiveTuple]
    const peer = frame.ok ? allocation?.channelBindings[frame.channel] : undefined
    if (!frame.ok || !allocation || !peer) {
      this.#events.dropped(!frame.ok ? 'malformed' : !allocation ? 'no-allocation' : 'no-channel')
      return
    }
    if (!this.#mayRelay(allocation, peer)) return
    this.#server.send.send({
      allocation,
      transactionID: '',
      debug: this.#server.debug,
      getAttribute: (name) => (name === 'xor-peer-address' ? peer : frame.data),
    })
  }

  /**
   * Between the relayed socket and allocation.js:28. channelMessage.js:14,18 read beyond datagrams of 0 to 3 bytes,
   * which ends the process, and allocation.js:43 takes a peer's payload that looks like ChannelData for a frame: both
   * are put into a frame of the bound channel, which it unpacks again, or sent as a Data indication.
   */
  #wrapRelay(socket: Socket, allocation: Server.Allocation, meter: Meter): void {
    this.#wrapSend(socket, (bytes, to) => meter.clientToPeer(bytes, this.#relayed.has(to)))
    socket.on('error', () => this.#events.dropped('send-failed')) // allocate.js:158 leaves none: it would end the process.
    around<[Buffer, RemoteInfo]>(socket, 'message', (handle, bytes, from) => {
      const peer = this.#relayed.advertised(from)
      if (!this.#mayRelay(allocation, peer)) return
      meter.peerToClient(bytes.length)
      if (bytes.length >= 4 && classify(bytes) !== 'channel-data') return handle(bytes, peer)
      const channel = allocation.getPeerChannelNumber(`IPV4://${peer.address}:${peer.port}`)
      if (channel !== undefined) return handle(Buffer.from(encodeChannelData(channel, bytes)), peer)
      const id = randomBytes(12)
      const indication = new MessageWriter(Method.Data, Class.Indication, id)
        .attribute(Attribute.XorPeerAddress, encodeXorAddress(peer, id))
        .attribute(Attribute.Data, bytes)
      const { socket: listener, dst } = allocation.transport
      listener.send(indication.finish(), dst.port, dst.address)
    })
  }

  /** An allocation's transport carries what peers said (allocation.js:57,66); answers have transports of their own. */
  #countEgress(transport: Server.Transport, meter: Meter): void {
    const { socket } = transport
    const send = (bytes: Uint8Array, port: number, address: string, callback?: () => void) => {
      meter.sentToClient(bytes.length)
      socket.send(bytes, port, address, callback)
    }
    transport.socket = { send: send as Socket['send'] }
  }

  /** Sending throws when the socket is closed or the port is 0: in a callback of message.js:346 nobody catches it. */
  #wrapSend(socket: Socket, sent?: (bytes: number, to: { address: string; port: number }) => void): void {
    const send = socket.send.bind(socket) as (...args: unknown[]) => void
    socket.send = ((bytes: Uint8Array, port: number, address: string, callback?: unknown) => {
      try {
        send(bytes, port, this.#relayed.bound({ address, port }), callback)
        sent?.(bytes.length, { address, port })
      } catch {
        this.#events.dropped('send-failed')
      }
    }) as Socket['send']
  }

  /** Channels never end (channelBind.js:54), permissions end but stay in the table (allocation.js:94). */
  #sweep(): void {
    const now = Date.now()
    for (const allocation of Object.values(this.#allocations)) {
      const channels = this.#details.get(allocation)?.channels
      for (const [channel, end] of channels ?? [])
        if (end <= now) {
          channels?.delete(channel)
          delete allocation.channelBindings[channel]
        }
      for (const [address, end] of Object.entries(allocation.permissions))
        if (end <= now) delete allocation.permissions[address]
    }
  }
}

/** What node-turn's allocation has no place for. */
interface Details {
  readonly principal: Principal
  readonly meter: Meter
  /** When each channel ends, ms since the epoch. */
  readonly channels: Map<number, number>
}

function reasonToDrop(message: Message): DropReason | undefined {
  if (message.class !== Class.Request && message.class !== Class.Indication) return 'not-stun'
  return checkFingerprint(message) === 'invalid' ? 'fingerprint' : undefined
}

/** Replaces the one listener of `event` by `wrapper`, which gets it as its first argument. */
function around<A extends unknown[]>(
  emitter: EventEmitter,
  event: string,
  wrapper: (handle: (...args: A) => void, ...args: A) => void,
): void {
  const [listener] = emitter.listeners(event)
  if (!listener) throw new Error(`node-turn has no handler of "${event}": not version 0.0.6?`)
  emitter.removeListener(event, listener as (...args: unknown[]) => void)
  emitter.on(event, (...args) => wrapper(listener.bind(emitter), ...(args as A)))
}
