import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readProxyHeader } from '../../../src/net/streams/proxy-protocol.ts'

const v2 = (verCmd: number, family: number, body: readonly number[]) =>
  Buffer.from([
    ...Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    verCmd,
    family,
    body.length >> 8,
    body.length & 255,
    ...body,
  ])
const ipv4 = [203, 0, 113, 9, 10, 0, 0, 1, 0xc0, 0x00, 0x0d, 0x96]
const ipv6 = [0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 9, ...new Array(16).fill(1), 0xc0, 0x00, 0x0d, 0x96]

const good: [string, Buffer, { address: string; port: number; family: 4 | 6 } | undefined][] = [
  [
    'v1 over IPv4',
    Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 49152 3478\r\n'),
    { address: '203.0.113.9', port: 49_152, family: 4 },
  ],
  [
    'v1 over IPv6, in canonical text',
    Buffer.from('PROXY TCP6 2001:DB8:0::9 2001:db8::1 49152 3478\r\n'),
    { address: '2001:db8::9', port: 49_152, family: 6 },
  ],
  [
    'v1 with an IPv4-mapped client',
    Buffer.from('PROXY TCP6 ::ffff:203.0.113.9 ::1 49152 3478\r\n'),
    { address: '203.0.113.9', port: 49_152, family: 4 },
  ],
  ['v1 UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['v1 UNKNOWN with whatever follows', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), undefined],
  ['v2 over IPv4', v2(0x21, 0x11, ipv4), { address: '203.0.113.9', port: 49_152, family: 4 }],
  ['v2 over IPv6', v2(0x21, 0x21, ipv6), { address: '2001:db8::9', port: 49_152, family: 6 }],
  ['v2 with TLVs', v2(0x21, 0x11, [...ipv4, 4, 0, 2, 7, 7]), { address: '203.0.113.9', port: 49_152, family: 4 }],
  ['v2 LOCAL', v2(0x20, 0x00, []), undefined],
  ['v2 LOCAL with addresses', v2(0x20, 0x11, ipv4), undefined],
  ['v2 of no family', v2(0x21, 0x00, []), undefined],
]

describe('a PROXY header', () => {
  it.each(good)('is read: %s, from one piece, and at any cut more is waited for', (_what, header, source) => {
    const stream = Buffer.concat([header, Buffer.from([0, 1, 0, 0])])
    expect(readProxyHeader(stream)).toEqual({ state: 'done', length: header.length, source })
    for (let length = 0; length < header.length; length++)
      expect(readProxyHeader(stream.subarray(0, length))).toEqual({ state: 'incomplete' })
  })

  it.each([
    ['a STUN message', Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42])],
    ['an unknown v1 protocol', Buffer.from('PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n')],
    ['families that differ', Buffer.from('PROXY TCP4 1.2.3.4 ::1 1 2\r\n')],
    ['a zone', Buffer.from('PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n')],
    ['an octal address', Buffer.from('PROXY TCP4 010.2.3.4 5.6.7.8 1 2\r\n')],
    ['a port too large', Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n')],
    ['port 0', Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 0 2\r\n')],
    ['a port with a leading zero', Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n')],
    ['a field too many', Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n')],
    ['a field missing', Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n')],
    ['a line without end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
    ['version 3', v2(0x31, 0x11, ipv4)],
    ['an unknown command', v2(0x22, 0x11, ipv4)],
    ['UDP', v2(0x21, 0x12, ipv4)],
    ['a Unix socket', v2(0x21, 0x31, new Array(216).fill(65))],
    ['addresses cut short', v2(0x21, 0x21, ipv4)],
    ['far too many TLVs', v2(0x21, 0x11, new Array(4000).fill(0))],
  ])('is none: %s', (_what, bytes) => {
    expect(readProxyHeader(bytes)).toEqual({ state: 'invalid' })
  })

  it('never makes anything throw', () => {
    const starts = ['', 'PROXY ', '\r\n\r\n\0\r\nQUIT\n'].map((start) => Buffer.from(start, 'latin1'))
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }), (start, rest) => {
        expect(readProxyHeader(Buffer.concat([start, rest])).state).toMatch(/^(incomplete|invalid|done)$/)
      }),
      { numRuns: 2000 },
    )
  })
})
