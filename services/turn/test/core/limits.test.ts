/** Bandwidth, bytes per credential, the life of credentials, revocation and new policies on a live server. */
import { Method } from '@hairpin/stun'
import { expect, test } from 'vitest'
import { createPeerPolicy, type TurnServerOptions } from '../../src/core/index.ts'
import { askCode, UDP_TRANSPORT } from './raw.ts'
import {
  ALICE,
  BOB,
  createPeer,
  createWorld,
  creditsOf,
  failure,
  NOTHING,
  PEER,
  pass,
  RELAY4,
  RELAY6,
  remains,
  START,
  type World,
} from './world.ts'

function allocated(options: Parameters<typeof createWorld>[0] = {}) {
  const world = createWorld(options)
  const alice = createPeer(world, ALICE)
  alice.allocate()
  return { world, alice, allocation: alice.allocation()! }
}

function bobIn(world: World) {
  const bob = createPeer(world, BOB, { username: 'bob', password: 'hunter2' })
  bob.allocate()
  return { bob, allocation: bob.allocation()! }
}

test('without limits everything passes, and an allocation carries nothing for it', () => {
  const { allocation } = allocated()
  expect(allocation.take(1e9, START)).toBe(true)
  expect(allocation.allowance).toBeUndefined()
})

test('an allocation relays its rate, and its burst after a silence', () => {
  const { allocation, world } = allocated({ bandwidth: { perAllocation: 100_000, burst: 2 } })
  const { now } = world.clock
  const relayed = (at: number) => {
    let bytes = 0
    while (allocation.take(1000, at)) bytes += 1000
    return bytes
  }
  expect(relayed(now)).toBe(200_000)
  expect(relayed(now + 100)).toBe(10_000)
  expect(relayed(now + 60_000)).toBe(200_000)
})

test('all allocations together have a rate; what it refuses is not taken from the allocation’s own', () => {
  const { world, allocation } = allocated({ bandwidth: { perAllocation: 1000, total: 1500 } })
  const other = bobIn(world).allocation
  const { now } = world.clock
  expect(allocation.take(1000, now)).toBe(true)
  expect(other.take(1000, now)).toBe(false)
  expect(other.take(500, now)).toBe(true)
  expect(other.take(500, now)).toBe(false)
  expect(other.take(500, now + 400)).toBe(true)
})

test('a credential has so many bytes, over all its allocations and across them', () => {
  const { world, alice, allocation } = allocated({ credits: creditsOf(10_000) })
  const second = createPeer(world, { ...ALICE, port: 2 })
  second.allocate()
  expect(allocation.take(6000, START)).toBe(true)
  expect(second.allocation()!.take(6000, START)).toBe(false)
  expect(second.allocation()!.allowance?.refused).toBe('credit')
  expect(second.allocation()!.take(4000, START)).toBe(true)
  alice.refresh(0)
  second.refresh(0)
  expect(failure(alice.allocate())).toBe(486)
  expect([world.quota.used, world.ports.liveCount]).toEqual([0, 0])
  expect(bobIn(world).allocation.take(10_000, START)).toBe(true)
})

test('a limit that is set under live allocations counts for them, and is lifted again', () => {
  const { world, allocation } = allocated({ bandwidth: { perAllocation: 1e6 } })
  const credits = creditsOf(1000)
  world.server.update({ credits }, world.clock.now)
  expect([allocation.take(1000, START), allocation.take(1, START)]).toEqual([true, false])
  world.server.update({ credits: undefined }, world.clock.now)
  expect(allocation.take(1000, START)).toBe(true)
  world.server.update({ credits }, world.clock.now)
  expect(allocation.take(1, START)).toBe(false)
  expect(allocation.allowance?.refused).toBe('credit')
})

const expires = (seconds: number): Pick<TurnServerOptions, 'passwords'> => ({
  passwords: (_, now) => {
    const expiresAt = START + seconds * 1000
    return now < expiresAt
      ? { ok: true, passwords: ['secret'], app: 'demo', user: 'alice', expiresAt }
      : { ok: false, reason: 'expired' }
  },
})

test('by default an allocation outlives its credential for as long as it is refreshed', () => {
  const { world, alice } = allocated(expires(100))
  pass(world, 500)
  expect(alice.refresh()).toEqual([{ type: 'refreshed', lifetime: 600 }])
})

test('`disconnect` ends it with its credential, and the client is told the shorter lifetimes', () => {
  const { world, alice, allocation } = allocated({ ...expires(700), credentialExpiry: 'disconnect' })
  pass(world, 300)
  expect(alice.refresh()).toEqual([{ type: 'refreshed', lifetime: 400 }])
  expect(pass(world, 399)).toEqual([])
  expect(alice.refresh()).toEqual([{ type: 'refreshed', lifetime: 1 }])
  expect(pass(world, 1)).toMatchObject([{ type: 'closeRelay', reason: 'credential-expired' }])
  expect(allocation.state).toBe('closed')
  expect(failure(alice.refresh())).toBe(401)
})

