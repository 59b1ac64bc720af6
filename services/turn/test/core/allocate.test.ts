import {
  Attribute,
  Class,
  copyBytes,
  decodeUnknownAttributes,
  encodeLifetime,
  MessageWriter,
  Method,
} from '@hairpin/stun'
import { expect, test } from 'vitest'
import { ask, askCode, deliver, type Pair, signed, UDP_TRANSPORT } from './raw.ts'
import {
  ALICE,
  BOB,
  createPeer,
  createPorts,
  createWorld,
  datagram,
  failure,
  PEER,
  parsed,
  pass,
  perform,
  UDP,
} from './world.ts'

const EVEN: Pair = [Attribute.EvenPort, Uint8Array.of(0)]
const TOKEN: Pair = [Attribute.ReservationToken, new Uint8Array(8)]
const FAMILY6: Pair = [Attribute.RequestedAddressFamily, Uint8Array.of(2, 0, 0, 0)]
const ADDITIONAL6: Pair = [Attribute.AdditionalAddressFamily, Uint8Array.of(2, 0, 0, 0)]

test.each<[string, number, Pair[]]>([
  ['no REQUESTED-TRANSPORT', 400, []],
  ['a REQUESTED-TRANSPORT of a wrong size', 400, [[Attribute.RequestedTransport, Uint8Array.of(17)]]],
  ['TCP as transport', 442, [[Attribute.RequestedTransport, Uint8Array.of(6, 0, 0, 0)]]],
  ['DONT-FRAGMENT', 420, [UDP_TRANSPORT, [Attribute.DontFragment, new Uint8Array(0)]]],
  ['an unknown attribute', 420, [UDP_TRANSPORT, [0x7fff, new Uint8Array(0)]]],
  ['a token beside EVEN-PORT', 400, [UDP_TRANSPORT, TOKEN, EVEN]],
  ['a token beside REQUESTED-ADDRESS-FAMILY', 400, [UDP_TRANSPORT, TOKEN, FAMILY6]],
  ['a token beside ADDITIONAL-ADDRESS-FAMILY', 400, [UDP_TRANSPORT, TOKEN, ADDITIONAL6]],
  ['both family attributes', 400, [UDP_TRANSPORT, FAMILY6, ADDITIONAL6]],
  ['a token of a wrong size', 400, [UDP_TRANSPORT, [Attribute.ReservationToken, new Uint8Array(4)]]],
  ['an invented token', 508, [UDP_TRANSPORT, TOKEN]],
  ['an unknown family', 440, [UDP_TRANSPORT, [Attribute.RequestedAddressFamily, Uint8Array.of(9, 0, 0, 0)]]],
  ['a family of a wrong size', 400, [UDP_TRANSPORT, [Attribute.RequestedAddressFamily, Uint8Array.of(1)]]],
  ['an EVEN-PORT of a wrong size', 400, [UDP_TRANSPORT, [Attribute.EvenPort, new Uint8Array(4)]]],
  ['a LIFETIME of a wrong size', 400, [UDP_TRANSPORT, [Attribute.Lifetime, Uint8Array.of(1)]]],
])('%s draws %i and leaves nothing behind', (_, code, attributes) => {
  const world = createWorld()
  expect(askCode(world, Method.Allocate, attributes)).toBe(code)
  expect(world.server.allocations.size).toBe(0)
  expect(world.quota.used).toBe(0)
  expect(world.ports.liveCount).toBe(0)
})

test('420 names the attributes that were not understood', () => {
  const world = createWorld()
  const message = ask(world, Method.Allocate, [UDP_TRANSPORT, [0x7ffe, new Uint8Array(0)], [0x7ffd, new Uint8Array(2)]])
  expect(decodeUnknownAttributes(message.get(Attribute.UnknownAttributes)!)).toEqual([0x7ffe, 0x7ffd])
})

test('unknown comprehension-optional attributes do not matter', () => {
  expect(askCode(createWorld(), Method.Allocate, [UDP_TRANSPORT, [0xff05, new Uint8Array(4)], ADDITIONAL6])).toBe(200)
})

test('DONT-FRAGMENT is accepted where relay sockets can do it', () => {
  const world = createWorld({ dontFragment: true })
  expect(createPeer(world, ALICE, { dontFragment: true }).allocate()).toMatchObject([{ type: 'allocated' }])
})

