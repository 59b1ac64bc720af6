import { Attribute, Class, checkFingerprint, checkIntegrity, encodeText, MessageWriter, Method } from '@hairpin/stun'
import { expect, test } from 'vitest'
import { askCode, codeOf, deliver, keyFor, nonceFor, signed, UDP_TRANSPORT } from './raw.ts'
import { ALICE, BOB, createPeer, createWorld, failure, parsed, pass, START, UDP, type World } from './world.ts'

const bare = (world: World, method: number = Method.Allocate) =>
  new MessageWriter(method, Class.Request, world.randomBytes(12))

function answer(world: World, bytes: Uint8Array) {
  const { sent } = deliver(world, bytes)
  return parsed(sent[0]!.bytes)
}

test.each([
  ['Allocate', Method.Allocate],
  ['Refresh', Method.Refresh],
  ['CreatePermission', Method.CreatePermission],
  ['ChannelBind', Method.ChannelBind],
])('an unsigned %s draws 401 with realm and cookie nonce, unsigned', (_, method) => {
  const world = createWorld()
  const request = bare(world, method)
    .attribute(...UDP_TRANSPORT)
    .finish()
  const message = answer(world, request)
  expect(codeOf(message)).toBe(401)
  expect(Buffer.from(message.get(Attribute.Realm)!).toString()).toBe('hairpin')
  expect(Buffer.from(message.get(Attribute.Nonce)!).toString()).toMatch(/^obMatJos2gAAA[\w-]{11}$/)
  expect(message.has(Attribute.MessageIntegrity)).toBe(false)
  expect(message.has(Attribute.Software)).toBe(false)
  expect(world.events.authFailures).toEqual([])
})

test('integrity without USERNAME, REALM or NONCE draws 400 without a challenge', () => {
  const world = createWorld()
  const pairs = [
    [Attribute.Username, encodeText('alice')],
    [Attribute.Realm, encodeText('hairpin')],
    [Attribute.Nonce, nonceFor(world)],
  ] as const
  for (const missing of pairs) {
    const writer = bare(world)
    for (const pair of pairs) if (pair !== missing) writer.attribute(pair[0], pair[1])
    const message = answer(world, writer.integrity(keyFor({})).finish())
    expect(codeOf(message)).toBe(400)
    expect(message.has(Attribute.Nonce)).toBe(false)
  }
  expect(world.events.authFailures).toEqual(['bad-request', 'bad-request', 'bad-request'])
})

test('unknown users, expired users and wrong passwords draw 401, each counted by its reason', () => {
  const world = createWorld()
  expect(askCode(world, Method.Allocate, [UDP_TRANSPORT], { username: 'nobody' })).toBe(401)
  expect(askCode(world, Method.Allocate, [UDP_TRANSPORT], { username: 'old-alice' })).toBe(401)
  expect(askCode(world, Method.Allocate, [UDP_TRANSPORT], { password: 'wrong' })).toBe(401)
  expect(world.events.authFailures).toEqual(['unknown-user', 'expired', 'integrity'])
  expect(world.server.allocations.size).toBe(0)
})

test('a USERNAME that is not UTF-8 draws 401', () => {
  const world = createWorld()
  const message = answer(
    world,
    bare(world)
      .attribute(Attribute.Username, Uint8Array.of(0xff, 0xfe))
      .attribute(Attribute.Realm, encodeText('hairpin'))
      .attribute(Attribute.Nonce, nonceFor(world))
      .integrity(keyFor({}))
      .finish(),
  )
  expect(codeOf(message)).toBe(401)
  expect(world.events.authFailures).toEqual(['malformed-username'])
})

test('any of several secrets is accepted, and answers are signed with the one that was used', () => {
  const world = createWorld({ users: { alice: ['new', 'secret'] } })
  for (const [port, password] of [
    [1, 'new'],
    [2, 'secret'],
  ] as const) {
    const from = { ...ALICE, port }
    const { sent } = deliver(world, signed(world, Method.Allocate, [UDP_TRANSPORT], { from, password }), { from })
    const message = parsed(sent[0]!.bytes)
    expect(codeOf(message)).toBe(200)
    expect(checkIntegrity(message, keyFor({ password }))).toBe(true)
  }
})

test('an allocation outlives the expiry of its credential and the rotation of its secret', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE)
  alice.allocate()
  delete world.users.alice
  expect(alice.refresh()).toEqual([{ type: 'refreshed', lifetime: 600 }])
  expect(failure(createPeer(world, { ...ALICE, port: 1 }).allocate())).toBe(401)
})

test('another user of the same five-tuple draws 441', () => {
  const world = createWorld()
  createPeer(world, ALICE).allocate()
  for (const method of [Method.Refresh, Method.CreatePermission, Method.ChannelBind])
    expect(askCode(world, method, [], { username: 'bob', password: 'hunter2' })).toBe(441)
  expect(world.events.authFailures).toEqual(['wrong-user', 'wrong-user', 'wrong-user'])
})

test('a nonce goes stale, and 438 brings a fresh one that works', () => {
  const world = createWorld({ limits: { nonceLifetime: 60 } })
  const nonce = nonceFor(world)
  pass(world, 59)
  expect(askCode(world, Method.Allocate, [UDP_TRANSPORT], { nonce })).toBe(200)
  pass(world, 20)
  const stale = answer(world, signed(world, Method.Refresh, [], { nonce }))
  expect(codeOf(stale)).toBe(438)
  expect(askCode(world, Method.Refresh, [], { nonce: stale.get(Attribute.Nonce)! })).toBe(200)
})

