/** RFC 8489 section 9.2: password algorithms, bid-down protection and USERHASH. */
import {
  Attribute,
  Class,
  checkIntegrity,
  checkIntegritySha256,
  encodePasswordAlgorithms,
  encodeText,
  longTermKey,
  MessageWriter,
  Method,
  PasswordAlgorithm,
  userhash,
} from '@hairpin/stun'
import { expect, test } from 'vitest'
import { codeOf, deliver, keyFor, nonceFor, type Pair, signed, UDP_TRANSPORT } from './raw.ts'
import {
  ALICE,
  createPeer,
  createWorld,
  failure,
  PEER,
  parsed,
  pass,
  perform,
  REALM,
  UDP,
  type World,
} from './world.ts'

const { Md5, Sha256 } = PasswordAlgorithm
const OFFER: Pair = [Attribute.PasswordAlgorithms, encodePasswordAlgorithms([Sha256, Md5])]
const choose = (algorithm: PasswordAlgorithm): Pair => [
  Attribute.PasswordAlgorithm,
  encodePasswordAlgorithms([algorithm]),
]
const strongKey = longTermKey('alice', REALM, 'secret', Sha256)
const NAME: Pair = [Attribute.Username, encodeText('alice')]

interface Strong {
  readonly method?: number
  readonly pairs?: readonly Pair[]
  readonly key?: Uint8Array
  readonly name?: Pair
  readonly nonce?: Uint8Array
}

/** A request under MESSAGE-INTEGRITY-SHA256, and its answer. */
function ask(world: World, { method = Method.Allocate, pairs = [OFFER, choose(Sha256)], ...rest }: Strong = {}) {
  const writer = new MessageWriter(method, Class.Request, world.randomBytes(12)).attribute(...UDP_TRANSPORT)
  writer.attribute(...(rest.name ?? NAME)).attribute(Attribute.Realm, encodeText(REALM))
  writer.attribute(Attribute.Nonce, rest.nonce ?? nonceFor(world))
  for (const pair of pairs) writer.attribute(...pair)
  return parsed(deliver(world, writer.integritySha256(rest.key ?? strongKey).finish()).sent[0]!.bytes)
}

test('a challenge offers SHA-256, then MD5, and its nonce says so', () => {
  const world = createWorld()
  const request = new MessageWriter(Method.Allocate, Class.Request, new Uint8Array(12)).attribute(...UDP_TRANSPORT)
  const message = parsed(deliver(world, request.finish()).sent[0]!.bytes)
  expect([...message.get(Attribute.PasswordAlgorithms)!]).toEqual([0, 2, 0, 0, 0, 1, 0, 0])
  expect(Buffer.from(message.get(Attribute.Nonce)!).toString()).toMatch(/^obMatJos2gAAA/)
})

test('a client that chooses SHA-256 makes a whole call with it', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE, { sha256: true })
  expect(alice.allocate()).toMatchObject([{ type: 'allocated' }])
  expect(alice.permit(PEER)).toMatchObject([{ type: 'permitted' }])
  expect(alice.bind(PEER)).toMatchObject([{ type: 'channelBound' }])
  expect(alice.refresh()).toMatchObject([{ type: 'refreshed' }])
  const last = parsed(alice.requests.at(-1)!)
  expect([last.has(Attribute.MessageIntegritySha256), last.has(Attribute.MessageIntegrity)]).toEqual([true, false])
  pass(world, 599)
  expect(alice.refresh(0)).toEqual([{ type: 'closed' }])
})

test('after its nonce went stale it goes on with the new one', () => {
  const world = createWorld({ limits: { nonceLifetime: 60 } })
  const alice = createPeer(world, ALICE, { sha256: true })
  alice.allocate()
  pass(world, 100)
  expect(alice.refresh()).toMatchObject([{ type: 'refreshed' }])
  expect(world.events.authFailures).toEqual(['stale-nonce'])
})

test('answers are signed with SHA-256 when the client chose an algorithm, else with SHA-1', () => {
  const world = createWorld()
  const strong = ask(world)
  expect(codeOf(strong)).toBe(200)
  expect(checkIntegritySha256(strong, strongKey)).toBe(true)
  expect(strong.has(Attribute.MessageIntegrity)).toBe(false)
  const other = createWorld()
  const plain = parsed(deliver(other, signed(other, Method.Allocate, [UDP_TRANSPORT])).sent[0]!.bytes)
  expect([checkIntegrity(plain, keyFor({})), plain.has(Attribute.MessageIntegritySha256)]).toEqual([true, false])
})

test('MD5 may be chosen, and MESSAGE-INTEGRITY-SHA256 used without choosing at all', () => {
  const chosen = ask(createWorld(), { pairs: [OFFER, choose(Md5)], key: keyFor({}) })
  expect([codeOf(chosen), checkIntegritySha256(chosen, keyFor({}))]).toEqual([200, true])
  const silent = ask(createWorld(), { pairs: [], key: keyFor({}) })
  expect([codeOf(silent), checkIntegrity(silent, keyFor({}))]).toEqual([200, true])
})

