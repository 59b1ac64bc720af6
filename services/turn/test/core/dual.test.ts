/** ADDITIONAL-ADDRESS-FAMILY: RFC 8656 sections 7.2 and 8.2. */
import { Attribute, encodeAddressFamily, Method } from '@hairpin/stun'
import { expect, test } from 'vitest'
import { askCode, type Pair, signed, UDP_TRANSPORT } from './raw.ts'
import {
  ALICE,
  createPeer,
  createPorts,
  createWorld,
  failure,
  PEER,
  PEER6,
  parsed,
  pass,
  perform,
  RELAY4,
  RELAY6,
  UDP,
} from './world.ts'

const BOTH: Pair = [Attribute.AdditionalAddressFamily, encodeAddressFamily(6)]

function dual(overrides: Parameters<typeof createWorld>[0] = {}) {
  const world = createWorld({ dualAllocation: true, ...overrides })
  const alice = createPeer(world, ALICE, { dual: true })
  return { world, alice, allocated: alice.allocate() }
}

test('one Allocate gives a relayed address of each family, for one unit of quota', () => {
  const { world, alice, allocated } = dual()
  expect(allocated).toMatchObject([
    { type: 'allocated', relayed: { address: RELAY4, family: 4 }, additional: { address: RELAY6, family: 6 } },
  ])
  const { relays } = alice.allocation()!
  expect(relays.map(({ family, state }) => [family, state])).toEqual([
    [4, 'open'],
    [6, 'open'],
  ])
  expect([world.quota.used, world.ports.liveCount, world.server.allocations.size]).toEqual([1, 2, 1])
})

test('the client is told once, when both sockets are open', () => {
  const world = createWorld({ dualAllocation: true })
  const { now } = world.clock
  const opening = world.server.receive(signed(world, Method.Allocate, [UDP_TRANSPORT, BOTH]), UDP, ALICE, now)
  expect(opening).toMatchObject([
    { type: 'openRelay', allocation: 1, family: 4 },
    { type: 'openRelay', allocation: 1, family: 6 },
  ])
  expect(world.server.relayOpened(1, 6, now)).toEqual([])
  expect(world.server.relayOpened(1, 4, now)).toMatchObject([{ type: 'send' }])
  expect(world.events.opened).toEqual([1])
})

test("coturn's client asks for both by the number of the draft", () => {
  const world = createWorld({ dualAllocation: true })
  const asked: Pair = [Attribute.DraftAdditionalAddressFamily, encodeAddressFamily(6)]
  const { now } = world.clock
  expect(world.server.receive(signed(world, Method.Allocate, [UDP_TRANSPORT, asked]), UDP, ALICE, now)).toMatchObject([
    { type: 'openRelay', allocation: 1, family: 4 },
    { type: 'openRelay', allocation: 1, family: 6 },
  ])
})

test('peers of both families may be permitted and bound', () => {
  const { alice } = dual()
  expect(alice.permit(PEER, PEER6)).toMatchObject([{ type: 'permitted' }])
  alice.bind(PEER)
  alice.bind(PEER6)
  const allocation = alice.allocation()!
  expect(allocation.channelCount).toBe(2)
  expect(allocation.relayFor(6)?.advertised.address).toBe(RELAY6)
})

test.each([
  ['IPv6', { 4: RELAY4 }, RELAY4, 6],
  ['IPv4', { 6: RELAY6 }, RELAY6, 4],
] as const)(
  'without an %s relay address the other is given, and 440 for the one',
  (_, relayAddresses, given, family) => {
    const { allocated } = dual({ relayAddresses })
    expect(allocated).toMatchObject([
      { type: 'allocated', relayed: { address: given }, missing: { family, code: 440 } },
    ])
    expect(allocated[0]).not.toHaveProperty('additional')
  },
)

test('with one port left one address is given, and 508 for the other; with none 508', () => {
  const ports = createPorts(50_000, 50_000)
  const { world, allocated } = dual({ ports })
  expect(allocated).toMatchObject([{ type: 'allocated', relayed: { family: 4 }, missing: { family: 6, code: 508 } }])
  expect(failure(createPeer(world, { ...ALICE, port: 1 }, { dual: true }).allocate())).toBe(508)
  expect(world.quota.used).toBe(1)
})

