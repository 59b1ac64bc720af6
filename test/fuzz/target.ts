/**
 * What is fuzzed, one input at a time: the server core with a few clients whose state the inputs themselves change.
 * A third of the inputs come from nowhere, a third are mutations of the corpus, a third are requests of random content but
 * with a right signature, which get past authentication into the handlers. What draws a behaviour not seen before joins the
 * corpus for the rest of the run. After each input the core's books must balance.
 */
import { readdirSync, readFileSync } from 'node:fs'
import {
  Attribute,
  Class,
  type Endpoint,
  encodeConnectionId,
  encodeText,
  encodeXorAddress,
  MessageWriter,
  Method,
} from '@hairpin/stun'
import { type Output, SourceBudget } from '../../services/turn/src/core/index.ts'
import { keyFor } from '../../services/turn/test/core/raw.ts'
import {
  createWorld,
  creditsOf,
  datagram,
  PEER,
  PEER6,
  parsed,
  pass,
  perform,
  REALM,
  seededBytes,
  TCP,
  UDP,
  type World,
} from '../../services/turn/test/core/world.ts'
import { mutate, type Random, randomDatagram } from './mutate.ts'

export const CORPUS = new URL('./corpus/', import.meta.url)
export const FUZZ_OPTIONS = {
  dualAllocation: true,
  dontFragment: true,
  credits: creditsOf(1e9),
  mobility: { key: seededBytes('mobility')(32), worker: 0 },
  tcpRelay: { worker: 0, workers: 2, maxConnections: 3 },
}
/** The five-tuples that inputs come from. */
export const TUPLES: readonly Endpoint[] = Array.from({ length: 8 }, (_, i) => ({
  address: `192.0.2.${i + 1}`,
  port: 40_000 + i,
  family: 4,
}))
/** The corpus of a run grows by what is new, up to this. */
const MAX_CORPUS = 512

export function loadCorpus(): Uint8Array[] {
  const names = readdirSync(CORPUS).sort()
  return names.map((name) => Buffer.from(readFileSync(new URL(name, CORPUS), 'utf8').trim(), 'hex'))
}

export class Target {
  readonly world: World
  readonly #random: Random
  readonly #corpus: Uint8Array[]
  readonly #seen = new Set<string>()
  readonly #nonces: (Uint8Array | undefined)[] = []
  /** The latest one given, whoever had it: others present it too. */
  #ticket: Uint8Array = new Uint8Array(0)
  /** The latest connection with a peer. */
  #connection = 0
  /** The last input, for the report when it breaks something. */
  input: Uint8Array = new Uint8Array(0)

  constructor(random: Random, corpus: readonly Uint8Array[] = loadCorpus()) {
    this.#random = random
    this.#corpus = [...corpus]
    this.world = createWorld({
      ...FUZZ_OPTIONS,
      budget: new SourceBudget({ key: seededBytes('fuzz')(8), entries: 64 }),
    })
  }

  /** Behaviours told apart so far: kinds of outputs, their reasons and codes. */
  get behaviours(): number {
    return this.#seen.size
  }

