import { Attribute, Class, type Endpoint, MessageWriter, Method } from '@hairpin/stun'
import { expect, test } from 'vitest'
import { HalfSipHash } from '../../src/core/half-siphash.ts'
import { SourceBudget, TokenBucket } from '../../src/core/index.ts'
import { prefix, readPrefix } from '../../src/core/source-prefix.ts'
import { askCode, nonceFor, UDP_TRANSPORT } from './raw.ts'
import { ALICE, createPeer, createWorld, pass, START, seededBytes, TCP, UDP } from './world.ts'

const key = seededBytes('budget')(16)
const at = (address: string): Endpoint => ({ address, port: 4000, family: address.includes(':') ? 6 : 4 })
const limits = { key, challenge: { rate: 10, burst: 5 }, binding: { rate: 10, burst: 3 } }

/** How many of `times` are let through. */
function passed(budget: SourceBudget, address: string, now: number, times = 100, kind?: 'binding'): number {
  let count = 0
  for (let i = 0; i < times; i++) if (budget.take(at(address), kind ?? 'challenge', now)) count++
  return count
}

test('a prefix gets its burst, then its rate', () => {
  const budget = new SourceBudget(limits)
  expect(passed(budget, '192.0.2.1', START)).toBe(5)
  expect(passed(budget, '192.0.2.1', START + 1000)).toBe(5)
  expect(passed(budget, '192.0.2.1', START + 1300)).toBe(3)
  expect(passed(budget, '192.0.2.1', START + 1_000_000)).toBe(5)
})

test('challenges and Binding answers are counted apart', () => {
  const budget = new SourceBudget(limits)
  expect(passed(budget, '192.0.2.1', START)).toBe(5)
  expect(passed(budget, '192.0.2.1', START, 100, 'binding')).toBe(3)
})

test.each([
  ['192.0.2.1', '192.0.2.254', '192.0.3.1'],
  ['2001:db8:1:2::3', '2001:db8:1:ffff:a:b:c:d', '2001:db8:2::3'],
  ['192.0.2.1', '::ffff:192.0.2.9', '::ffff:192.0.3.9'],
  ['fe80::1', 'fe80::2%eth0', 'fe80:1::1'],
])('%s and %s share a prefix, %s does not', (one, neighbour, stranger) => {
  const budget = new SourceBudget(limits)
  expect(passed(budget, one, START)).toBe(5)
  expect(passed(budget, neighbour, START)).toBe(0)
  expect(passed(budget, stranger, START)).toBe(5)
})

test('the length of a prefix can be set', () => {
  const budget = new SourceBudget({ ...limits, prefix4: 32, prefix6: 64 })
  expect(passed(budget, '192.0.2.1', START)).toBe(5)
  expect(passed(budget, '192.0.2.2', START)).toBe(5)
  expect(passed(budget, '2001:db8:1:1::', START)).toBe(5)
  expect(passed(budget, '2001:db8:1:2::', START)).toBe(5)
})

test('a million prefixes take no more memory than the table, and none is refused its first answers', () => {
  const budget = new SourceBudget(limits)
  const bytes = budget.bytes
  expect(bytes).toBe(32_768 * 20)
  let refused = 0
  for (let i = 0; i < 1_000_000; i++)
    if (!budget.take(at(`${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.7`), 'challenge', START + i / 1000)) refused++
  expect(refused).toBe(0)
  expect(budget.bytes).toBe(bytes)
})

test('in a full set the prefix that was silent longest gives way, and a busy one keeps its count', () => {
  const budget = new SourceBudget({ ...limits, entries: 8 })
  for (let i = 0; i < 8; i++) expect(passed(budget, `10.0.${i}.1`, START + i)).toBe(5)
  expect(passed(budget, '10.0.0.1', START + 20)).toBe(0)
  expect(passed(budget, '10.0.9.1', START + 21)).toBe(5)
  expect(passed(budget, '10.0.0.1', START + 22)).toBe(0)
  expect(passed(budget, '10.0.1.1', START + 23)).toBe(5)
})

test('a clock that steps back or runs for months does no harm', () => {
  const budget = new SourceBudget(limits)
  expect(passed(budget, '192.0.2.1', START)).toBe(5)
  expect(passed(budget, '192.0.2.1', START - 10_000)).toBe(0)
  const later = START + 2 ** 32 + 5
  expect(passed(budget, '192.0.2.1', later)).toBe(5)
  expect(passed(budget, '192.0.2.1', later)).toBe(0)
})

test('text that is no address shares one budget instead of throwing', () => {
  const budget = new SourceBudget(limits)
  for (const text of ['', 'x', '1.2.3', '1.2.3.4.5', '300.1.1.1', ':', ':::', '1:2:3', '1:2:3:4:5:6:7:8:9', '12345::'])
    expect(budget.take(at(text), 'challenge', START + 100_000 * text.length)).toBeTypeOf('boolean')
})

