/** TCP allocations: RFC 6062 section 5. */
import { Attribute, encodeConnectionId, encodeXorAddress, Method } from '@hairpin/stun'
import { describe, expect, it } from 'vitest'
import {
  createPeerPolicy,
  type Endpoint,
  type Listener,
  type Output,
  type TcpRelayOptions,
} from '../../src/core/index.ts'
import { askCode, FIXED_ID, type Pair, signed, UDP_TRANSPORT } from './raw.ts'
import {
  ALICE,
  BOB,
  createPeer,
  createWorld,
  failure,
  NOTHING,
  PEER,
  PEER6,
  pass,
  perform,
  RELAY4,
  remains,
  TCP,
  UDP,
  type World,
} from './world.ts'

const TCP_TRANSPORT: Pair = [Attribute.RequestedTransport, Uint8Array.of(6, 0, 0, 0)]
/** Where clients' data connections come from. */
const DATA: Endpoint = { address: '192.0.2.7', port: 50_100, family: 4 }
const OTHER_PEER: Endpoint = { ...PEER, port: 7001 }

function tcpWorld(tcpRelay: Partial<TcpRelayOptions> = {}, overrides: Parameters<typeof createWorld>[0] = {}) {
  return createWorld({ tcpRelay: { worker: 3, workers: 4, maxConnections: 4, ...tcpRelay }, ...overrides })
}
type Peer = ReturnType<typeof createPeer>

function tcpClient(world: World, from: Endpoint = ALICE, listener: Listener = TCP, options = {}): Peer {
  return createPeer(world, from, { requestedTransport: 6, reliable: true, ...options }, listener)
}
function allocated(world: World, from: Endpoint = ALICE): Peer {
  const client = tcpClient(world, from)
  expect(client.allocate()[0]).toMatchObject({ type: 'allocated', relayed: { address: RELAY4 } })
  return client
}
/** Asks for the connection: gives its id, its answer still to come. */
function connecting(world: World, client: Peer, peer = PEER): number {
  const before = client.others.length
  expect(client.run(client.client.connect(peer, world.clock.now))).toEqual([])
  const output = client.others.slice(before).find(({ type }) => type === 'connectPeer')
  if (output?.type !== 'connectPeer') throw new Error('nothing to connect')
  expect(output.peer).toEqual(peer)
  return output.connection
}
/** Carries the core's outputs to the client. */
function told(world: World, client: Peer, outputs: Output[]) {
  const { sent, other } = perform(world, outputs)
  return { events: sent.flatMap(({ bytes }) => client.client.receive(Buffer.from(bytes), world.clock.now)), other }
}
function connected(world: World, client: Peer, peer = PEER): number {
  const id = connecting(world, client, peer)
  const { events } = told(world, client, world.server.peerConnected(id, world.clock.now))
  expect(events).toEqual([{ type: 'connected', peer, connection: id }])
  return id
}
function binding(world: World, connection: number, from = DATA, listener = TCP, options = {}) {
  const data = tcpClient(world, from, listener, options)
  return { events: data.run(data.client.connectionBind(connection, world.clock.now)), others: data.others }
}
const attributes = (peer: Endpoint): Pair[] => [[Attribute.XorPeerAddress, encodeXorAddress(peer, FIXED_ID)]]
const allocateCode = (world: World, pairs: Pair[], listener = TCP) =>
  askCode(world, Method.Allocate, [TCP_TRANSPORT, ...pairs], { listener })

