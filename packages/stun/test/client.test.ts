import { expect, test } from 'vitest'
import {
  Attribute,
  Class,
  type ClientOutput,
  checkIntegrity,
  encodeConnectionId,
  encodeErrorCode,
  encodeLifetime,
  encodeNoncePrefix,
  encodeText,
  encodeXorAddress,
  longTermKey,
  type Message,
  MessageWriter,
  Method,
  parseMessage,
  SecurityFeature,
  TurnClient,
  type TurnClientOptions,
  userhash,
} from '../src/index.ts'

const PEER = { address: '8.8.4.4', port: 7000, family: 4 } as const
const RELAYED = { address: '198.51.100.1', port: 50_000, family: 4 } as const
const MAPPED = { address: '192.0.2.7', port: 1234, family: 4 } as const
const KEY = longTermKey('alice', 'realm', 'secret')

function createClient(options: Partial<TurnClientOptions> = {}) {
  let counter = 0
  return new TurnClient({
    username: 'alice',
    password: 'secret',
    randomBytes: (size) => new Uint8Array(size).fill(++counter),
    ...options,
  })
}

/** The one message among the outputs. */
function sent(outputs: ClientOutput[]): Message {
  const [output] = outputs.filter((candidate) => candidate.type === 'send')
  if (!output) throw new Error('nothing was sent')
  const result = parseMessage(output.bytes)
  if (!result.ok) throw new Error(result.reason)
  return result.message
}

type Pairs = readonly (readonly [number, Uint8Array])[]
function reply(to: Message, cls: Class, attributes: Pairs, key?: Uint8Array): Uint8Array {
  const writer = new MessageWriter(to.method, cls, to.transactionId)
  for (const [type, value] of attributes) writer.attribute(type, value)
  if (key) writer.integrity(key)
  return writer.finish()
}

function refusal(to: Message, code: number, nonce?: string, key?: Uint8Array): Uint8Array {
  const challenge: Pairs = nonce
    ? [
        [Attribute.Realm, encodeText('realm')],
        [Attribute.Nonce, encodeText(nonce)],
      ]
    : []
  return reply(to, Class.Error, [[Attribute.ErrorCode, encodeErrorCode(code, 'no')], ...challenge], key)
}

function allocated(to: Message, lifetime = 600, key: Uint8Array | undefined = KEY): Uint8Array {
  const attributes: Pairs = [
    [Attribute.XorRelayedAddress, encodeXorAddress(RELAYED, to.transactionId)],
    [Attribute.XorMappedAddress, encodeXorAddress(MAPPED, to.transactionId)],
    [Attribute.Lifetime, encodeLifetime(lifetime)],
  ]
  return reply(to, Class.Success, attributes, key)
}

function ready(options: Partial<TurnClientOptions> = {}, lifetime = 600) {
  const client = createClient(options)
  const signed = sent(client.receive(refusal(sent(client.allocate(0)), 401, 'n1'), 0))
  client.receive(allocated(signed, lifetime), 0)
  return client
}

test('a challenge is answered with credentials, and the answer gives the addresses', () => {
  const client = createClient({ software: 'test' })
  const first = sent(client.allocate(0))
  expect(first.has(Attribute.Username)).toBe(false)
  const second = sent(client.receive(refusal(first, 401, 'n1'), 0))
  expect(Buffer.from(second.get(Attribute.Nonce)!).toString()).toBe('n1')
  expect(checkIntegrity(second, KEY)).toBe(true)
  expect(second.transactionId).not.toEqual(first.transactionId)
  expect(client.receive(allocated(second), 0)).toEqual([
    { type: 'allocated', relayed: RELAYED, mapped: MAPPED, lifetime: 600 },
  ])
  expect(client.relayed).toEqual(RELAYED)
})

