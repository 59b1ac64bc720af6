/** ALTERNATE-SERVER (RFC 8489 section 10) while draining. */
import { Attribute, decodeAddress, Method } from '@hairpin/stun'
import { expect, test } from 'vitest'
import { ask, codeOf, UDP_TRANSPORT } from './raw.ts'
import { ALICE, BOB, createPeer, createWorld, failure, PEER } from './world.ts'

const OTHER = { address: '198.51.100.2', port: 3479, family: 4 as const }

test('while draining, new allocations are sent to the alternate and existing ones are served', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE)
  alice.allocate()
  world.server.drain({ alternate: { 4: OTHER } })
  expect(world.server.draining).toBe(true)
  const answer = ask(world, Method.Allocate, [UDP_TRANSPORT], { from: BOB, username: 'bob', password: 'hunter2' })
  expect(codeOf(answer)).toBe(300)
  expect(decodeAddress(answer.get(Attribute.AlternateServer)!)).toEqual(OTHER)
  expect(answer.has(Attribute.MessageIntegrity)).toBe(true)
  expect(alice.permit(PEER)).toMatchObject([{ type: 'permitted' }])
  expect(alice.refresh()).toMatchObject([{ type: 'refreshed' }])
  expect([world.quota.used, world.ports.liveCount, world.server.allocations.size]).toEqual([1, 1, 1])
})

test('a client of a family that has no alternate gets 508, and so does everyone when there is none', () => {
  const world = createWorld()
  world.server.drain({ alternate: { 6: { ...OTHER, address: '2a01::1', family: 6 } } })
  expect(failure(createPeer(world, ALICE).allocate())).toBe(508)
  world.server.drain({})
  expect(failure(createPeer(world, BOB, { username: 'bob', password: 'hunter2' }).allocate())).toBe(508)
  world.server.drain(undefined)
  expect(createPeer(world, { ...ALICE, port: 7 }).allocate()).toMatchObject([{ type: 'allocated' }])
})

test('whoever is not authenticated is challenged as ever, not sent elsewhere', () => {
  const world = createWorld()
  world.server.drain({ alternate: { 4: OTHER } })
  expect(codeOf(ask(world, Method.Allocate, [UDP_TRANSPORT], { password: 'wrong' }))).toBe(401)
})