test('when one socket cannot be opened after several ports, the other address is given', () => {
  const world = createWorld({ dualAllocation: true })
  const { now } = world.clock
  const receive = signed(world, Method.Allocate, [UDP_TRANSPORT, BOTH])
  world.server.receive(receive, UDP, ALICE, now)
  expect(world.server.relayOpened(1, 4, now)).toEqual([])
  let outputs = world.server.relayFailed(1, 6, now)
  for (let tries = 0; outputs[0]?.type === 'openRelay'; tries++) {
    expect(tries).toBeLessThan(4)
    outputs = world.server.relayFailed(1, 6, now)
  }
  const answer = parsed(perform(world, outputs).sent[0]!.bytes)
  expect(answer.getAll(Attribute.XorRelayedAddress)).toHaveLength(1)
  expect([...answer.get(Attribute.AddressErrorCode)!.subarray(0, 4)]).toEqual([2, 0, 5, 8])
  expect(world.ports.liveCount).toBe(1)
})

test.each<[string, number, Pair[]]>([
  ['IPv4 as the additional family', 400, [[Attribute.AdditionalAddressFamily, encodeAddressFamily(4)]]],
  ['an additional family of a wrong size', 400, [[Attribute.AdditionalAddressFamily, Uint8Array.of(2)]]],
  ['REQUESTED-ADDRESS-FAMILY beside it', 400, [BOTH, [Attribute.RequestedAddressFamily, encodeAddressFamily(6)]]],
  ['a reservation beside it', 400, [BOTH, [Attribute.EvenPort, Uint8Array.of(0x80)]]],
  ['an even port beside it', 200, [BOTH, [Attribute.EvenPort, Uint8Array.of(0)]]],
])('%s draws %i', (_, code, attributes) => {
  const world = createWorld({ dualAllocation: true })
  expect(askCode(world, Method.Allocate, [UDP_TRANSPORT, ...attributes])).toBe(code)
})

test('Refresh without a family prolongs both, with one only that one, and each expires for itself', () => {
  const { world, alice } = dual()
  alice.permit(PEER, PEER6)
  pass(world, 100)
  expect(alice.refresh(1200, 6)).toMatchObject([{ type: 'refreshed', lifetime: 1200 }])
  const ended = pass(world, 500).filter(({ type }) => type === 'closeRelay')
  expect(ended).toMatchObject([{ family: 4, reason: 'expired' }])
  const allocation = alice.allocation()!
  expect(allocation.state).toBe('live')
  expect([allocation.relayFor(4), allocation.family]).toEqual([undefined, 6])
  expect(failure(alice.permit(PEER))).toBe(443)
  expect(alice.refresh(600)).toMatchObject([{ type: 'refreshed' }])
  pass(world, 600)
  expect([world.server.allocations.size, world.server.nextDeadline]).toEqual([0, Number.POSITIVE_INFINITY])
  expect([world.quota.used, world.ports.liveCount]).toEqual([0, 0])
})

test('lifetime 0 with a family deletes that address with its channels and permissions; the last ends all', () => {
  const { world, alice } = dual()
  alice.permit(PEER, PEER6)
  alice.bind(PEER)
  alice.bind(PEER6)
  expect(alice.refresh(0, 4)).toEqual([{ type: 'refreshed', lifetime: 0 }])
  const allocation = alice.allocation()!
  expect([...allocation.permissions.keys()]).toEqual([PEER6.address])
  expect([...allocation.channels].map(({ peer }) => peer.address)).toEqual([PEER6.address])
  expect(alice.others.filter(({ type }) => type === 'closeRelay')).toMatchObject([{ family: 4, reason: 'deleted' }])
  alice.refresh(0, 6)
  expect(allocation.state).toBe('closed')
  expect(world.events.closed).toEqual([[1, 'deleted']])
  expect(world.server.nextDeadline).toBe(Number.POSITIVE_INFINITY)
})

test('Refresh without lifetime 0 leaves both, and lifetime 0 without a family ends both', () => {
  const { world, alice } = dual()
  alice.refresh(900)
  expect(pass(world, 899).filter(({ type }) => type === 'closeRelay')).toEqual([])
  alice.refresh(0)
  expect(alice.others.filter(({ type }) => type === 'closeRelay')).toHaveLength(2)
  expect([world.server.allocations.size, world.ports.liveCount]).toEqual([0, 0])
  expect(world.server.nextDeadline).toBe(Number.POSITIVE_INFINITY)
})

test('a socket that breaks later takes only its own address along', () => {
  const { world, alice } = dual()
  expect(world.server.relayFailed(1, 6, world.clock.now)).toMatchObject([{ type: 'closeRelay', family: 6 }])
  expect(alice.allocation()?.relays).toHaveLength(1)
  expect(alice.refresh()).toMatchObject([{ type: 'refreshed' }])
})

test('a driver that holds one socket for each allocation is never asked for two', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE, { dual: true })
  expect(alice.allocate()).toMatchObject([{ type: 'allocated', relayed: { family: 4 } }])
  expect(alice.others.filter(({ type }) => type === 'openRelay')).toHaveLength(1)
})