test.each([
  ['1.2.3.4', 4, '1020300'],
  ['::', 6, '0'],
  ['1::', 6, '10000'],
  ['::1:2:3:4:5:6:7', 6, '1'],
  ['2001:db8:1:2:3:4:5::', 6, '20010db8'],
  ['64:ff9b::8.8.8.8', 6, '64ff9b'],
])('the prefix of %s', (address, family, first) => {
  expect(readPrefix(address, 24, 48)).toBe(family)
  expect(prefix[0]!.toString(16)).toBe(first)
})

test.each([
  [0, '218d1f59b9b83cc8'],
  [4, 'd5e78a175be52ea1'],
  [8, 'edfee820bce4858c'],
])('HalfSipHash-2-4 of %i bytes is that of the reference vectors', (length, expected) => {
  const bytes = (size: number) => Uint8Array.from({ length: size }, (_, i) => i)
  const hash = new HalfSipHash(bytes(8))
  hash.hash(new Uint32Array(bytes(length).buffer), length / 4)
  expect(Buffer.from(Uint32Array.of(hash.low, hash.high).buffer).toString('hex')).toBe(expected)
  expect(() => new HalfSipHash(bytes(7))).toThrow(RangeError)
})

test('a bucket lets a large amount pass when it is full, and pays it off', () => {
  const bucket = new TokenBucket(100, 50, START)
  expect(bucket.take(80, START)).toBe(true)
  expect(bucket.take(1, START + 300)).toBe(false)
  expect(bucket.take(1, START + 400)).toBe(true)
  bucket.reshape(1, 5, START + 10_000)
  expect([bucket.take(5, START + 10_000), bucket.take(1, START + 10_500)]).toEqual([true, false])
})

function flooded() {
  const world = createWorld({ budget: new SourceBudget(limits) })
  const alice = createPeer(world, ALICE)
  alice.allocate()
  const flood = (method: number, port: number) => {
    const bytes = new MessageWriter(method, Class.Request, new Uint8Array(12)).finish()
    const [output] = world.server.receive(bytes, UDP, { ...ALICE, address: '192.0.2.99', port }, world.clock.now)
    return output?.type === 'ignore' ? output.reason : output?.type
  }
  return { world, alice, flood }
}

test('a flood from its own /24 does not keep a live client from fresh nonces, Refresh or Binding', () => {
  const { world, alice, flood } = flooded()
  for (let i = 0; i < 200; i++) for (const method of [Method.Allocate, Method.Binding]) flood(method, 1024 + i)
  expect(flood(Method.Allocate, 1)).toBe('rate-limited')
  expect(flood(Method.Binding, 1)).toBe('rate-limited')
  expect(askCode(world, Method.Refresh, [], { nonce: new Uint8Array(24) })).toBe(438)
  expect(askCode(world, Method.Refresh, [], { nonce: nonceFor(world) })).toBe(200)
  expect(alice.run(alice.client.binding(world.clock.now))).toMatchObject([{ type: 'mapped' }])
})

test('a flood that forges the five-tuple of an allocation gets a few answers, not one for each', () => {
  const { world } = flooded()
  const bytes = new MessageWriter(Method.Allocate, Class.Request, new Uint8Array(12)).finish()
  let answers = 0
  for (let i = 0; i < 1000; i++)
    if (world.server.receive(bytes, UDP, ALICE, world.clock.now)[0]?.type === 'send') answers++
  expect(answers).toBeLessThanOrEqual(20 + limits.challenge.burst)
})

test('a new client behind a flooded prefix gets in once the flood is within the rate', () => {
  const { world, flood } = flooded()
  for (let i = 0; i < 200; i++) flood(Method.Allocate, 1024 + i)
  pass(world, 1)
  expect(createPeer(world, { ...ALICE, port: 9 }).allocate()).toMatchObject([{ type: 'allocated' }])
})

test('streams are not budgeted: their addresses are proven', () => {
  const world = createWorld({ budget: new SourceBudget(limits) })
  for (let i = 0; i < 50; i++) {
    const request = new MessageWriter(Method.Allocate, Class.Request, world.randomBytes(12)).attribute(...UDP_TRANSPORT)
    expect(world.server.receive(request.finish(), TCP, ALICE, world.clock.now)).toMatchObject([{ type: 'send' }])
  }
})

test('errors without authentication come out of the budget whatever their code', () => {
  const world = createWorld({ budget: { take: (_, kind) => kind === 'binding' } })
  const unknown = new MessageWriter(Method.Binding, Class.Request, new Uint8Array(12)).attribute(
    0x7777,
    new Uint8Array(0),
  )
  const dropped = [{ type: 'ignore', reason: 'rate-limited' }]
  expect(world.server.receive(unknown.finish(), UDP, ALICE, START)).toEqual(dropped)
  const incomplete = new MessageWriter(Method.Allocate, Class.Request, new Uint8Array(12))
    .attribute(Attribute.Username, new Uint8Array(4))
    .integrity(new Uint8Array(16))
  expect(world.server.receive(incomplete.finish(), UDP, ALICE, START)).toEqual(dropped)
})