describe('Allocate for TCP (section 5.1)', () => {
  it('is refused with 442 where it is off', () => {
    expect(allocateCode(createWorld(), [])).toBe(442)
  })

  it.each([
    ['udp', 400],
    ['tcp', 200],
    ['tls', 200],
  ] as const)('over %s draws %i', (transport, code) => {
    expect(allocateCode(tcpWorld(), [], transport === 'udp' ? UDP : { ...TCP, transport })).toBe(code)
  })

  it.each([
    ['DONT-FRAGMENT', Attribute.DontFragment, new Uint8Array(0)],
    ['EVEN-PORT', Attribute.EvenPort, Uint8Array.of(0x80)],
    ['RESERVATION-TOKEN', Attribute.ReservationToken, new Uint8Array(8)],
  ])('with %s draws 400', (_name, type, value) => {
    const world = tcpWorld()
    expect(allocateCode(world, [[type, value]])).toBe(400)
    expect(remains(world)).toEqual(NOTHING)
  })

  it('leaves UDP as it was: DONT-FRAGMENT, which is not supported, draws 420', () => {
    const pairs: Pair[] = [UDP_TRANSPORT, [Attribute.DontFragment, new Uint8Array(0)]]
    expect(askCode(tcpWorld(), Method.Allocate, pairs, { listener: TCP })).toBe(420)
  })

  it('draws 442 for any other protocol', () => {
    const sctp: Pair[] = [[Attribute.RequestedTransport, Uint8Array.of(132, 0, 0, 0)]]
    expect(askCode(tcpWorld(), Method.Allocate, sctp, { listener: TCP })).toBe(442)
  })

  it('gives one relayed address and no ticket, whatever else is asked for', () => {
    const world = tcpWorld({}, { dualAllocation: true, mobility: { key: new Uint8Array(32), worker: 0 } })
    const client = tcpClient(world, ALICE, TCP, { dual: true, mobility: true })
    client.allocate()
    expect(client.allocation()).toMatchObject({ relayTransport: 'tcp', mobility: undefined, relays: [{ family: 4 }] })
  })

  it('has neither channels nor Send indications', () => {
    const world = tcpWorld()
    const client = allocated(world)
    client.permit(PEER)
    expect(failure(client.bind(PEER))).toBe(403)
    const { other } = perform(world, world.server.receive(client.client.send(PEER, new Uint8Array(4)), TCP, ALICE, 0))
    expect(other).toEqual([{ type: 'ignore', reason: 'no-allocation' }])
  })
})

describe('Connect (section 5.2)', () => {
  it('connects, and answers with an id once the peer has accepted', () => {
    const world = tcpWorld()
    const client = allocated(world)
    const id = connected(world, client)
    expect(id >>> 24).toBe(3)
    expect(world.events.requests.at(-1)).toBe('connect tcp 200')
  })

  it('answers 447 when the peer cannot be connected to, and may be tried again', () => {
    const world = tcpWorld()
    const client = allocated(world)
    const id = connecting(world, client)
    expect(failure(told(world, client, world.server.peerClosed(id, world.clock.now)).events)).toBe(447)
    connected(world, client)
  })

  it('answers 447 after thirty seconds, not before', () => {
    const world = tcpWorld()
    const client = allocated(world)
    const id = connecting(world, client)
    expect(pass(world, 29.9)).toEqual([])
    const { events, other } = told(world, client, pass(world, 0.1))
    expect(failure(events)).toBe(447)
    expect(other).toEqual([{ type: 'closePeer', connection: id }])
    // Whatever its socket says then is late.
    expect(world.server.peerConnected(id, world.clock.now)).toEqual([])
    expect(world.server.peerClosed(id, world.clock.now)).toEqual([])
  })

  it('draws 446 for the same peer while connecting, pending and bound; another port is another peer', () => {
    const world = tcpWorld()
    const client = allocated(world)
    const again = () => failure(client.run(client.client.connect(PEER, world.clock.now)))
    const id = connecting(world, client)
    expect(again()).toBe(446)
    world.server.peerConnected(id, world.clock.now)
    expect(again()).toBe(446)
    binding(world, id)
    expect(again()).toBe(446)
    connecting(world, client, OTHER_PEER)
    world.server.peerClosed(id, world.clock.now)
    expect(again()).toBeUndefined()
  })

  it('draws 403 for a denied peer, and for an own address but on relayed ports live over TCP', () => {
    const world = tcpWorld()
    const client = allocated(world)
    const code = (peer: Endpoint) => failure(client.run(client.client.connect(peer, world.clock.now)))
    expect(code({ address: '10.0.0.1', port: 80, family: 4 })).toBe(403)
    const live = client.allocation()!.relays[0]!.port
    expect(code({ address: RELAY4, port: live + 1, family: 4 })).toBe(403)
    // The same number over TCP may be a service of this host.
    const { port: overUdp } = world.ports.acquire('any', 4, 'udp', world.clock.now)!
    expect(code({ address: RELAY4, port: overUdp, family: 4 })).toBe(403)
    expect(code({ address: RELAY4, port: live, family: 4 })).toBeUndefined()
    expect([...world.server.connections].map(({ own }) => own)).toEqual([true])
  })

  it('draws 400 without a peer, 443 for one of the other family, 437 without an allocation, 403 on a UDP allocation', () => {
    const world = tcpWorld()
    const options = { listener: TCP, id: FIXED_ID }
    expect(askCode(world, Method.Connect, attributes(PEER), options)).toBe(437)
    allocated(world)
    expect(askCode(world, Method.Connect, [], options)).toBe(400)
    expect(askCode(world, Method.Connect, attributes({ ...PEER, port: 0 }), options)).toBe(400)
    expect(askCode(world, Method.Connect, attributes(PEER6), options)).toBe(443)
    const udp = createPeer(world, BOB, {}, TCP)
    udp.allocate()
    expect(failure(udp.run(udp.client.connect(PEER, world.clock.now)))).toBe(403)
  })

  it('draws 508 beyond the configured number, and fits again when one is gone', () => {
    const world = tcpWorld({ maxConnections: 2 })
    const client = allocated(world)
    const first = connected(world, client)
    connecting(world, client, OTHER_PEER)
    const third = () => failure(client.run(client.client.connect({ ...PEER, port: 7002 }, world.clock.now)))
    expect(third()).toBe(508)
    world.server.peerClosed(first, world.clock.now)
    expect(third()).toBeUndefined()
  })
})