test.each<[string, Pair[]]>([
  ['the offer without a choice', [OFFER]],
  ['a choice without the offer', [choose(Sha256)]],
  ['an offer that somebody shortened', [[OFFER[0], encodePasswordAlgorithms([Md5])], choose(Md5)]],
  ['an offer in another order', [[OFFER[0], encodePasswordAlgorithms([Md5, Sha256])], choose(Md5)]],
  ['an algorithm that was not offered', [OFFER, [Attribute.PasswordAlgorithm, Uint8Array.of(0, 9, 0, 0)]]],
  ['two choices at once', [OFFER, [Attribute.PasswordAlgorithm, OFFER[1]]]],
  ['a malformed choice', [OFFER, [Attribute.PasswordAlgorithm, Uint8Array.of(0, 2)]]],
  ['an empty choice', [OFFER, [Attribute.PasswordAlgorithm, new Uint8Array(0)]]],
])('%s draws 400', (_, pairs) => {
  const world = createWorld()
  expect(codeOf(ask(world, { pairs }))).toBe(400)
  expect(world.events.authFailures).toEqual(['bad-request'])
})

test('later requests may leave the offer out, as section 9.2.3.2 has it', () => {
  const world = createWorld()
  ask(world)
  expect(codeOf(ask(world, { method: Method.Refresh, pairs: [choose(Sha256)] }))).toBe(200)
})

test('the key of one algorithm is no key of the other', () => {
  const world = createWorld()
  expect(codeOf(ask(world, { key: keyFor({}) }))).toBe(401)
  expect(codeOf(ask(world, { pairs: [OFFER, choose(Md5)] }))).toBe(401)
})

test('where both integrities are there, SHA-256 decides', () => {
  const world = createWorld()
  const request = (sha1: Uint8Array, sha256: Uint8Array) =>
    new MessageWriter(Method.Allocate, Class.Request, world.randomBytes(12))
      .attribute(...UDP_TRANSPORT)
      .attribute(...NAME)
      .attribute(Attribute.Realm, encodeText(REALM))
      .attribute(Attribute.Nonce, nonceFor(world))
      .integrity(sha1)
      .integritySha256(sha256)
      .finish()
  const code = (bytes: Uint8Array) => codeOf(parsed(deliver(world, bytes).sent[0]!.bytes))
  expect(code(request(keyFor({}), keyFor({ password: 'wrong' })))).toBe(401)
  expect(code(request(keyFor({ password: 'wrong' }), keyFor({})))).toBe(200)
})

test('an allocation made with one algorithm may be used with the other', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE)
  alice.allocate()
  expect(codeOf(ask(world, { method: Method.Refresh }))).toBe(200)
  expect(alice.refresh()).toMatchObject([{ type: 'refreshed' }])
})

test('a client that knows SHA-256 does not answer a challenge from which the offer was taken', () => {
  const world = createWorld()
  const alice = createPeer(world, ALICE, { sha256: true })
  const [first] = alice.client.allocate(world.clock.now)
  if (first?.type !== 'send') throw new Error('nothing sent')
  const { sent } = perform(world, world.server.receive(first.bytes, UDP, ALICE, world.clock.now))
  const challenge = parsed(sent[0]!.bytes)
  const stripped = new MessageWriter(Method.Allocate, Class.Error, challenge.transactionId)
  for (const type of [Attribute.ErrorCode, Attribute.Realm, Attribute.Nonce])
    stripped.attribute(type, challenge.get(type)!)
  expect(failure(alice.client.receive(stripped.finish(), world.clock.now))).toBe(401)
})

test('a nonce for a bare header cannot be used to talk a client down: it draws 438', () => {
  const world = createWorld()
  const bytes = new MessageWriter(Method.Allocate, Class.Request, new Uint8Array(12)).finish()
  const message = parsed(deliver(world, bytes).sent[0]!.bytes)
  const nonce = message.get(Attribute.Nonce)!
  expect(message.has(Attribute.PasswordAlgorithms)).toBe(false)
  expect(Buffer.from(nonce).toString()).toMatch(/^[\w-]{11}$/)
  const stale = parsed(deliver(world, signed(world, Method.Allocate, [UDP_TRANSPORT], { nonce })).sent[0]!.bytes)
  expect(codeOf(stale)).toBe(438)
  expect(stale.has(Attribute.PasswordAlgorithms)).toBe(true)
})

test('where it is switched off nothing is offered, and who asks for it is read as RFC 5389 would', () => {
  const world = createWorld({ passwordAlgorithms: false })
  expect(Buffer.from(nonceFor(world)).toString()).toMatch(/^obMatJos2AAAA/)
  const alice = createPeer(world, ALICE, { sha256: true })
  expect(alice.allocate()).toMatchObject([{ type: 'allocated' }])
  expect(parsed(alice.requests.at(-1)!).has(Attribute.MessageIntegrity)).toBe(true)
})

const hashed: Pair = [Attribute.Userhash, userhash('alice', REALM)]

test('USERHASH of a name that is not known draws 401, and the nonce does not announce anonymity', () => {
  const world = createWorld()
  expect(codeOf(ask(world, { name: hashed }))).toBe(401)
  expect(world.events.authFailures).toEqual(['unknown-user'])
})

test('on an allocation USERHASH is honoured: its name is known', () => {
  const world = createWorld()
  ask(world)
  expect(codeOf(ask(world, { name: hashed, method: Method.Refresh }))).toBe(200)
  expect(codeOf(ask(world, { name: [Attribute.Userhash, new Uint8Array(4)], method: Method.Refresh }))).toBe(401)
})

test('USERNAME beside USERHASH, or neither, draws 400', () => {
  const world = createWorld()
  expect(codeOf(ask(world, { pairs: [hashed] }))).toBe(400)
  expect(codeOf(ask(world, { name: [0x8022, new Uint8Array(0)] }))).toBe(400)
})