test('refreshing within the last second wins no time beyond the credential', () => {
  const { world, alice } = allocated({ ...expires(700), credentialExpiry: 'disconnect' })
  pass(world, 300)
  alice.refresh()
  expect(pass(world, 399.5)).toEqual([])
  expect(alice.refresh()).toEqual([{ type: 'refreshed', lifetime: 1 }])
  expect(pass(world, 0.5)).toMatchObject([{ type: 'closeRelay', reason: 'credential-expired' }])
})

test('`grace` gives it so much longer; an idle one still ends by its own lifetime', () => {
  const { world, alice } = allocated({ ...expires(100), credentialExpiry: { grace: 900 } })
  pass(world, 300)
  expect(alice.refresh()).toEqual([{ type: 'refreshed', lifetime: 600 }])
  expect(pass(world, 600)).toMatchObject([{ reason: 'expired' }])
  const again = allocated({ ...expires(100), credentialExpiry: { grace: 900 } })
  pass(again.world, 500)
  expect(again.alice.refresh()).toEqual([{ type: 'refreshed', lifetime: 500 }])
  expect(pass(again.world, 500)).toMatchObject([{ reason: 'credential-expired' }])
})

test('revocation ends exactly the allocations meant, and the client hears of it', () => {
  const { world, alice } = allocated()
  const { bob } = bobIn(world)
  const outputs = world.server.revoke(({ username }) => username === 'alice', world.clock.now)
  expect(outputs).toMatchObject([{ type: 'closeRelay', allocation: 1, reason: 'revoked' }])
  expect(failure(alice.refresh())).toBe(437)
  expect(bob.refresh()).toMatchObject([{ type: 'refreshed' }])
  expect(world.events.closed).toEqual([[1, 'revoked']])
})

test('new secrets count for new allocations; live ones go on with theirs', () => {
  const { world, alice } = allocated()
  const passwords: TurnServerOptions['passwords'] = () => ({
    ok: true,
    passwords: ['rotated'],
    app: 'demo',
    user: 'alice',
    expiresAt: Number.POSITIVE_INFINITY,
  })
  expect(world.server.update({ passwords }, world.clock.now)).toEqual([])
  expect(alice.refresh()).toMatchObject([{ type: 'refreshed' }])
  expect(failure(createPeer(world, { ...ALICE, port: 2 }).allocate())).toBe(401)
  expect(createPeer(world, { ...ALICE, port: 3 }, { password: 'rotated' }).allocate()).toMatchObject([
    { type: 'allocated' },
  ])
})

test('a peer denied from now on loses its permission and channel at once, others keep theirs', () => {
  const { world, alice, allocation } = allocated()
  const other = { ...PEER, address: '9.9.9.9' }
  alice.permit(PEER, other)
  alice.bind(PEER)
  alice.bind(other)
  const peers = createPeerPolicy({ deny: ['8.0.0.0/8'], relayAddresses: [RELAY4, RELAY6] })
  expect(world.server.update({ peers }, world.clock.now)).toMatchObject([
    { type: 'forbidden', address: PEER.address },
    { type: 'channelUnbound', peer: PEER },
  ])
  expect([allocation.channelCount, allocation.permissions.size]).toEqual([1, 1])
  expect(failure(alice.permit(PEER))).toBe(403)
})

test('a new quota counts what comes; what is there is given back where it was counted', () => {
  const { world, alice } = allocated()
  let used = 0
  const quota = { acquire: () => ++used <= 1, release: () => void used-- }
  world.server.update({ quota }, world.clock.now)
  const { bob } = bobIn(world)
  alice.refresh(0)
  expect([world.quota.used, used]).toEqual([0, 1])
  bob.refresh(0)
  expect(used).toBe(0)
})

test('new rates count at once for live allocations, and so does a shorter life of credentials', () => {
  const { world, allocation } = allocated({ ...expires(200) })
  const { now } = world.clock
  world.server.update({ bandwidth: { perAllocation: 100, total: 1000 } }, now)
  expect([allocation.take(100, now), allocation.take(100, now), allocation.take(100, now + 1000)]).toEqual([
    true,
    false,
    true,
  ])
  world.server.update({ bandwidth: undefined }, now)
  expect(allocation.allowance).toBeUndefined()
  world.server.update({ credentialExpiry: 'disconnect' }, now)
  expect(pass(world, 199)).toEqual([])
  expect(pass(world, 1)).toMatchObject([{ reason: 'credential-expired' }])
  expect(remains(world)).toEqual(NOTHING)
})

test('new limits, realm kept: nonces that are out stay valid', () => {
  const { world, alice } = allocated()
  world.server.update({ limits: { maxLifetime: 700, maxPermissions: 1 }, software: 'Hairpin' }, world.clock.now)
  expect(alice.refresh(3600)).toEqual([{ type: 'refreshed', lifetime: 700 }])
  alice.permit(PEER)
  expect(failure(alice.permit({ ...PEER, address: '9.9.9.9' }))).toBe(508)
  expect(world.events.authFailures).toEqual([])
  world.server.update({ relayAddresses: { 6: RELAY6 } }, world.clock.now)
  expect(askCode(world, Method.Allocate, [UDP_TRANSPORT], { from: { ...ALICE, port: 9 } })).toBe(440)
})