test('IPv6 draws 440 on a server without an IPv6 relay address, and IPv4 on one without IPv4', () => {
  expect(failure(createPeer(createWorld({ relayAddresses: { 4: '1.1.1.1' } }), ALICE, { family: 6 }).allocate())).toBe(
    440,
  )
  expect(failure(createPeer(createWorld({ relayAddresses: { 6: '2600::1' } }), ALICE).allocate())).toBe(440)
})

test('a full quota draws 486, and a deleted allocation makes room', () => {
  const world = createWorld({ quotaLimit: 1 })
  const alice = createPeer(world, ALICE)
  const second = createPeer(world, { ...ALICE, port: 2 })
  alice.allocate()
  expect(failure(second.allocate())).toBe(486)
  alice.refresh(0)
  expect(second.allocate()).toMatchObject([{ type: 'allocated' }])
})

test('no free port draws 508, and the quota is given back', () => {
  const world = createWorld({ ports: createPorts(50_000, 50_000) })
  createPeer(world, ALICE).allocate()
  expect(failure(createPeer(world, BOB, { username: 'bob', password: 'hunter2' }).allocate())).toBe(508)
  expect(world.quota.used).toBe(1)
})

test('a second Allocate on the five-tuple draws 437', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE)
  alice.allocate()
  expect(failure(alice.allocate())).toBe(437)
  expect(world.server.allocations.size).toBe(1)
})

test('a retransmitted Allocate is answered the same and allocates once', () => {
  const world = createWorld()
  const request = signed(world, Method.Allocate, [UDP_TRANSPORT, [Attribute.EvenPort, Uint8Array.of(0x80)]])
  const first = deliver(world, request).sent[0]!.bytes
  pass(world, 2)
  expect(deliver(world, request).sent[0]!.bytes).toEqual(first)
  expect(world.events.opened).toHaveLength(1)
  expect(world.ports.liveCount).toBe(1)
})

test('while the relay socket opens, a retransmission is dropped and the one answer follows', () => {
  const world = createWorld()
  const request = datagram(signed(world, Method.Allocate, [UDP_TRANSPORT]))
  const [open] = world.server.receive(request, UDP, ALICE, world.clock.now)
  expect(open).toMatchObject({ type: 'openRelay', family: 4 })
  expect(world.server.receive(request, UDP, ALICE, world.clock.now)).toEqual([{ type: 'ignore', reason: 'pending' }])
  // The socket's buffer is reused meanwhile: the answer must not depend on it.
  const id = copyBytes(parsed(request).transactionId)
  request.fill(0)
  const opened = perform(world, world.server.relayOpened(1, 4, world.clock.now))
  expect(copyBytes(parsed(opened.sent[0]!.bytes).transactionId)).toEqual(id)
  expect(world.server.relayOpened(1, 4, world.clock.now)).toEqual([])
})

test('while it opens, other requests on the five-tuple draw 437', () => {
  const world = createWorld()
  world.server.receive(signed(world, Method.Allocate, [UDP_TRANSPORT]), UDP, ALICE, world.clock.now)
  expect(askCode(world, Method.Refresh, [])).toBe(437)
  expect(askCode(world, Method.Allocate, [UDP_TRANSPORT])).toBe(437)
})

test('a port that cannot be bound is replaced a few times, then 508', () => {
  const world = createWorld()
  let outputs = world.server.receive(signed(world, Method.Allocate, [UDP_TRANSPORT]), UDP, ALICE, world.clock.now)
  const tried = new Set<number>()
  for (let open = outputs[0]; open?.type === 'openRelay'; open = outputs[0]) {
    tried.add(open.port)
    outputs = world.server.relayFailed(open.allocation, open.family, world.clock.now)
  }
  expect(tried.size).toBe(4)
  const { sent, other } = perform(world, outputs)
  expect(parsed(sent[0]!.bytes).class).toBe(Class.Error)
  expect(other).toEqual([])
  expect([world.server.allocations.size, world.quota.used, world.ports.liveCount]).toEqual([0, 0, 0])
  expect(world.events).toMatchObject({ opened: [], closed: [] })
  expect(world.events.requests.at(-1)).toBe('allocate udp 508')
})

