import {
  Attribute,
  Class,
  encodeChannelNumber,
  encodeLifetime,
  encodeXorAddress,
  MessageWriter,
  Method,
} from '@hairpin/stun'
import { expect, test } from 'vitest'
import { ask, askCode, FIXED_ID as id, type Pair, peerAddress } from './raw.ts'
import { ALICE, createPeer, createWorld, PEER, PEER6, pass, TCP, UDP, type World } from './world.ts'

function allocated(options: Parameters<typeof createWorld>[0] = {}) {
  const world = createWorld(options)
  const alice = createPeer(world, ALICE)
  alice.allocate()
  return { world, alice, allocation: alice.allocation()! }
}
const number = (channel: number): Pair => [Attribute.ChannelNumber, encodeChannelNumber(channel)]

test.each([Method.Refresh, Method.CreatePermission, Method.ChannelBind])(
  'method %i without an allocation draws 437, as does the same client over another transport',
  (method) => {
    expect(askCode(createWorld(), method, [])).toBe(437)
    expect(askCode(allocated().world, method, [], { listener: TCP })).toBe(437)
  },
)

test('Refresh prolongs within bounds and ends with lifetime 0', () => {
  const { world, alice, allocation } = allocated()
  pass(world, 500)
  expect(alice.refresh()).toEqual([{ type: 'refreshed', lifetime: 600 }])
  expect(allocation.expiresAt).toBe(world.clock.now + 600_000)
  expect(alice.refresh(99_999)).toEqual([{ type: 'refreshed', lifetime: 3600 }])
  expect(alice.refresh(5)).toEqual([{ type: 'refreshed', lifetime: 600 }])
  pass(world, 599)
  expect(alice.allocation()).toBe(allocation)
  expect(alice.refresh(0)).toEqual([{ type: 'closed' }])
  expect(allocation.state).toBe('closed')
  expect(askCode(world, Method.Refresh, [[Attribute.Lifetime, encodeLifetime(0)]])).toBe(437)
})

test('Refresh with a family that is not the allocation’s draws 443, malformed attributes 400', () => {
  const { world } = allocated()
  const family = (...bytes: number[]): Pair => [Attribute.RequestedAddressFamily, Uint8Array.from(bytes)]
  expect(askCode(world, Method.Refresh, [family(2, 0, 0, 0)])).toBe(443)
  expect(askCode(world, Method.Refresh, [family(1, 0, 0, 0)])).toBe(200)
  expect(askCode(world, Method.Refresh, [family(1)])).toBe(400)
  expect(askCode(world, Method.Refresh, [[Attribute.Lifetime, new Uint8Array(3)]])).toBe(400)
})

test('CreatePermission: several at once, all or none', () => {
  const { world, alice, allocation } = allocated()
  const other = { ...PEER, address: '9.9.9.9' }
  alice.permit(PEER, other)
  expect(allocation.permitted('9.9.9.9', 1, world.clock.now)).toBe(true)
  expect(allocation.permitted(PEER.address, 2, world.clock.now)).toBe(true)
  const fresh = { address: '9.9.9.10', port: 1 }
  for (const [code, bad] of [
    [403, peerAddress({ address: '127.0.0.1', port: 1 })],
    [443, peerAddress(PEER6)],
    [400, [Attribute.XorPeerAddress, new Uint8Array(3)] as const],
  ] as const) {
    expect(askCode(world, Method.CreatePermission, [peerAddress(fresh), bad], { id })).toBe(code)
    expect(allocation.permissions.size).toBe(2)
  }
  expect(askCode(world, Method.CreatePermission, [])).toBe(400)
})

test('a permission lasts 300 s, and each CreatePermission renews it', () => {
  const { world, alice, allocation } = allocated()
  const permitted = () => allocation.permitted(PEER.address, PEER.port, world.clock.now)
  alice.permit(PEER)
  pass(world, 299)
  alice.permit(PEER)
  pass(world, 299)
  expect(permitted()).toBe(true)
  expect(pass(world, 1)).toEqual([{ type: 'forbidden', allocation: allocation.id, address: PEER.address }])
  expect(permitted()).toBe(false)
})

test('a channel lasts 600 s, and each ChannelBind renews it', () => {
  const { world, alice, allocation } = allocated()
  alice.refresh(3600)
  alice.bind(PEER)
  const channel = allocation.channelByNumber(0x4000)
  pass(world, 599)
  alice.bind(PEER)
  pass(world, 599)
  expect(allocation.channelByNumber(0x4000)).toBe(channel)
  expect(pass(world, 1)).toContainEqual({
    type: 'channelUnbound',
    allocation: allocation.id,
    channel: 0x4000,
    peer: PEER,
  })
  expect(allocation.channelByNumber(0x4000)).toBeUndefined()
})