describe('a peer that connects (section 5.3)', () => {
  const arrive = (world: World, client: Peer, peer = PEER) =>
    world.server.peerArrived(client.allocation()!, peer, world.clock.now)

  it('is announced when it is permitted, whatever its port', () => {
    const world = tcpWorld()
    const client = allocated(world)
    client.permit(PEER)
    const { connection, outputs } = arrive(world, client, OTHER_PEER)
    const { events } = told(world, client, outputs)
    expect(events).toEqual([{ type: 'connectionAttempt', peer: OTHER_PEER, connection }])
  })

  it.each([
    ['it is not permitted', 'no-permission', (_: World, __: Peer) => {}],
    [
      'its permission has expired',
      'no-permission',
      (world: World, client: Peer) => {
        client.permit(PEER)
        pass(world, 301)
      },
    ],
    [
      'it is denied by now',
      'peer-denied',
      (world: World, client: Peer) => {
        client.permit(PEER)
        world.server.update({ peers: createPeerPolicy({ deny: [`${PEER.address}/32`] }) }, world.clock.now)
      },
    ],
  ] as const)('is closed when %s', (_what, reason, prepare) => {
    const world = tcpWorld()
    const client = allocated(world)
    prepare(world, client)
    expect(arrive(world, client)).toEqual({ connection: undefined, outputs: [{ type: 'ignore', reason }] })
    expect(world.server.connections.size).toBe(0)
  })

  it('is closed beyond the configured number', () => {
    const world = tcpWorld({ maxConnections: 1 })
    const client = allocated(world)
    client.permit(PEER)
    expect(arrive(world, client).connection).toBeDefined()
    expect(arrive(world, client, OTHER_PEER).outputs).toEqual([{ type: 'ignore', reason: 'connection-limit' }])
  })

  it('is let go when nobody binds it within thirty seconds', () => {
    const world = tcpWorld()
    const client = allocated(world)
    client.permit(PEER)
    const { connection } = arrive(world, client)
    expect(pass(world, 29.9)).toEqual([])
    expect(pass(world, 0.1)).toEqual([{ type: 'closePeer', connection }])
    expect(binding(world, connection!).events).toMatchObject([{ type: 'failed', code: 400 }])
  })
})

