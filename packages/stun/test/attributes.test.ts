import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeAddressFamily,
  decodeChannelData,
  decodeChannelNumber,
  decodeConnectionId,
  decodeErrorCode,
  decodeEvenPort,
  decodeLifetime,
  decodeNonceFeatures,
  decodePasswordAlgorithms,
  decodeRequestedTransport,
  decodeReservationToken,
  decodeText,
  decodeUnknownAttributes,
  encodeAddressFamily,
  encodeChannelData,
  encodeChannelNumber,
  encodeConnectionId,
  encodeErrorCode,
  encodeEvenPort,
  encodeLifetime,
  encodeNoncePrefix,
  encodeRequestedTransport,
  encodeText,
  encodeUnknownAttributes,
  frameLength,
  SecurityFeature,
  userhash,
} from '../src/index.ts'

const junk = fc.uint8Array({ maxLength: 40 })

test('every attribute value round-trips', () => {
  fc.assert(
    fc.property(
      fc.nat(0xffffffff),
      fc.nat(0xffff),
      fc.nat(255),
      fc.boolean(),
      fc.string(),
      (u32, u16, u8, bit, text) => {
        expect(decodeLifetime(encodeLifetime(u32))).toBe(u32)
        expect(decodeConnectionId(encodeConnectionId(u32))).toBe(u32)
        expect(decodeChannelNumber(encodeChannelNumber(u16))).toBe(u16)
        expect(decodeRequestedTransport(encodeRequestedTransport(u8))).toBe(u8)
        expect(decodeEvenPort(encodeEvenPort(bit))).toEqual({ reserve: bit })
        expect(decodeText(encodeText(text.toWellFormed()))).toBe(text.toWellFormed())
        expect(decodeUnknownAttributes(encodeUnknownAttributes([u16, u8]))).toEqual([u16, u8])
      },
    ),
  )
  for (const family of [4, 6] as const) expect(decodeAddressFamily(encodeAddressFamily(family))).toBe(family)
  for (let code = 300; code < 700; code++)
    expect(decodeErrorCode(encodeErrorCode(code, 'why'))).toEqual({ code, reason: 'why' })
})

test('values of a wrong size are undefined, never an exception', () => {
  fc.assert(
    fc.property(junk, (value) => {
      if (value.length !== 4) {
        expect(decodeLifetime(value)).toBeUndefined()
        expect(decodeConnectionId(value)).toBeUndefined()
        expect(decodeChannelNumber(value)).toBeUndefined()
        expect(decodeRequestedTransport(value)).toBeUndefined()
        expect(decodeAddressFamily(value)).toBeUndefined()
      }
      if (value.length !== 1) expect(decodeEvenPort(value)).toBeUndefined()
      if (value.length !== 8) expect(decodeReservationToken(value)).toBeUndefined()
      decodeErrorCode(value)
      decodeText(value)
      decodePasswordAlgorithms(value)
    }),
  )
  expect(decodeAddressFamily(Uint8Array.of(9, 0, 0, 0))).toBe('unsupported')
  expect(decodeErrorCode(Uint8Array.of(0, 0, 2, 0))).toBeUndefined()
  expect(decodeText(Uint8Array.of(0xff))).toBeUndefined()
  expect(decodeText(new Uint8Array(10), 9)).toBeUndefined()
})

test('the nonce cookie carries the security features', () => {
  expect(encodeNoncePrefix(0)).toBe('obMatJos2AAAA')
  expect(encodeNoncePrefix(SecurityFeature.PasswordAlgorithms)).toBe('obMatJos2gAAA')
  expect(decodeNonceFeatures('obMatJos2wAAArest')).toBe(
    SecurityFeature.PasswordAlgorithms | SecurityFeature.UsernameAnonymity,
  )
  expect(decodeNonceFeatures('plain')).toBeUndefined()
})

test('PASSWORD-ALGORITHMS lists its numbers', () => {
  expect(decodePasswordAlgorithms(Uint8Array.of(0, 2, 0, 0, 0, 1, 0, 0))).toEqual([2, 1])
  expect(decodePasswordAlgorithms(Uint8Array.of(0, 2, 0, 9))).toBeUndefined()
})

test('USERHASH is SHA-256 of user and realm (RFC 8489 appendix B.1)', () => {
  expect(Buffer.from(userhash('マトリックス', 'example.org')).toString('hex')).toBe(
    '4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704',
  )
})

test('ChannelData round-trips, with padding on streams', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0x4000, max: 0x7fff }), junk, fc.boolean(), (channel, data, padded) => {
      const bytes = encodeChannelData(channel, data, padded)
      expect(decodeChannelData(bytes)).toEqual({ ok: true, channel, data })
      if (padded) expect(frameLength(bytes)).toBe(bytes.length)
    }),
  )
  expect(decodeChannelData(Uint8Array.of(0x40, 0, 0))).toMatchObject({ reason: 'too-short' })
  expect(decodeChannelData(Uint8Array.of(0x80, 0, 0, 0))).toMatchObject({ reason: 'not-channel-data' })
  expect(decodeChannelData(Uint8Array.of(0x40, 0, 0, 1))).toMatchObject({ reason: 'bad-length' })
})

test('stream frames: how long, more to come, or not ours', () => {
  expect(frameLength(Uint8Array.of())).toBe(0)
  expect(frameLength(Uint8Array.of(0, 1, 0))).toBe(0)
  expect(frameLength(Uint8Array.of(0, 1, 0, 8))).toBe(28)
  expect(frameLength(Uint8Array.of(0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42))).toBe(28)
  expect(frameLength(Uint8Array.of(0, 1, 0, 8, 1, 2, 3, 4))).toBe(-1)
  expect(frameLength(Uint8Array.of(0, 1, 0, 7))).toBe(-1)
  expect(frameLength(Uint8Array.of(0x40, 1, 0, 5))).toBe(12)
  expect(frameLength(Uint8Array.of(0x80))).toBe(-1)
})