test('the data path sees a permission end even when timeouts are late', () => {
  const { world, alice, allocation } = allocated()
  alice.permit(PEER)
  expect(allocation.permitted(PEER.address, PEER.port, world.clock.now + 300_000)).toBe(false)
})

test.each<[string, number, (world: World) => Pair[]]>([
  ['no number', 400, () => [peerAddress(PEER)]],
  ['no peer', 400, () => [number(0x4000)]],
  ['a number below the range', 400, () => [number(0x3fff), peerAddress(PEER)]],
  ['a number above the range', 400, () => [number(0x8000), peerAddress(PEER)]],
  ['a number of a wrong size', 400, () => [[Attribute.ChannelNumber, new Uint8Array(2)], peerAddress(PEER)]],
  ['a malformed peer', 400, () => [number(0x4000), [Attribute.XorPeerAddress, new Uint8Array(8)]]],
  ['another number for a bound peer', 400, () => [number(0x4002), peerAddress({ ...PEER, port: 9 })]],
  ['another peer for a bound number', 400, () => [number(0x4001), peerAddress(PEER)]],
  ['a peer of the other family', 443, () => [number(0x4000), peerAddress(PEER6)]],
  ['a denied peer', 403, () => [number(0x4000), peerAddress({ address: '10.0.0.1', port: 1 })]],
  ['the last number of RFC 5766', 200, () => [number(0x7fff), peerAddress(PEER)]],
])('ChannelBind with %s draws %i', (_, code, attributes) => {
  const { world, alice, allocation } = allocated()
  alice.bind({ ...PEER, port: 9 }, 0x4001)
  expect(askCode(world, Method.ChannelBind, attributes(world), { id })).toBe(code)
  expect(allocation.channelCount).toBe(code === 200 ? 2 : 1)
})

test('permissions and channels beyond the limits draw 508; renewing within them does not', () => {
  const { world, alice } = allocated({ limits: { maxPermissions: 2, maxChannels: 2 } })
  alice.bind(PEER)
  alice.permit({ ...PEER, address: '9.9.9.9' })
  const third = peerAddress({ address: '9.9.9.10', port: 1 })
  expect(askCode(world, Method.CreatePermission, [third], { id })).toBe(508)
  expect(askCode(world, Method.ChannelBind, [number(0x4001), third], { id })).toBe(508)
  alice.bind({ ...PEER, port: 1 })
  expect(askCode(world, Method.ChannelBind, [number(0x4002), peerAddress({ ...PEER, port: 2 })], { id })).toBe(508)
  expect(askCode(world, Method.ChannelBind, [number(0x4000), peerAddress(PEER)], { id })).toBe(200)
  expect(askCode(world, Method.CreatePermission, [peerAddress(PEER)], { id })).toBe(200)
})

test('Send indications: relayed when permitted, dropped by reason when not', () => {
  const { world, alice, allocation } = allocated()
  const deliver = (bytes: Uint8Array, from = ALICE) => world.server.receive(bytes, UDP, from, world.clock.now)
  const ignored = (reason: string) => [{ type: 'ignore', reason }]
  const send = alice.client.send(PEER, Buffer.from('data'))
  expect(deliver(send)).toEqual(ignored('no-permission'))
  alice.permit(PEER)
  expect(deliver(send)).toMatchObject([{ type: 'relay', allocation: allocation.id, peer: PEER }])
  expect(deliver(alice.client.send(PEER, new Uint8Array(0)))).toMatchObject([{ type: 'relay' }])
  expect(deliver(send, { ...ALICE, port: 1 })).toEqual(ignored('no-allocation'))
  const writer = () => new MessageWriter(Method.Send, Class.Indication, id)
  const peer = encodeXorAddress(PEER, id)
  expect(deliver(writer().attribute(Attribute.Data, peer).finish())).toEqual(ignored('malformed'))
  expect(deliver(writer().attribute(Attribute.XorPeerAddress, peer).finish())).toEqual(ignored('malformed'))
  const fragment = writer().attribute(Attribute.XorPeerAddress, peer).attribute(Attribute.Data, peer)
  expect(deliver(fragment.attribute(Attribute.DontFragment, new Uint8Array(0)).finish())).toEqual(ignored('malformed'))
  pass(world, 300)
  expect(deliver(send)).toEqual(ignored('no-permission'))
})

test('answers of success carry what the RFC says and no more', () => {
  const { world } = allocated()
  expect(ask(world, Method.CreatePermission, [peerAddress(PEER)], { id }).has(Attribute.MessageIntegrity)).toBe(true)
  expect(ask(world, Method.ChannelBind, [number(0x4000), peerAddress(PEER)], { id }).bytes).toHaveLength(20 + 24)
})
