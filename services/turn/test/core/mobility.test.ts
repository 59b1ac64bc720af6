/** RFC 8016: a client that changes its network keeps its allocation. */
import { Attribute, encodeLifetime, Method } from '@hairpin/stun'
import { expect, test } from 'vitest'
import {
  type Allocation,
  type Endpoint,
  type Listener,
  openTicket,
  type TurnServerOptions,
} from '../../src/core/index.ts'
import { sealTicket } from '../../src/core/mobility.ts'
import { ask, codeOf, deliver, nonceFor, type Pair, signed, UDP_TRANSPORT } from './raw.ts'
import {
  ALICE,
  BOB,
  createPeer,
  createWorld,
  failure,
  NOTHING,
  PEER,
  pass,
  remains,
  seededBytes,
  TCP,
  UDP,
  type World,
} from './world.ts'

const key = seededBytes('mobility')(32)
const ELSEWHERE: Endpoint = { address: '203.0.113.9', port: 1234, family: 4 }

function roaming(overrides: Parameters<typeof createWorld>[0] = {}, listener = UDP) {
  const world = createWorld({ mobility: { key, worker: 3 }, ...overrides })
  const alice = createPeer(world, ALICE, { mobility: true, reliable: listener === TCP }, listener)
  alice.allocate()
  const allocation = alice.allocation()!
  return { world, alice, allocation }
}

/** The ticket in the answer to a Refresh with this one from `from`; and the answer's code. */
function present(world: World, ticket: Uint8Array, from: Endpoint, extra: readonly Pair[] = [], username = 'alice') {
  const password = username === 'bob' ? 'hunter2' : 'secret'
  const answer = ask(world, Method.Refresh, [[Attribute.MobilityTicket, ticket], ...extra], {
    from,
    username,
    password,
  })
  return { code: codeOf(answer), ticket: answer.get(Attribute.MobilityTicket)?.slice() }
}

/** A mobile allocation made by hand, and its first ticket. */
function ticketed(world = createWorld({ mobility: { key, worker: 3 } })) {
  const answer = ask(world, Method.Allocate, [UDP_TRANSPORT, [Attribute.MobilityTicket, new Uint8Array(0)]])
  return { world, ticket: answer.get(Attribute.MobilityTicket)!.slice() }
}

/** Data from the client, as the data path tells of it. */
function talk(world: World, allocation: Allocation, from: Endpoint, listener = UDP) {
  expect(allocation.isNext(listener, from.address, from.port)).toBe(true)
  return world.server.arrived(allocation, world.clock.now)
}

test('an allocation moves with its relayed address, permissions and channels', () => {
  const { world, alice, allocation } = roaming()
  alice.permit({ ...PEER, address: '9.9.9.9' })
  alice.bind(PEER)
  const relayed = allocation.relays[0]
  alice.place.from = ELSEWHERE
  expect(alice.run(alice.client.move(world.clock.now))).toEqual([{ type: 'refreshed', lifetime: 600 }])
  expect(talk(world, allocation, ELSEWHERE)).toEqual([
    { type: 'moved', allocation: allocation.id },
    { type: 'left', listener: UDP, client: ALICE },
  ])
  expect(alice.allocation()).toBe(allocation)
  expect([allocation.client, allocation.listener, allocation.relays[0]]).toEqual([ELSEWHERE, UDP, relayed])
  expect(world.server.allocations.find(UDP, ALICE.address, ALICE.port)).toBeUndefined()
  expect(allocation.channelFor(PEER.address, PEER.port)).toBeDefined()
  expect(allocation.permitted('9.9.9.9', 1, world.clock.now)).toBe(true)
  expect(alice.refresh(0)).toEqual([{ type: 'closed' }])
  expect(remains(world)).toEqual(NOTHING)
})

test('until it sends data from there, the client is reached where it was and heard in both places', () => {
  const { world, alice, allocation } = roaming()
  alice.permit(PEER)
  alice.place.from = ELSEWHERE
  alice.run(alice.client.move(world.clock.now))
  expect([allocation.client, allocation.listener]).toEqual([ALICE, UDP])
  alice.place.from = ALICE
  expect(alice.refresh()).toMatchObject([{ type: 'refreshed' }])
  deliver(world, alice.client.send(PEER, Uint8Array.of(1)), { from: ALICE })
  expect(allocation.client).toEqual(ALICE)
  const { other } = deliver(world, alice.client.send(PEER, Uint8Array.of(1)), { from: ELSEWHERE })
  expect(other).toMatchObject([{ type: 'moved' }, { type: 'left', client: ALICE }, { type: 'relay' }])
  expect(allocation.client).toEqual(ELSEWHERE)
  alice.place.from = ALICE
  expect(failure(alice.refresh())).toBe(437)
})

