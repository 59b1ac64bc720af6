import { SocketAddress } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  canonicalAddress,
  decodeAddress,
  decodeXorAddress,
  encodeAddress,
  encodeXorAddress,
  formatAddress,
  parseAddress,
} from '../src/index.ts'

const ID = Uint8Array.from({ length: 12 }, (_, i) => 0xa0 + i)

test.each([
  ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['::2', '::2'],
  ['::1:2', '::0.1.0.2'],
  ['::ffff:c000:0201', '::ffff:192.0.2.1'],
  ['::192.0.2.1', '::192.0.2.1'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['1:0:0:0:0:0:0:0', '1::'],
  ['64:ff9b::8.8.8.8', '64:ff9b::808:808'],
  ['fe80::1%eth0', 'fe80::1'],
  ['192.0.2.1', '192.0.2.1'],
])('%s is written %s, as sockets print it', (text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical)
})

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '01.2.3.4',
  '256.1.1.1',
  '0x7f.1.1.1',
  '1.2.3.4 ',
  '1..2.3',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '::1.2.3',
  '::12345',
  '1.2.3.4::',
  'g::',
])('%j is not an address', (text) => {
  expect(parseAddress(text)).toBeUndefined()
})

const address = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
/** Mostly zero groups: where compression has its corners. */
const sparse = fc
  .array(fc.constantFrom(0, 0, 0, 1, 0xffff), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])))

test('bytes to text to bytes is the identity', () => {
  fc.assert(
    fc.property(fc.oneof(address, sparse), (bytes) => {
      expect(parseAddress(formatAddress(bytes))).toEqual(bytes)
    }),
  )
})

test('the text is the very text that sockets print', () => {
  fc.assert(
    fc.property(fc.oneof(address, sparse), (bytes) => {
      const text = formatAddress(bytes)
      expect(new SocketAddress({ address: text, family: bytes.length === 4 ? 'ipv4' : 'ipv6' }).address).toBe(text)
    }),
    { numRuns: 1000 },
  )
})

test('address attributes round-trip, plain and XORed', () => {
  fc.assert(
    fc.property(address, fc.nat(65535), (bytes, port) => {
      const endpoint = { address: formatAddress(bytes), port, family: bytes.length === 4 ? 4 : 6 }
      expect(decodeAddress(encodeAddress(endpoint))).toEqual(endpoint)
      expect(decodeXorAddress(encodeXorAddress(endpoint, ID), ID)).toEqual(endpoint)
    }),
  )
})

test('wrong families and sizes are no address', () => {
  for (const value of [
    [],
    [0, 1, 0, 0],
    [0, 1, 0, 0, 1, 2, 3, 4, 5],
    [0, 2, 0, 0, 1, 2, 3, 4],
    [0, 3, 0, 0, 1, 2, 3, 4],
  ])
    expect(decodeXorAddress(Uint8Array.from(value), ID)).toBeUndefined()
})