test('a 401 to signed credentials is final; 438 is tried again a few times', () => {
  const client = createClient()
  let request = sent(client.receive(refusal(sent(client.allocate(0)), 401, 'n1'), 0))
  for (const nonce of ['n2', 'n3']) {
    request = sent(client.receive(refusal(request, 438, nonce), 0))
    expect(Buffer.from(request.get(Attribute.Nonce)!).toString()).toBe(nonce)
  }
  expect(client.receive(refusal(request, 438, 'n4'), 0)).toMatchObject([{ type: 'failed', code: 438 }])
  const again = sent(client.allocate(0))
  expect(client.receive(refusal(again, 401, 'n5'), 0)).toMatchObject([{ type: 'failed', code: 401 }])
  expect(client.nextDeadline).toBe(Number.POSITIVE_INFINITY)
})

test('unsigned and wrongly signed answers to signed requests are ignored', () => {
  const client = createClient()
  const signed = sent(client.receive(refusal(sent(client.allocate(0)), 401, 'n1'), 0))
  expect(client.receive(reply(signed, Class.Success, []), 0)).toEqual([])
  expect(client.receive(allocated(signed, 600, KEY.slice(1)), 0)).toEqual([])
  expect(client.receive(refusal(signed, 486), 0)).toEqual([])
  expect(client.receive(refusal(signed, 486, undefined, KEY), 0)).toMatchObject([{ type: 'failed', code: 486 }])
})

test('servers that leave integrity out can be talked to on request', () => {
  const client = createClient({ requireIntegrity: false })
  const signed = sent(client.receive(refusal(sent(client.allocate(0)), 401, 'n1'), 0))
  expect(client.receive(allocated(signed, 600, KEY.slice(1)), 0)).toEqual([])
  expect(client.receive(refusal(signed, 508), 0)).toMatchObject([{ type: 'failed', code: 508 }])
})

test('over UDP a request is sent seven times with doubling waits, then fails', () => {
  const client = createClient()
  client.allocate(0)
  const times: number[] = []
  let outputs: ClientOutput[] = []
  while (client.nextDeadline !== Number.POSITIVE_INFINITY) {
    const now = client.nextDeadline
    outputs = client.handleTimeout(now)
    times.push(now)
  }
  expect(times).toEqual([500, 1500, 3500, 7500, 15_500, 31_500, 39_500])
  expect(outputs).toEqual([{ type: 'failed', method: Method.Allocate, code: 0, reason: 'no answer' }])
})

test('over a stream it is sent once', () => {
  const client = createClient({ reliable: true })
  client.allocate(0)
  expect(client.nextDeadline).toBe(39_500)
  expect(client.handleTimeout(39_500)).toMatchObject([{ type: 'failed', code: 0 }])
})

test('allocation, permissions and channels are refreshed before they end', () => {
  const client = ready()
  const permission = sent(client.createPermission([PEER], 0))
  expect(client.receive(reply(permission, Class.Success, [], KEY), 0)).toEqual([{ type: 'permitted', peers: [PEER] }])
  const bind = sent(client.channelBind(PEER, 0))
  expect(client.receive(reply(bind, Class.Success, [], KEY), 0)).toMatchObject([
    { type: 'channelBound', channel: 0x4000 },
  ])
  expect(client.nextDeadline).toBe(240_000)
  const methods = (outputs: ClientOutput[]) =>
    outputs.flatMap((output) => {
      if (output.type !== 'send') return []
      const result = parseMessage(output.bytes)
      if (result.ok)
        client.receive(reply(result.message, Class.Success, [[Attribute.Lifetime, encodeLifetime(600)]], KEY), 240_000)
      return result.ok ? [result.message.method] : []
    })
  expect(methods(client.handleTimeout(240_000))).toEqual([Method.CreatePermission, Method.ChannelBind])
  expect(client.nextDeadline).toBe(480_000)
  expect(methods(client.handleTimeout(540_000))).toContain(Method.Refresh)
})

test('a short lifetime is refreshed half-way', () => {
  expect(ready({}, 60).nextDeadline).toBe(30_000)
})