test('a request from the new place without a ticket completes the move too: it may have nothing to say', () => {
  const { world, alice, allocation } = roaming()
  alice.place.from = ELSEWHERE
  alice.run(alice.client.move(world.clock.now))
  alice.run(alice.client.move(world.clock.now))
  expect(allocation.client).toEqual(ALICE)
  alice.permit(PEER)
  expect(allocation.client).toEqual(ELSEWHERE)
})

test('it can change its mind before it has sent anything: back, or elsewhere', () => {
  const { world, alice, allocation } = roaming()
  const found = (from: Endpoint) => world.server.allocations.find(UDP, from.address, from.port)
  for (const from of [ELSEWHERE, BOB, ALICE]) {
    alice.place.from = from
    alice.run(alice.client.move(world.clock.now))
  }
  expect([found(ALICE), found(ELSEWHERE), found(BOB), allocation.next]).toEqual([allocation, ...Array(3)])
  expect(alice.others.filter(({ type }) => type === 'reached' || type === 'left')).toMatchObject([
    { type: 'reached', client: ELSEWHERE },
    { type: 'left', client: ELSEWHERE },
    { type: 'reached', client: BOB },
    { type: 'left', client: BOB },
  ])
})

test('when it ends between two places nothing is left in either', () => {
  const { world, alice } = roaming()
  alice.place.from = ELSEWHERE
  alice.run(alice.client.move(world.clock.now))
  expect(alice.refresh(0)).toEqual([{ type: 'closed' }])
  expect(remains(world)).toEqual(NOTHING)
  for (const { address, port } of [ALICE, ELSEWHERE])
    expect(world.server.allocations.find(UDP, address, port)).toBeUndefined()
})

test('it can move again and again, and back', () => {
  const { world, alice, allocation } = roaming()
  for (const from of [ELSEWHERE, BOB, ALICE, ELSEWHERE]) {
    alice.place.from = from
    expect(alice.run(alice.client.move(world.clock.now))).toMatchObject([{ type: 'refreshed' }])
    talk(world, allocation, from)
    expect([alice.allocation(), allocation.client]).toEqual([allocation, from])
  }
})

test('its shared table of flows has every place it may be found at, and no other', () => {
  const flows = new Set<string>()
  const nameOf = (listener: Listener, { address, port }: Endpoint) => `${listener.id} ${address} ${port}`
  const { world, alice, allocation } = roaming({
    flows: {
      add: (listener, client) => void flows.add(nameOf(listener, client)),
      remove: (listener, client) => void flows.delete(nameOf(listener, client)),
    },
  })
  alice.place.from = ELSEWHERE
  alice.run(alice.client.move(world.clock.now))
  expect([...flows]).toEqual([nameOf(UDP, ALICE), nameOf(UDP, ELSEWHERE)])
  talk(world, allocation, ELSEWHERE)
  expect([...flows]).toEqual([nameOf(UDP, ELSEWHERE)])
  alice.refresh(0)
  expect([...flows]).toEqual([])
})

test('a connection that ends takes along what was still to come by it, and completes what was to leave it', () => {
  const moved = roaming({}, TCP)
  moved.alice.place.from = ELSEWHERE
  moved.alice.place.listener = UDP
  moved.alice.run(moved.alice.client.move(moved.world.clock.now))
  expect(moved.world.server.disconnected(TCP, ALICE, moved.world.clock.now)).toMatchObject([
    { type: 'moved' },
    { type: 'left', listener: TCP },
  ])
  expect([moved.allocation.listener, moved.allocation.client]).toEqual([UDP, ELSEWHERE])
  const stayed = roaming()
  stayed.alice.place.listener = TCP
  stayed.alice.run(stayed.alice.client.move(stayed.world.clock.now))
  expect(stayed.world.server.disconnected(TCP, ALICE, stayed.world.clock.now)).toMatchObject([
    { type: 'left', listener: TCP },
  ])
  expect([stayed.allocation.listener, stayed.allocation.next]).toEqual([UDP, undefined])
  pass(stayed.world, 100)
  expect(stayed.allocation.state).toBe('live')
})

