import { Attribute, encodeChannelNumber, Method } from '@hairpin/stun'
import { describe, expect, test } from 'vitest'
import { CidrSet } from '../../src/core/cidr.ts'
import { createPeerPolicy } from '../../src/core/index.ts'
import { askCode, FIXED_ID as id, peerAddress } from './raw.ts'
import { ALICE, createPeer, createWorld, UDP } from './world.ts'

/** Every class of address that must not be reached by default. */
const DENIED: Record<string, string[]> = {
  'this network': ['0.0.0.0', '0.1.2.3', '0.255.255.255'],
  private: ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
  'shared (carrier NAT), off a byte boundary': ['100.64.0.1', '100.127.255.255'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1'],
  'link-local and cloud metadata': ['169.254.169.254', 'fe80::1', 'febf::1'],
  'IETF, documentation, benchmarking': [
    '192.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.7',
    '203.0.113.1',
    '2001:db8::1',
  ],
  '6to4 relay anycast': ['192.88.99.1'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  'reserved and broadcast': ['240.0.0.1', '255.255.255.255'],
  unspecified: ['::'],
  'discard-only': ['100::1'],
  'unique local and site-local': ['fc00::1', 'fdff::1', 'fec0::1'],
  'IPv4-mapped': ['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe'],
  'IPv4-compatible': ['::127.0.0.1', '::10.0.0.1'],
  'IPv4-translated': ['::ffff:0:127.0.0.1'],
  NAT64: ['64:ff9b::127.0.0.1', '64:ff9b::8.8.8.8', '64:ff9b:1::1', '64:ff9b:1:ffff::10.0.0.1'],
  '6to4': ['2002:7f00:1::', '2002:a00:1::1', '2002:808:808::1'],
  Teredo: ['2001:0:4136:e378:8000:63bf:80ff:fffe'],
  'not an address': ['', 'localhost', '127.1', '0177.0.0.1', '2130706433'],
}
const ALLOWED = [
  '8.8.8.8',
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2a00:1450::1',
  '2001:1::1',
  '2001:4860::8888',
  '::ffff:8.8.8.8',
]

describe.each(Object.entries(DENIED))('%s', (_, addresses) => {
  const policy = createPeerPolicy()
  test.each(addresses)('%j is denied', (address) => {
    expect(policy.check(address)).toBe('deny')
  })
})

test.each(ALLOWED)('%s is allowed', (address) => {
  expect(createPeerPolicy().check(address)).toBe('allow')
})

test('the server is reachable at its relayed addresses, in no disguise, and nowhere else', () => {
  const policy = createPeerPolicy({
    relayAddresses: ['203.0.113.5', '10.0.0.5', '2a01::5'],
    hostAddresses: ['203.0.113.5', '203.0.113.6', '8.8.8.8', '2a01::6'],
  })
  for (const own of ['203.0.113.5', '10.0.0.5', '2a01::5']) expect(policy.check(own)).toBe('own')
  for (const other of [
    '203.0.113.6',
    '8.8.8.8',
    '2a01::6',
    '::ffff:203.0.113.5',
    '::ffff:203.0.113.6',
    '2002:cb00:7106::',
  ])
    expect(policy.check(other)).toBe('deny')
})

test('the allow list wins over the deny list, and an embedded address is allowed by what it embeds', () => {
  const policy = createPeerPolicy({ allow: ['10.1.0.0/16', 'fd00::/8'] })
  expect(policy.check('10.1.2.3')).toBe('allow')
  expect(policy.check('::ffff:10.1.2.3')).toBe('allow')
  expect(policy.check('fd00::1')).toBe('allow')
  expect(policy.check('10.2.0.0')).toBe('deny')
  const home = createPeerPolicy({ allow: ['127.0.0.0/8'], relayAddresses: ['127.0.0.1'], hostAddresses: ['127.0.0.2'] })
  for (const address of ['127.0.0.1', '127.0.0.2']) expect(home.check(address)).toBe('allow')
  expect(createPeerPolicy({ allow: ['::/0'] }).check('::ffff:127.0.0.1')).toBe('deny')
})

test('a deny list of one’s own replaces the default', () => {
  const policy = createPeerPolicy({ deny: ['8.8.0.0/16'] })
  expect(policy.check('8.8.8.8')).toBe('deny')
  expect(policy.check('::ffff:8.8.8.8')).toBe('deny')
  expect(policy.check('127.0.0.1')).toBe('allow')
})

test.each(['10.0.0.0/33', '10.0.0/8', '10.0.0.0/', '10.0.0.0/8/8', '::/129', 'fe80::%lo/64', 'ten', ''])(
  '%j is refused by name',
  (range) => {
    expect(() => createPeerPolicy({ deny: [range] })).toThrow(`"${range}"`)
  },
)

test('ranges merge, and IPv4 does not meet IPv6', () => {
  const set = new CidrSet(['10.0.0.0/9', '10.128.0.0/9', '10.5.0.0/16', '0.0.0.0/32'])
  expect(set.has(Uint8Array.of(10, 200, 0, 1))).toBe(true)
  expect(set.has(Uint8Array.of(11, 0, 0, 0))).toBe(false)
  expect(set.has(new Uint8Array(16))).toBe(false)
})

test('every denied class is refused on CreatePermission and ChannelBind, and dropped on Send', () => {
  const world = createWorld()
  const four = createPeer(world, ALICE)
  const six = createPeer(world, { ...ALICE, port: 6 }, { family: 6 })
  four.allocate()
  six.allocate()
  for (const address of Object.entries(DENIED).flatMap(([name, list]) => (name === 'not an address' ? [] : list))) {
    const { from, client } = address.includes(':') ? six : four
    const peer = { address, port: 80 }
    const channel = [Attribute.ChannelNumber, encodeChannelNumber(0x4001)] as const
    expect(askCode(world, Method.CreatePermission, [peerAddress(peer)], { from, id })).toBe(403)
    expect(askCode(world, Method.ChannelBind, [channel, peerAddress(peer)], { from, id })).toBe(403)
    const send = client.send({ ...peer, family: address.includes(':') ? 6 : 4 }, Buffer.from('x'))
    expect(world.server.receive(send, UDP, from, world.clock.now)).toEqual([
      { type: 'ignore', reason: 'no-permission' },
    ])
  }
})
