/** A server core in a world of its own: a clock, seeded randomness, relay sockets that always open, and clients. */
import { createHash } from 'node:crypto'
import {
  type ClientOutput,
  copyBytes,
  type Endpoint,
  type Message,
  parseMessage,
  TurnClient,
  type TurnClientOptions,
} from '@hairpin/stun'
import {
  createPeerPolicy,
  type Listener,
  type Output,
  RelayPorts,
  TurnServer,
  type TurnServerOptions,
} from '../../src/core/index.ts'
import { SharedCredits } from '../../src/engines/hairpin/shared-credits.ts'

export const UDP: Listener = { id: 0, transport: 'udp', local: { address: '198.51.100.1', port: 3478, family: 4 } }
export const TCP: Listener = { id: 1, transport: 'tcp', local: { address: '198.51.100.1', port: 3478, family: 4 } }
export const ALICE: Endpoint = { address: '192.0.2.7', port: 50_000, family: 4 }
export const BOB: Endpoint = { address: '192.0.2.8', port: 50_001, family: 4 }
export const PEER: Endpoint = { address: '8.8.4.4', port: 7000, family: 4 }
export const PEER6: Endpoint = { address: '2a00:1450::5', port: 7000, family: 6 }
export const RELAY4 = '198.51.100.1'
export const RELAY6 = '2a01:4f8::1'
export const REALM = 'hairpin'
export const START = 1_800_000_000_000

/** Deterministic bytes: SHA-256 in counter mode. */
export function seededBytes(seed: string): (size: number) => Uint8Array {
  let counter = 0
  return (size) => {
    const chunks: Buffer[] = []
    for (let have = 0; have < size; have += 32) chunks.push(createHash('sha256').update(`${seed}${counter++}`).digest())
    return Buffer.concat(chunks).subarray(0, size)
  }
}

export interface Events {
  opened: number[]
  closed: [id: number, reason: string][]
  requests: string[]
  authFailures: string[]
}

/** users: name → accepted passwords. */
export function createWorld(
  overrides: Partial<TurnServerOptions> & {
    users?: Record<string, string[]>
    ports?: RelayPorts
    quotaLimit?: number
  } = {},
) {
  const users: Record<string, string[]> = overrides.users ?? { alice: ['secret'], bob: ['hunter2'] }
  const randomBytes = seededBytes('world')
  const events: Events = { opened: [], closed: [], requests: [], authFailures: [] }
  const quota = { used: 0 }
  const ports = overrides.ports ?? createPorts(50_000, 50_099)
  const server = new TurnServer({
    realm: REALM,
    relayAddresses: { 4: RELAY4, 6: RELAY6 },
    passwords: (username) =>
      users[username]
        ? { ok: true, passwords: users[username], app: 'demo', user: username, expiresAt: START + 86_400_000 }
        : { ok: false, reason: username.startsWith('old') ? 'expired' : 'unknown-user' },
    quota: {
      acquire: () => {
        if (quota.used >= (overrides.quotaLimit ?? 1000)) return false
        quota.used++
        return true
      },
      release: () => void quota.used--,
    },
    peers: createPeerPolicy({ relayAddresses: [RELAY4, RELAY6] }),
    ports,
    nonceKey: randomBytes(32),
    events: {
      allocationOpened: (allocation) => events.opened.push(allocation.id),
      allocationClosed: (allocation, reason) => events.closed.push([allocation.id, reason]),
      requestHandled: ({ method, transport, code }) => events.requests.push(`${method} ${transport} ${code}`),
      authFailed: (reason) => events.authFailures.push(reason),
    },
    ...overrides,
  })
  return { server, ports, users, events, quota, randomBytes, clock: { now: START } }
}
export type World = ReturnType<typeof createWorld>

export function createPorts(
  min: number,
  max: number,
  words: Int32Array = new Int32Array(RelayPorts.wordsFor(min, max)),
) {
  return new RelayPorts({ min, max, words, tokenKey: seededBytes('token')(32), randomBytes: seededBytes('ports') })
}