describe('ConnectionBind (section 5.4)', () => {
  it('makes the client connection the data connection, once', () => {
    const world = tcpWorld()
    const connection = connected(world, allocated(world))
    const { events, others } = binding(world, connection)
    expect(events).toEqual([{ type: 'connectionBound', connection }])
    expect(others).toEqual([{ type: 'bindConnection', connection, listener: TCP, from: DATA }])
    expect(binding(world, connection, { ...DATA, port: 50_101 }).events).toMatchObject([{ type: 'failed', code: 400 }])
    // Bound, it lives as long as the allocation.
    expect(pass(world, 599)).toEqual([])
    expect(pass(world, 1)).toContainEqual({ type: 'closePeer', connection })
  })

  it('draws 400 over UDP, on a control connection, for a connection that is still opening and without an id', () => {
    const world = tcpWorld()
    const client = allocated(world)
    const id = connecting(world, client)
    const pairs: Pair[] = [[Attribute.ConnectionId, encodeConnectionId(id)]]
    const code = (listener: Listener, from: Endpoint, wanted = pairs) =>
      askCode(world, Method.ConnectionBind, wanted, { listener, from })
    expect(code(TCP, DATA)).toBe(400)
    world.server.peerConnected(id, world.clock.now)
    expect(code(UDP, DATA)).toBe(400)
    expect(code(TCP, ALICE)).toBe(400)
    expect(code(TCP, DATA, [])).toBe(400)
    expect(code(TCP, DATA, [[Attribute.ConnectionId, new Uint8Array(3)]])).toBe(400)
    expect(code(TCP, DATA)).toBe(200)
  })

  it('is for the user who allocated: 441 for another', () => {
    const world = tcpWorld()
    const connection = connected(world, allocated(world))
    const other = { username: 'bob', password: 'hunter2' }
    expect(binding(world, connection, DATA, TCP, other).events).toMatchObject([{ type: 'failed', code: 441 }])
    expect(binding(world, connection, DATA).events).toMatchObject([{ type: 'connectionBound' }])
  })

  it('holds with the credential the allocation was made with, although it has expired', () => {
    const world = tcpWorld()
    const connection = connected(world, allocated(world))
    delete world.users.alice
    expect(binding(world, connection).events).toMatchObject([{ type: 'connectionBound' }])
  })

  it('goes to the worker that the id names, whole and unread, challenge and all', () => {
    const world = tcpWorld()
    const pairs: Pair[] = [[Attribute.ConnectionId, encodeConnectionId(2 * 2 ** 24 + 9)]]
    const request = signed(world, Method.ConnectionBind, pairs, { from: DATA })
    expect(world.server.receive(request, TCP, DATA, world.clock.now)).toEqual([
      { type: 'handOver', worker: 2, listener: TCP, from: DATA, request },
    ])
  })

  it('stays where it names no worker, comes over UDP or from a control connection', () => {
    const world = tcpWorld()
    allocated(world)
    const code = (id: number, listener = TCP, from = DATA) =>
      askCode(world, Method.ConnectionBind, [[Attribute.ConnectionId, encodeConnectionId(id)]], { listener, from })
    expect(code(4 * 2 ** 24 + 1)).toBe(400)
    expect(code(2 * 2 ** 24 + 1, UDP)).toBe(400)
    expect(code(2 * 2 ** 24 + 1, TCP, ALICE)).toBe(400)
  })

  it('is asked for credentials like everything else', () => {
    const world = tcpWorld()
    const connection = connected(world, allocated(world))
    const wrong = { password: 'guess' }
    expect(binding(world, connection, DATA, TCP, wrong).events).toMatchObject([{ type: 'failed', code: 401 }])
  })
})

describe('data connections (section 5.5)', () => {
  it.each([
    ['its lifetime ends', (world: World, _: Peer) => pass(world, 600)],
    [
      'it is deleted',
      (_: World, client: Peer) => {
        client.refresh(0)
        return client.others
      },
    ],
    [
      'its control connection is gone',
      (world: World, _: Peer) => world.server.disconnected(TCP, ALICE, world.clock.now),
    ],
    ['it is revoked', (world: World, _: Peer) => world.server.revoke(() => true, world.clock.now)],
  ])('end with the allocation when %s', (_what, end) => {
    const world = tcpWorld()
    const client = allocated(world)
    client.permit({ ...PEER, address: '8.8.8.8' })
    const bound = connected(world, client)
    binding(world, bound)
    const pending = connecting(world, client, OTHER_PEER)
    const outputs = end(world, client)
    const closed = outputs.filter(({ type }) => type === 'closePeer')
    expect(closed).toContainEqual({ type: 'closePeer', connection: bound })
    // The other one may have timed out before.
    expect(closed).toContainEqual({ type: 'closePeer', connection: pending })
    expect(world.server.connections.size).toBe(0)
    expect(remains(world)).toEqual(NOTHING)
  })

  it('end when their peer is denied by new rules', () => {
    const world = tcpWorld()
    const client = allocated(world)
    const connection = connected(world, client)
    binding(world, connection)
    const peers = createPeerPolicy({ deny: [`${PEER.address}/32`] })
    expect(world.server.update({ peers }, world.clock.now)).toEqual([{ type: 'closePeer', connection }])
  })

  it('leave nothing behind when either end closes', () => {
    const world = tcpWorld()
    const client = allocated(world)
    const connection = connected(world, client)
    binding(world, connection)
    expect(world.server.peerClosed(connection, world.clock.now)).toEqual([])
    client.refresh(0)
    expect(remains(world)).toEqual(NOTHING)
  })
})