test('payloads go by Send indication until a channel is bound, then by ChannelData', () => {
  const client = ready({ reliable: true })
  const payload = Uint8Array.of(1, 2, 3, 4, 5)
  expect(parseMessage(client.send(PEER, payload))).toMatchObject({ ok: true, message: { method: Method.Send } })
  const bind = sent(client.channelBind(PEER, 0))
  expect(parseMessage(client.send(PEER, payload)).ok).toBe(true)
  client.receive(reply(bind, Class.Success, [], KEY), 0)
  const framed = client.send(PEER, payload)
  expect([...framed]).toEqual([0x40, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0])
  expect(client.receive(framed, 0)).toEqual([{ type: 'data', peer: PEER, payload, channel: 0x4000 }])
  expect(client.receive(Uint8Array.of(0x40, 9, 0, 0), 0)).toEqual([])
})

test('a connection to a peer is asked for, announced and bound (RFC 6062)', () => {
  const client = ready({ requestedTransport: 6 })
  const connect = sent(client.connect(PEER, 0))
  expect(connect.method).toBe(Method.Connect)
  const id: Pairs = [[Attribute.ConnectionId, encodeConnectionId(0x01020304)]]
  expect(client.receive(reply(connect, Class.Success, id, KEY), 0)).toEqual([
    { type: 'connected', peer: PEER, connection: 0x01020304 },
  ])
  expect(client.receive(reply(sent(client.connect(PEER, 0)), Class.Success, [], KEY), 0)).toMatchObject([
    { type: 'failed', method: Method.Connect, code: 0 },
  ])
  const transaction = new Uint8Array(12)
  const attempt = new MessageWriter(Method.ConnectionAttempt, Class.Indication, transaction)
    .attribute(Attribute.XorPeerAddress, encodeXorAddress(PEER, transaction))
    .attribute(...id[0]!)
  expect(client.receive(attempt.finish(), 0)).toEqual([
    { type: 'connectionAttempt', peer: PEER, connection: 0x01020304 },
  ])
  const bind = sent(client.connectionBind(0x01020304, 0))
  expect([...bind.get(Attribute.ConnectionId)!]).toEqual([1, 2, 3, 4])
  expect(client.receive(reply(bind, Class.Success, [], KEY), 0)).toEqual([
    { type: 'connectionBound', connection: 0x01020304 },
  ])
})

test('a lost allocation (437 on Refresh) is reported as closed', () => {
  const client = ready()
  const refresh = sent(client.refresh(1))
  expect(client.receive(refusal(refresh, 437, undefined, KEY), 1)).toMatchObject([
    { type: 'failed', code: 437 },
    { type: 'closed' },
  ])
  expect(client.relayed).toBeUndefined()
})

test('answers to nobody are ignored', () => {
  const client = createClient()
  const request = sent(client.allocate(0))
  const stranger = new MessageWriter(Method.Allocate, Class.Success, new Uint8Array(12)).finish()
  const otherMethod = new MessageWriter(Method.Binding, Class.Success, request.transactionId).finish()
  for (const bytes of [stranger, otherMethod, new Uint8Array(0), new Uint8Array(30)])
    expect(client.receive(bytes, 0)).toEqual([])
  expect(client.receive(allocated(request, 600, undefined), 0)).toMatchObject([{ type: 'allocated' }])
})

test('a server that announces username anonymity is sent a hash, and never the name', () => {
  const client = createClient({ sha256: true })
  const first = sent(client.allocate(0))
  const nonce = `${encodeNoncePrefix(SecurityFeature.UsernameAnonymity)}0123456789`
  const second = sent(client.receive(refusal(first, 401, nonce), 0))
  expect(second.get(Attribute.Userhash)).toEqual(userhash('alice', 'realm'))
  expect([first, second].some((message) => message.has(Attribute.Username))).toBe(false)
})
