/** NAT behaviour discovery: RFC 5780. */
import {
  Attribute,
  Class,
  decodeAddress,
  decodeXorAddress,
  encodeChangeRequest,
  encodeResponsePort,
  MessageWriter,
  Method,
} from '@hairpin/stun'
import { expect, test } from 'vitest'
import { Discovery, type Listener, SourceBudget } from '../../src/core/index.ts'
import { codeOf, type Pair, signed, UDP_TRANSPORT } from './raw.ts'
import { ALICE, createWorld, datagram, parsed, UDP, type World } from './world.ts'

const listener = (id: number, address: string, port: number): Listener => ({
  id,
  transport: 'udp',
  local: { address, port, family: 4 },
})
const [first, second] = ['10.0.0.1', '10.0.0.2']
const corners = [UDP, listener(11, first, 3479), listener(12, second, 3478), listener(13, second, 3479)] as const
const names = ['198.18.0.1:3478', '198.18.0.1:3479', '198.18.0.2:3478', '198.18.0.2:3479']
const cornerOf = (i: number) => ({
  listener: corners[i]!,
  advertised: { address: names[i]!.slice(0, -5), port: corners[i]!.local.port || 3478, family: 4 as const },
})
const discovery = new Discovery([cornerOf(0), cornerOf(1), cornerOf(2), cornerOf(3)])

function binding(world: World, to: Listener, ...attributes: Pair[]) {
  const writer = new MessageWriter(Method.Binding, Class.Request, world.randomBytes(12))
  for (const [type, value] of attributes) writer.attribute(type, value)
  const outputs = world.server.receive(datagram(writer.finish()), to, ALICE, world.clock.now)
  return outputs.filter((output) => output.type === 'send')
}

const change = (address: boolean, port: boolean): Pair => [
  Attribute.ChangeRequest,
  encodeChangeRequest({ address, port }),
]
const responsePort = (port: number): Pair => [Attribute.ResponsePort, encodeResponsePort(port)]
const padding = (bytes: number): Pair => [Attribute.Padding, new Uint8Array(bytes)]

test.each([
  [0, false, false, 0],
  [0, false, true, 1],
  [0, true, false, 2],
  [0, true, true, 3],
  [3, false, false, 3],
  [3, true, true, 0],
  [1, true, false, 3],
])('asked at corner %i to change address %s and port %s, corner %i answers and says so', (at, address, port, from) => {
  const world = createWorld({ discovery })
  const sent = binding(world, corners[at]!, change(address, port))
  expect(sent).toHaveLength(1)
  expect(sent[0]!.listener).toBe(corners[from])
  const message = parsed(sent[0]!.bytes)
  const told = (type: number) => {
    const { address: text, port: number } = decodeAddress(message.get(type)!)!
    return `${text}:${number}`
  }
  expect(told(Attribute.ResponseOrigin)).toBe(names[from])
  expect(told(Attribute.OtherAddress)).toBe(names[3 - at])
  expect(decodeXorAddress(message.get(Attribute.XorMappedAddress)!, message.transactionId)).toEqual(ALICE)
})

test('the answer goes to the port that RESPONSE-PORT names, at the address that asked', () => {
  const [sent] = binding(createWorld({ discovery }), UDP, responsePort(4242))
  expect(sent?.to).toEqual({ ...ALICE, port: 4242 })
})

test('padding is answered with no more than was sent, and no more than a packet', () => {
  const world = createWorld({ discovery })
  const answered = (bytes: number) =>
    parsed(binding(world, UDP, padding(bytes))[0]!.bytes).get(Attribute.Padding)?.length
  expect([answered(64), answered(4000)]).toEqual([64, 1500])
})

test('what makes no sense draws 400: padding for another port, port 0, odd sizes', () => {
  const world = createWorld({ discovery })
  const code = (...attributes: Pair[]) => codeOf(parsed(binding(world, UDP, ...attributes)[0]!.bytes))
  expect(code(padding(64), responsePort(4242))).toBe(400)
  expect(code(responsePort(0))).toBe(400)
  expect(code([Attribute.ChangeRequest, new Uint8Array(3)])).toBe(400)
})

test.each([change(true, true), responsePort(4242), padding(64)])('without a second address %j draws 420', (...pair) => {
  const world = createWorld()
  expect(codeOf(parsed(binding(world, UDP, pair as unknown as Pair)[0]!.bytes))).toBe(420)
})

test('a bare Binding of 20 bytes draws 56, of which 24 name the addresses', () => {
  expect(binding(createWorld({ discovery }), corners[0]!)[0]!.bytes.length).toBe(56)
})

test('the budget for strangers holds, whatever answers are asked for', () => {
  const budget = new SourceBudget({ key: new Uint8Array(8).fill(7), binding: { rate: 1, burst: 3 } })
  const world = createWorld({ discovery, budget })
  const answers = Array.from(
    { length: 10 },
    (_, i) => binding(world, corners[i % 4]!, change(i % 2 === 0, true)).length,
  )
  expect(answers).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
})

test('the second port takes nothing but Binding', () => {
  const world = createWorld({ discovery })
  const bytes = datagram(signed(world, Method.Allocate, [UDP_TRANSPORT]))
  expect(world.server.receive(bytes, corners[1], ALICE, world.clock.now)).toEqual([
    { type: 'ignore', reason: 'unknown-method' },
  ])
})