  step(): void {
    const { world } = this
    const tuple = this.#random(TUPLES.length)
    this.input = this.#next(tuple)
    const [from, listener] = [TUPLES[tuple]!, tuple % 4 === 3 ? TCP : UDP]
    const outputs = world.server.receive(datagram(this.input), listener, from, world.clock.now)
    this.#learn(outputs, tuple)
    perform(world, outputs)
    this.#peers()
    if (listener === TCP && this.#random(50) === 0)
      perform(world, world.server.disconnected(TCP, from, world.clock.now))
    if (this.#random(200) === 0) pass(world, this.#random(2) === 0 ? 1 : this.#random(900))
    this.#balance()
    for (const list of Object.values(world.events)) list.length = 0
  }

  /** What peers of TCP allocations do: accept, refuse, close, and connect by themselves. */
  #peers(): void {
    const { server, clock } = this.world
    for (const { id } of [...server.connections]) {
      this.#connection = id
      const choice = this.#random(8)
      if (choice === 0) perform(this.world, server.peerConnected(id, clock.now))
      else if (choice === 1) perform(this.world, server.peerClosed(id, clock.now))
    }
    if (this.#random(20) !== 0) return
    for (const allocation of [...server.allocations])
      if (allocation.relayTransport === 'tcp') server.peerArrived(allocation, PEER, clock.now)
  }

  #next(tuple: number): Uint8Array {
    switch (this.#random(3)) {
      case 0:
        return randomDatagram(this.#random)
      case 1:
        return mutate(this.#corpus[this.#random(this.#corpus.length)]!, this.#random)
      default:
        return this.#signed(tuple)
    }
  }

  /** A request of random method and attributes, signed as it should be once a nonce is known. */
  #signed(tuple: number): Uint8Array {
    const random = this.#random
    const id = Uint8Array.from({ length: 12 }, () => random(256))
    const sensible = tuple % 4 === 3 && random(3) === 0 ? this.#relaysTcp(tuple, id) : undefined
    const writer = new MessageWriter(sensible?.method ?? METHODS[random(METHODS.length)]!, Class.Request, id)
    if (sensible) writer.attribute(...sensible.attribute)
    for (let i = random(sensible ? 2 : 5); i > 0; i--) {
      const [type, value] = ATTRIBUTES[random(ATTRIBUTES.length)]!(id, this.#ticket, this.#connection)
      writer.attribute(type, random(8) === 0 ? mutate(value, random).subarray(0, 64) : value)
    }
    const nonce = this.#nonces[tuple]
    if (!nonce) return writer.attribute(Attribute.RequestedTransport, Uint8Array.of(17, 0, 0, 0)).finish()
    writer.attribute(Attribute.Username, encodeText('alice')).attribute(Attribute.Realm, encodeText(REALM))
    return writer.attribute(Attribute.Nonce, nonce).integrity(keyFor({})).finish()
  }

  /** What leads to a TCP allocation and its connections, which chance alone hardly finds. */
  #relaysTcp(tuple: number, id: Uint8Array): { method: number; attribute: readonly [number, Uint8Array] } {
    const { address, port } = TUPLES[tuple]!
    const attribute = [Attribute.RequestedTransport, Uint8Array.of(6, 0, 0, 0)] as const
    // One of the two over TCP is more often a data connection.
    if (tuple === 7 || this.#random(4) === 0)
      return {
        method: Method.ConnectionBind,
        attribute: [Attribute.ConnectionId, encodeConnectionId(this.#connection)],
      }
    if (!this.world.server.allocations.find(TCP, address, port)) return { method: Method.Allocate, attribute }
    const peer = { ...PEER, port: PEER.port + this.#random(4) }
    return { method: Method.Connect, attribute: [Attribute.XorPeerAddress, encodeXorAddress(peer, id)] }
  }

  #learn(outputs: readonly Output[], tuple: number): void {
    let signature = ''
    for (const output of outputs) {
      signature += `${output.type} `
      if (output.type === 'ignore' || output.type === 'closeRelay') signature += output.reason
      if (output.type !== 'send') continue
      const answer = parsed(output.bytes)
      signature += `${answer.method} ${answer.get(Attribute.ErrorCode)?.subarray(2, 4).join('') ?? 'ok'} `
      this.#ticket = answer.get(Attribute.MobilityTicket) ?? this.#ticket
      const nonce = answer.get(Attribute.Nonce)
      if (nonce && nonce.length > 11) this.#nonces[tuple] = nonce
    }
    if (this.#seen.has(signature)) return
    this.#seen.add(signature)
    if (this.#corpus.length < MAX_CORPUS) this.#corpus.push(this.input)
  }

  #balance(): void {
    const { server, quota, ports } = this.world
    let relays = 0
    for (const { relays: open } of server.allocations) relays += open.length
    // Ports of reservations are not live; everything else must be accounted for.
    if (server.allocations.size !== quota.used)
      throw new Error(`${quota.used} counted, ${server.allocations.size} live`)
    if (this.#random(50) === 0 && ports.liveCount !== relays)
      throw new Error(`${ports.liveCount} ports, ${relays} relays`)
    let connections = 0
    for (const allocation of server.allocations) {
      connections += allocation.connections.size
      if (allocation.connections.size > FUZZ_OPTIONS.tcpRelay.maxConnections) throw new Error('too many connections')
    }
    if (connections !== server.connections.size)
      throw new Error(`${server.connections.size} connections, ${connections} of live allocations`)
    if (server.allocations.size > TUPLES.length) throw new Error('more allocations than clients')
  }
}

const METHODS = [
  Method.Allocate,
  Method.Allocate,
  Method.Refresh,
  Method.CreatePermission,
  Method.ChannelBind,
  Method.ChannelBind,
  Method.Connect,
  Method.ConnectionBind,
]

type MakeAttribute = (id: Uint8Array, ticket: Uint8Array, connection: number) => readonly [number, Uint8Array]
const ATTRIBUTES: readonly MakeAttribute[] = [
  () => [Attribute.RequestedTransport, Uint8Array.of(17, 0, 0, 0)],
  () => [Attribute.RequestedTransport, Uint8Array.of(17, 0, 0, 0)],
  () => [Attribute.RequestedTransport, Uint8Array.of(6, 0, 0, 0)],
  () => [Attribute.Lifetime, Uint8Array.of(0, 0, 0, 0)],
  () => [Attribute.Lifetime, Uint8Array.of(0, 0, 4, 0)],
  (id) => [Attribute.XorPeerAddress, encodeXorAddress(PEER, id)],
  (id) => [Attribute.XorPeerAddress, encodeXorAddress(PEER6, id)],
  (id) => [Attribute.XorPeerAddress, encodeXorAddress({ address: '127.0.0.1', port: 80 }, id)],
  () => [Attribute.ChannelNumber, Uint8Array.of(0x40, 1, 0, 0)],
  () => [Attribute.ChannelNumber, Uint8Array.of(0x40, 2, 0, 0)],
  () => [Attribute.RequestedAddressFamily, Uint8Array.of(1, 0, 0, 0)],
  () => [Attribute.RequestedAddressFamily, Uint8Array.of(2, 0, 0, 0)],
  () => [Attribute.AdditionalAddressFamily, Uint8Array.of(2, 0, 0, 0)],
  () => [Attribute.EvenPort, Uint8Array.of(0)],
  () => [Attribute.EvenPort, Uint8Array.of(0x80)],
  () => [Attribute.ReservationToken, new Uint8Array(8)],
  () => [Attribute.DontFragment, new Uint8Array(0)],
  () => [Attribute.MobilityTicket, new Uint8Array(0)],
  (_, ticket) => [Attribute.MobilityTicket, ticket],
  (_, __, connection) => [Attribute.ConnectionId, encodeConnectionId(connection)],
  (_, __, connection) => [Attribute.ConnectionId, encodeConnectionId(connection ^ (1 << 24))],
  () => [Attribute.PasswordAlgorithm, Uint8Array.of(0, 1, 0, 0)],
  () => [Attribute.PasswordAlgorithms, Uint8Array.of(0, 2, 0, 0, 0, 1, 0, 0)],
  () => [Attribute.Userhash, new Uint8Array(32)],
  () => [0x7fff, new Uint8Array(4)],
]