test('a relay socket that breaks later ends the allocation', () => {
  const world = createWorld()
  createPeer(world, ALICE).allocate()
  expect(world.server.relayFailed(1, 4, world.clock.now)).toMatchObject([
    { type: 'closeRelay', reason: 'relay-failed' },
  ])
  expect(world.events.closed).toEqual([[1, 'relay-failed']])
})

test('a relay socket that never opens does not hold the five-tuple', () => {
  const world = createWorld()
  world.server.receive(signed(world, Method.Allocate, [UDP_TRANSPORT]), UDP, ALICE, world.clock.now)
  expect(pass(world, 11)).toMatchObject([{ type: 'closeRelay', reason: 'relay-failed' }])
  expect([world.server.allocations.size, world.quota.used, world.ports.liveCount]).toEqual([0, 0, 0])
  expect(world.events.closed).toEqual([])
  expect(world.server.relayOpened(1, 4, world.clock.now)).toEqual([])
})

test.each([
  [undefined, 600],
  [0, 600],
  [60, 600],
  [1800, 1800],
  [7200, 3600],
  [0xffffffff, 3600],
])('LIFETIME %s is granted as %i s, and the allocation ends then', (asked, granted) => {
  const world = createWorld()
  const attributes: Pair[] = asked === undefined ? [] : [[Attribute.Lifetime, encodeLifetime(asked)]]
  const message = ask(world, Method.Allocate, [UDP_TRANSPORT, ...attributes])
  expect(message.get(Attribute.Lifetime)).toEqual(encodeLifetime(granted))
  expect(pass(world, granted - 1)).toEqual([])
  expect(pass(world, 1)).toMatchObject([{ type: 'closeRelay', reason: 'expired' }])
  expect(world.events.closed).toEqual([[1, 'expired']])
  expect([world.server.allocations.size, world.quota.used, world.ports.liveCount]).toEqual([0, 0, 0])
})

test('shutdown and operators close allocations with all they hold', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE)
  const bob = createPeer(world, BOB, { username: 'bob', password: 'hunter2' })
  alice.allocate()
  alice.bind(PEER)
  bob.allocate()
  expect(world.server.close(alice.allocation()!, 'closed', world.clock.now).map(({ type }) => type)).toEqual([
    'channelUnbound',
    'forbidden',
    'closeRelay',
  ])
  expect(world.server.shutdown(world.clock.now)).toMatchObject([{ type: 'closeRelay', reason: 'shutdown' }])
  expect(world.events.closed).toEqual([
    [1, 'closed'],
    [2, 'shutdown'],
  ])
  expect(world.server.nextDeadline).toBe(Number.POSITIVE_INFINITY)
})

test('a Binding is answered with the sender as seen, to anyone', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE)
  expect(alice.run(alice.client.binding(world.clock.now))).toEqual([{ type: 'mapped', mapped: ALICE }])
  expect(world.events.requests).toEqual(['binding udp 200'])
})

test('what is no request of ours is dropped by its reason', () => {
  const world = createWorld()
  const drop = (bytes: Uint8Array) => world.server.receive(bytes, UDP, ALICE, world.clock.now)
  const writer = (method: number, cls: Class) => new MessageWriter(method, cls, new Uint8Array(12))
  const ignored = (reason: string) => [{ type: 'ignore', reason }]
  expect(drop(new Uint8Array(0))).toEqual(ignored('malformed'))
  expect(drop(new Uint8Array(20))).toEqual(ignored('not-stun'))
  expect(drop(Uint8Array.from({ length: 20 }, () => 0xff))).toEqual(ignored('not-stun'))
  expect(drop(writer(0x123, Class.Request).finish())).toEqual(ignored('unknown-method'))
  expect(drop(writer(Method.Data, Class.Indication).finish())).toEqual(ignored('unknown-method'))
  expect(drop(writer(Method.Binding, Class.Success).finish())).toEqual(ignored('unknown-method'))
  expect(drop(writer(Method.Allocate, Class.Error).finish())).toEqual(ignored('unknown-method'))
  const printed = writer(Method.Binding, Class.Request).fingerprint().finish()
  printed[27]! ^= 1
  expect(drop(printed)).toEqual(ignored('fingerprint'))
})
