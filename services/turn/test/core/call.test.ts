import { expect, test } from 'vitest'
import { dataIndication } from '../../src/core/index.ts'
import { ALICE, BOB, createPeer, createWorld, PEER, PEER6, pass, perform, RELAY4, RELAY6, TCP, UDP } from './world.ts'

test('a client is challenged, allocates, permits, binds, exchanges data both ways and deletes', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE)
  const [allocated] = alice.allocate()
  expect(allocated).toMatchObject({ type: 'allocated', mapped: ALICE, lifetime: 600, relayed: { address: RELAY4 } })
  expect(world.events.requests).toEqual(['allocate udp 401', 'allocate udp 200'])

  expect(alice.permit(PEER)).toEqual([{ type: 'permitted', peers: [PEER] }])
  const payload = Buffer.from('hello')
  const indication = alice.client.send(PEER, payload)
  expect(world.server.receive(indication, UDP, ALICE, world.clock.now)).toEqual([
    { type: 'relay', allocation: 1, peer: PEER, payload: expect.anything() },
  ])
  const allocation = alice.allocation()!
  expect(alice.client.receive(dataIndication(allocation, PEER, payload), world.clock.now)).toEqual([
    { type: 'data', peer: PEER, payload },
  ])

  expect(alice.bind(PEER)).toEqual([{ type: 'channelBound', peer: PEER, channel: 0x4000 }])
  expect([...alice.client.send(PEER, payload)].slice(0, 4)).toEqual([0x40, 0, 0, 5])
  expect(allocation.channelByNumber(0x4000)?.peer).toEqual(PEER)
  expect(allocation.channelFor(PEER.address, PEER.port)?.number).toBe(0x4000)

  expect(alice.refresh(0)).toEqual([{ type: 'closed' }])
  expect(world.events.closed).toEqual([[1, 'deleted']])
  expect(alice.others.filter((o) => o.type === 'closeRelay')).toHaveLength(1)
  expect(world.server.allocations.size).toBe(0)
  expect(world.server.nextDeadline).toBe(Number.POSITIVE_INFINITY)
  expect(world.quota.used).toBe(0)
  expect(world.ports.liveCount).toBe(0)
})

test('ChannelBind alone is enough: it installs the permission, and the channel keeps its peer for ten minutes', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE)
  alice.allocate()
  alice.refresh(3600)
  alice.bind(PEER)
  const allocation = alice.allocation()!
  expect(allocation.permitted(PEER.address, PEER.port, world.clock.now)).toBe(true)
  pass(world, 500)
  expect(allocation.permitted(PEER.address, PEER.port, world.clock.now)).toBe(false)
  expect(allocation.channelFor(PEER.address, PEER.port)).toBeDefined()
  alice.bind(PEER)
  expect(allocation.permitted(PEER.address, PEER.port, world.clock.now)).toBe(true)
  pass(world, 601)
  expect(allocation.channelFor(PEER.address, PEER.port)).toBeUndefined()
})

test('a client that keeps its allocation alive by itself still has it a day later', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE, { keepAlive: true })
  alice.allocate()
  alice.bind(PEER)
  const end = world.clock.now + 86_400_000
  while (world.clock.now < end) {
    world.clock.now = Math.min(world.server.nextDeadline, alice.client.nextDeadline)
    alice.run(alice.client.handleTimeout(world.clock.now))
    perform(world, world.server.handleTimeout(world.clock.now))
  }
  expect(alice.allocation()?.channelFor(PEER.address, PEER.port)).toBeDefined()
  expect(world.events.authFailures).toContain('stale-nonce')
})

test('two clients of one server reach each other on their relayed addresses, and nothing else of the server', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE)
  const bob = createPeer(world, BOB, { username: 'bob', password: 'hunter2' })
  alice.allocate()
  bob.allocate()
  const relayed = bob.client.relayed!
  alice.permit(relayed)
  alice.bind(relayed)
  const allocation = alice.allocation()!
  const channel = allocation.channelFor(relayed.address, relayed.port)!
  expect(allocation.permitted(relayed.address, relayed.port, world.clock.now)).toBe(true)
  expect(allocation.permitted(relayed.address, 3478, world.clock.now)).toBe(false)
  expect(allocation.reachable(channel)).toBe(true)
  const toServer = alice.client.send({ ...relayed, port: 3478 }, Buffer.from('x'))
  expect(world.server.receive(toServer, UDP, ALICE, world.clock.now)).toEqual([
    { type: 'ignore', reason: 'no-permission' },
  ])
  bob.refresh(0)
  expect(allocation.reachable(channel)).toBe(false)
})

test('an IPv6 relayed address is given to who asks for it', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE, { family: 6 })
  expect(alice.allocate()).toMatchObject([{ type: 'allocated', relayed: { address: RELAY6, family: 6 } }])
  expect(alice.permit(PEER6)).toEqual([{ type: 'permitted', peers: [PEER6] }])
})

test('EVEN-PORT with reservation: the next port goes to the bearer of the token, once', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE, { evenPort: { reserve: true } })
  const [allocated] = alice.allocate()
  if (allocated?.type !== 'allocated') throw new Error('no allocation')
  expect(allocated.relayed.port % 2).toBe(0)
  expect(allocated.reservationToken).toHaveLength(8)
  const reservationToken = allocated.reservationToken!
  const bob = createPeer(world, BOB, { username: 'bob', password: 'hunter2', reservationToken })
  expect(bob.allocate()).toMatchObject([{ type: 'allocated', relayed: { port: allocated.relayed.port + 1 } }])
  const again = createPeer(world, { ...BOB, port: 9 }, { username: 'bob', password: 'hunter2', reservationToken })
  expect(again.allocate()).toMatchObject([{ type: 'failed', code: 508 }])
})

test('a stream client loses its allocation with its connection', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE, { reliable: true }, TCP)
  alice.allocate()
  expect(world.server.disconnected(TCP, ALICE, world.clock.now)).toMatchObject([
    { type: 'closeRelay', reason: 'disconnected' },
  ])
  expect(world.events.closed).toEqual([[1, 'disconnected']])
})
