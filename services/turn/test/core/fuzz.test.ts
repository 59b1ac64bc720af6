import {
  checkFingerprint,
  checkIntegrity,
  decodeChannelData,
  frameLength,
  Method,
  parseMessage,
  TurnClient,
} from '@hairpin/stun'
import { expect, test } from 'vitest'
import { createRandom, mutate, randomDatagram } from '../../../../test/fuzz/mutate.ts'
import { Readers } from '../../../../test/fuzz/readers.ts'
import { loadCorpus, Target } from '../../../../test/fuzz/target.ts'
import { RFC5769 } from '../../../../test/vectors/rfc5769.ts'
import { ALICE, createPeer, createWorld, NOTHING, PEER, pass, perform, remains, seededBytes, UDP } from './world.ts'

/** Requests of a real session: what mutations start from. */
function session() {
  const world = createWorld()
  const alice = createPeer(world, ALICE, { evenPort: { reserve: true }, lifetime: 900 })
  alice.allocate()
  alice.permit(PEER)
  alice.bind(PEER)
  alice.refresh(1200)
  const seeds = [
    ...alice.requests,
    alice.client.send({ ...PEER, port: 1 }, Buffer.from('payload')),
    ...RFC5769.map((v) => v.bytes),
  ]
  return { world, alice, seeds }
}

test('10,000 random and mutated datagrams change nothing: no exception, no growth', () => {
  const { world, alice, seeds } = session()
  const random = createRandom(42)
  const allocation = alice.allocation()!
  const before = {
    size: world.server.allocations.size,
    live: world.ports.liveCount,
    quota: world.quota.used,
    expiresAt: allocation.expiresAt,
    permissions: allocation.permissions.size,
    channels: allocation.channelCount,
  }
  for (let i = 0; i < 10_000; i++) {
    const seed = seeds[random(seeds.length)]!
    const bytes = random(3) === 0 ? randomDatagram(random) : mutate(seed, random)
    const from =
      random(2) === 0 ? ALICE : { address: `192.0.2.${random(256)}`, port: 1024 + random(60_000), family: 4 as const }
    // A mutation may undo itself: what is a true request again is not for this test.
    if (seeds.some((valid) => Buffer.compare(valid, bytes) === 0)) continue
    const { sent } = perform(world, world.server.receive(bytes, UDP, from, world.clock.now))
    for (const answer of sent) expect(answer.bytes.length).toBeLessThanOrEqual(Math.max(bytes.length * 3.4, 68))
  }
  expect({
    size: world.server.allocations.size,
    live: world.ports.liveCount,
    quota: world.quota.used,
    expiresAt: allocation.expiresAt,
    permissions: allocation.permissions.size,
    channels: allocation.channelCount,
  }).toEqual(before)
  pass(world, 3600)
  expect([world.server.allocations.size, world.server.nextDeadline]).toEqual([0, Number.POSITIVE_INFINITY])
})

test('10,000 datagrams do not upset the codec or the client either', () => {
  const { seeds } = session()
  const random = createRandom(7)
  const client = new TurnClient({ username: 'a', password: 'b', randomBytes: seededBytes('client') })
  client.allocate(0)
  for (let i = 0; i < 10_000; i++) {
    const bytes = random(3) === 0 ? randomDatagram(random) : mutate(seeds[random(seeds.length)]!, random)
    frameLength(bytes)
    decodeChannelData(bytes)
    const parsed = parseMessage(bytes)
    if (parsed.ok) {
      checkFingerprint(parsed.message)
      checkIntegrity(parsed.message, new Uint8Array(16))
    }
    client.receive(bytes, i)
  }
  expect(client.relayed).toBeUndefined()
})

test('10,000 inputs on the committed corpus keep the core’s books balanced, and upset no reader', () => {
  const random = createRandom(1)
  const [target, readers] = [new Target(random), new Readers(random)]
  for (let i = 0; i < 10_000; i++) {
    target.step()
    readers.read(target.input)
  }
  expect(target.behaviours).toBeGreaterThan(30)
  pass(target.world, 7200)
  expect(remains(target.world)).toEqual(NOTHING)
})

test('every kind of message is in the corpus', () => {
  const corpus = loadCorpus()
  const kinds = new Set(corpus.map((bytes) => parseMessage(bytes)).map((parsed) => parsed.ok && parsed.message.method))
  for (const method of [Method.Binding, Method.Allocate, Method.Refresh, Method.CreatePermission, Method.ChannelBind])
    expect(kinds).toContain(method)
  expect(corpus.length).toBeGreaterThan(30)
})