/** Performs what the core asks, opening relays at once; returns what went to clients and everything else. */
export function perform(world: World, outputs: Output[]) {
  const sent: { to: Endpoint; bytes: Uint8Array }[] = []
  const other: Output[] = []
  const queue = [...outputs]
  for (let output = queue.shift(); output; output = queue.shift()) {
    if (output.type === 'send') sent.push(output)
    else other.push(output)
    if (output.type === 'openRelay')
      queue.unshift(...world.server.relayOpened(output.allocation, output.family, world.clock.now))
  }
  return { sent, other }
}

/** A client on its own five-tuple, wired straight to the server. */
export function createPeer(
  world: World,
  from: Endpoint,
  options: Partial<TurnClientOptions> = {},
  listener: Listener = UDP,
) {
  const client = new TurnClient({
    username: 'alice',
    password: 'secret',
    randomBytes: world.randomBytes,
    keepAlive: false,
    ...options,
  })
  /** Where it sends from: may be changed. */
  const place = { from, listener }
  const requests: Uint8Array[] = []
  const others: Output[] = []
  /** Carries the client's outputs to the server and the answers back until nobody has more to say; returns the events. */
  function run(outputs: ClientOutput[]): ClientOutput[] {
    const events: ClientOutput[] = []
    const queue = [...outputs]
    for (let output = queue.shift(); output; output = queue.shift()) {
      if (output.type !== 'send') {
        events.push(output)
        continue
      }
      requests.push(output.bytes)
      const { sent, other } = perform(
        world,
        world.server.receive(datagram(output.bytes), place.listener, place.from, world.clock.now),
      )
      others.push(...other)
      for (const { bytes } of sent) queue.push(...client.receive(datagram(bytes), world.clock.now))
    }
    return events
  }
  return {
    client,
    from,
    listener,
    place,
    requests,
    others,
    run,
    allocate: () => run(client.allocate(world.clock.now)),
    permit: (...peers: Endpoint[]) => run(client.createPermission(peers, world.clock.now)),
    bind: (peer: Endpoint, channel?: number) => run(client.channelBind(peer, world.clock.now, channel)),
    refresh: (lifetime?: number, family?: 4 | 6) => run(client.refresh(world.clock.now, lifetime, family)),
    allocation: () => world.server.allocations.find(place.listener, place.from.address, place.from.port),
  }
}

/** Bytes as a socket gives them: in a Buffer, whose `slice` is a view and which may be reused. */
export function datagram(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes)
}

/** Lets time pass, with the timeouts a driver would deliver, in order. */
export function pass(world: World, seconds: number): Output[] {
  const end = world.clock.now + seconds * 1000
  const outputs: Output[] = []
  while (world.server.nextDeadline <= end) {
    world.clock.now = Math.max(world.clock.now, world.server.nextDeadline)
    outputs.push(...world.server.handleTimeout(world.clock.now))
  }
  world.clock.now = end
  return outputs
}

export function parsed(bytes: Uint8Array): Message {
  const result = parseMessage(copyBytes(bytes))
  if (!result.ok) throw new Error(`unparsable: ${result.reason}`)
  return result.message
}

/** What is allocated, counted, held and due: `NOTHING` when all has ended. */
export function remains({ server, quota, ports }: World) {
  return [server.allocations.size, quota.used, ports.liveCount, server.nextDeadline]
}
export const NOTHING = [0, 0, 0, Number.POSITIVE_INFINITY]

/** The error code of the one `failed` event, or undefined. */
export function failure(events: ClientOutput[]): number | undefined {
  const failed = events.find((event) => event.type === 'failed')
  return failed?.type === 'failed' ? failed.code : undefined
}

/** Bytes per credential, as one worker alone has them. */
export function creditsOf(limit: number): SharedCredits {
  return new SharedCredits({ shared: new SharedArrayBuffer(SharedCredits.bytes), worker: 0, limit })
}