test('it moves from TCP to UDP, and a lost connection gives it a minute for that', () => {
  const { world, alice, allocation } = roaming({}, TCP)
  expect(world.server.disconnected(TCP, ALICE, world.clock.now)).toEqual([])
  pass(world, 50)
  alice.place.from = ELSEWHERE
  alice.place.listener = UDP
  expect(alice.run(alice.client.move(world.clock.now))).toMatchObject([{ type: 'refreshed', lifetime: 600 }])
  expect([alice.allocation(), allocation.listener]).toEqual([allocation, UDP])
  const other = roaming({}, TCP)
  other.world.server.disconnected(TCP, ALICE, other.world.clock.now)
  expect(pass(other.world, 60)).toMatchObject([{ type: 'closeRelay', reason: 'expired' }])
})

test('the next connection from the port of a lost one is a stranger', () => {
  const { world, alice, allocation } = roaming({}, TCP)
  world.server.disconnected(TCP, ALICE, world.clock.now)
  const stranger = createPeer(world, ALICE, { reliable: true }, TCP)
  expect(stranger.allocation()).toBeUndefined()
  expect(stranger.allocate()).toMatchObject([{ type: 'allocated' }])
  const theirs = stranger.allocation()
  alice.place.from = ELSEWHERE
  alice.run(alice.client.move(world.clock.now))
  expect(alice.allocation()).toBe(allocation)
  expect(stranger.allocation()).toBe(theirs)
})

test('what is left of two relayed addresses survives a lost connection and the move after it', () => {
  const world = createWorld({ mobility: { key, worker: 3 }, dualAllocation: true })
  const alice = createPeer(world, ALICE, { mobility: true, dual: true, reliable: true }, TCP)
  alice.allocate()
  alice.refresh(0, 4)
  world.server.disconnected(TCP, ALICE, world.clock.now)
  alice.place.from = ELSEWHERE
  alice.run(alice.client.move(world.clock.now))
  expect(pass(world, 599)).toEqual([])
  expect(alice.allocation()?.relays.map(({ family }) => family)).toEqual([6])
  pass(world, 1)
  expect(remains(world)).toEqual(NOTHING)
})

test('events tell of the move before and after', () => {
  const seen: string[] = []
  const events: TurnServerOptions['events'] = {
    allocationMoving: (allocation, to) => seen.push(`${allocation.client.address} to ${to.client.address}`),
    allocationMoved: (allocation, from) => seen.push(`${from.client.address} left for ${allocation.client.address}`),
  }
  const { world, alice } = roaming({ events })
  alice.run(alice.client.move(world.clock.now))
  expect(seen).toEqual([])
  alice.place.from = ELSEWHERE
  alice.run(alice.client.move(world.clock.now))
  talk(world, alice.allocation()!, ELSEWHERE)
  expect(seen).toEqual(['192.0.2.7 to 203.0.113.9', '192.0.2.7 left for 203.0.113.9'])
})

test('the ticket before stays good until the new one was used: its answer may have been lost', () => {
  const { world, ticket: first } = ticketed()
  const second = present(world, first, ELSEWHERE)
  expect(second.code).toBe(200)
  const again = present(world, first, BOB)
  expect([again.code, again.ticket]).toEqual([200, second.ticket])
  const third = present(world, again.ticket!, ELSEWHERE)
  expect(third.code).toBe(200)
  expect(present(world, first, BOB).code).toBe(400)
})

test('a retransmission of the Refresh that moved it is answered the same', () => {
  const { world, ticket } = ticketed()
  const nonce = nonceFor(world, ELSEWHERE)
  const request = signed(world, Method.Refresh, [[Attribute.MobilityTicket, ticket]], { from: ELSEWHERE, nonce })
  const first = deliver(world, request, { from: ELSEWHERE }).sent[0]!.bytes
  expect(deliver(world, request, { from: ELSEWHERE }).sent[0]!.bytes).toEqual(first)
})