test('a nonce is bound to the address and port it was given to, and to its key', () => {
  const world = createWorld()
  const nonce = nonceFor(world, BOB)
  expect(askCode(world, Method.Allocate, [UDP_TRANSPORT], { nonce })).toBe(438)
  const own = nonceFor(world)
  for (let at = 0; at < own.length; at++) {
    const forged = own.slice()
    forged[at] = forged[at] === 65 ? 66 : 65
    expect(askCode(world, Method.Allocate, [UDP_TRANSPORT], { nonce: forged })).toBe(438)
  }
  expect(askCode(world, Method.Allocate, [UDP_TRANSPORT], { nonce: new Uint8Array(0) })).toBe(438)
  const other = createWorld({ nonceKey: new Uint8Array(32) })
  expect(askCode(other, Method.Allocate, [UDP_TRANSPORT], { nonce: own })).toBe(438)
})

test('authenticated answers are signed; FINGERPRINT and SOFTWARE come where they are due', () => {
  const world = createWorld({ software: 'Hairpin' })
  for (const fingerprint of [true, false]) {
    const from = { ...ALICE, port: fingerprint ? 1 : 2 }
    for (const attributes of [[], [UDP_TRANSPORT]]) {
      const { sent } = deliver(world, signed(world, Method.Allocate, attributes, { from, fingerprint }), { from })
      const message = parsed(sent[0]!.bytes)
      expect(checkIntegrity(message, keyFor({}))).toBe(true)
      expect(checkFingerprint(message)).toBe(fingerprint ? 'valid' : 'absent')
      expect(Buffer.from(message.get(Attribute.Software)!).toString()).toBe('Hairpin')
    }
  }
})

test('attributes smuggled in after MESSAGE-INTEGRITY have no effect', () => {
  const world = createWorld()
  createPeer(world, ALICE).allocate()
  const refresh = signed(world, Method.Refresh, [])
  const smuggled = Buffer.concat([refresh, Uint8Array.of(0, 0x0d, 0, 4, 0, 0, 0, 0)])
  smuggled.writeUInt16BE(smuggled.length - 20, 2)
  expect(codeOf(answer(world, smuggled))).toBe(200)
  expect(world.server.allocations.size).toBe(1)
})

/** Bytes of a request that nobody has authenticated, and of its answer: the product's figures for what can be reflected. */
test.each<[string, number, number, (world: World) => MessageWriter]>([
  ['a bare Allocate header', 20, 56, (world) => bare(world)],
  ['a bare header with FINGERPRINT', 28, 64, (world) => bare(world).fingerprint()],
  ['a header with an empty attribute', 24, 56, (world) => bare(world).attribute(0x8022, new Uint8Array(0))],
  ['the least Allocate', 28, 80, (world) => bare(world).attribute(...UDP_TRANSPORT)],
  [
    'the least Allocate with FINGERPRINT',
    36,
    88,
    (world) =>
      bare(world)
        .attribute(...UDP_TRANSPORT)
        .fingerprint(),
  ],
  ['a bare Binding', 20, 32, (world) => bare(world, Method.Binding)],
  ['a Binding of unknown attributes', 24, 36, (w) => bare(w, Method.Binding).attribute(0x7777, new Uint8Array(0))],
])('%s of %i bytes draws %i bytes', (_, asked, answered, request) => {
  const world = createWorld({ software: 'Hairpin 0.1.0' })
  const bytes = request(world).finish()
  expect([bytes.length, deliver(world, bytes).sent[0]!.bytes.length]).toEqual([asked, answered])
  expect(answered / asked).toBeLessThan(2.9)
  expect(world.server.allocations.size).toBe(0)
  expect(world.server.nextDeadline).toBe(Number.POSITIVE_INFINITY)
})

test('with a realm of twenty characters nothing is amplified by 3.5', () => {
  const world = createWorld({ realm: 'turn.eu1.example.org' })
  const plain = bare(world).finish()
  const least = bare(world)
    .attribute(...UDP_TRANSPORT)
    .finish()
  for (const bytes of [plain, least])
    expect(deliver(world, bytes).sent[0]!.bytes.length / bytes.length).toBeLessThan(3.5)
})

test('a signed request that fails draws hardly more than it is', () => {
  const world = createWorld()
  const ratio = (bytes: Uint8Array) => deliver(world, bytes).sent[0]!.bytes.length / bytes.length
  expect(ratio(signed(world, Method.Allocate, [], { nonce: new Uint8Array(0) }))).toBeLessThan(1.2)
  expect(ratio(signed(world, Method.Allocate, [], { password: 'wrong' }))).toBeLessThan(1)
})

test('a spent budget silences challenges and Binding, and nothing else', () => {
  let left = 1
  const world = createWorld({ budget: { take: () => left-- > 0 } })
  const nonce = nonceFor(world)
  const dropped = [{ type: 'ignore', reason: 'rate-limited' }]
  expect(world.server.receive(bare(world).finish(), UDP, ALICE, START)).toEqual(dropped)
  expect(world.server.receive(bare(world, Method.Binding).finish(), UDP, ALICE, START)).toEqual(dropped)
  expect(askCode(world, Method.Allocate, [UDP_TRANSPORT], { nonce })).toBe(200)
})