test('a forged, foreign or stale ticket draws 400 and moves nothing', () => {
  const { world, ticket } = ticketed()
  for (let at = 0; at < ticket.length; at++) {
    const forged = ticket.slice()
    forged[at]! ^= 1
    expect(present(world, forged, ELSEWHERE).code).toBe(400)
  }
  const sealed = openTicket(key, ticket)!
  for (const change of [{ worker: 4 }, { generation: 7 }])
    expect(present(world, sealTicket(key, { ...sealed, ...change }), ELSEWHERE).code).toBe(400)
  expect(present(world, new Uint8Array(0), ELSEWHERE).code).toBe(400)
  expect(world.server.allocations.find(UDP, ALICE.address, ALICE.port)).toBeDefined()
})

test('a ticket of an allocation that has ended draws 437', () => {
  const { world, ticket } = ticketed()
  const sealed = openTicket(key, ticket)!
  for (const change of [{ allocation: 9 }, { stamp: 1 }])
    expect(present(world, sealTicket(key, { ...sealed, ...change }), ELSEWHERE).code).toBe(437)
  expect(present(world, ticket, ALICE, [[Attribute.Lifetime, encodeLifetime(0)]])).toEqual({ code: 200 })
  expect(present(world, ticket, ELSEWHERE).code).toBe(437)
})

test('another user draws 441 with a right ticket, and a five-tuple that is taken 437', () => {
  const { world, ticket } = ticketed()
  expect(present(world, ticket, ELSEWHERE, [], 'bob').code).toBe(441)
  createPeer(world, BOB, { username: 'bob', password: 'hunter2' }).allocate()
  expect(present(world, ticket, BOB, []).code).toBe(437)
})

test('the credential may have expired: the allocation’s own key is enough', () => {
  const { world, ticket } = ticketed()
  delete world.users.alice
  expect(present(world, ticket, ELSEWHERE).code).toBe(200)
})

test('lifetime 0 with a ticket deletes it from anywhere', () => {
  const { world, ticket } = ticketed()
  expect(present(world, ticket, ELSEWHERE, [[Attribute.Lifetime, encodeLifetime(0)]])).toEqual({ code: 200 })
  expect(remains(world)).toEqual(NOTHING)
})

test('any worker can tell whose a ticket is, and hands it over, once the sender’s address is proven', () => {
  const handed: [number, number, Endpoint][] = []
  const forward = (worker: number, bytes: Uint8Array, _: unknown, from: Endpoint) =>
    handed.push([worker, bytes.length, from])
  const { ticket } = ticketed()
  expect(openTicket(key, ticket)).toMatchObject({ worker: 3, allocation: 1, generation: 0 })
  const other = createWorld({ mobility: { key, worker: 5, forward } })
  const pairs: Pair[] = [[Attribute.MobilityTicket, ticket]]
  const request = signed(other, Method.Refresh, pairs, { from: ELSEWHERE })
  expect(deliver(other, request, { from: ELSEWHERE })).toEqual({ sent: [], other: [] })
  expect(handed).toEqual([[3, request.length, ELSEWHERE]])
  const overTcp = deliver(other, request, { from: ELSEWHERE, listener: TCP })
  expect(overTcp).toMatchObject({ sent: [], other: [{ type: 'handOver', worker: 3, listener: TCP, from: ELSEWHERE }] })
  const stale = signed(other, Method.Refresh, pairs, { from: ELSEWHERE, nonce: new Uint8Array(24) })
  expect(deliver(other, stale, { from: ELSEWHERE }).sent).toHaveLength(1)
  expect(handed).toHaveLength(1)
})

test('an Allocate whose ticket is not empty draws 400', () => {
  const world = createWorld({ mobility: { key, worker: 3 } })
  expect(codeOf(ask(world, Method.Allocate, [UDP_TRANSPORT, [Attribute.MobilityTicket, key]]))).toBe(400)
})

test('who asks for no ticket gets none, and where mobility is off nobody does', () => {
  const plain = createWorld({ mobility: { key, worker: 3 } })
  expect(ask(plain, Method.Allocate, [UDP_TRANSPORT]).has(Attribute.MobilityTicket)).toBe(false)
  const off = createWorld()
  const alice = createPeer(off, ALICE, { mobility: true })
  expect(alice.allocate()).toMatchObject([{ type: 'allocated' }])
  expect(failure(alice.run(alice.client.move(off.clock.now)))).toBe(0)
})
