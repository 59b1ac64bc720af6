import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { RFC8489_B1 as B1, MD5_KEY, NONCE_PREFIXES } from '../../../test/vectors/rfc8489.ts'
import {
  Attribute,
  Class,
  checkIntegrity,
  checkIntegritySha256,
  decodeNonceFeatures,
  decodePasswordAlgorithms,
  encodeNoncePrefix,
  encodePasswordAlgorithms,
  encodeText,
  hmac,
  longTermKey,
  MessageWriter,
  Method,
  PasswordAlgorithm,
  parseMessage,
  SecurityFeature,
  userhash,
} from '../src/index.ts'

const key = longTermKey(B1.username, B1.realm, B1.password, PasswordAlgorithm.Sha256)
const parsed = (bytes: Uint8Array) => {
  const result = parseMessage(bytes)
  if (!result.ok) throw new Error(result.reason)
  return result.message
}

test('RFC 8489 B.1: its integrity is right under the SHA-256 key, and under no other', () => {
  expect(checkIntegritySha256(parsed(B1.bytes), key)).toBe(true)
  expect(checkIntegritySha256(parsed(B1.bytes), longTermKey(B1.username, B1.realm, B1.password))).toBe(false)
  expect(checkIntegrity(parsed(B1.bytes), key)).toBe(false)
})

test('RFC 8489 B.1: USERHASH, NONCE, PASSWORD-ALGORITHM', () => {
  const message = parsed(B1.bytes)
  expect(Buffer.from(message.get(Attribute.Userhash)!).toString('hex')).toBe(B1.userhash)
  expect(Buffer.from(userhash(B1.username, B1.realm)).toString('hex')).toBe(B1.userhash)
  expect(Buffer.from(message.get(Attribute.Nonce)!).toString()).toBe(B1.nonce)
  expect(decodeNonceFeatures(B1.nonce)).toBe(B1.features)
  expect(decodePasswordAlgorithms(message.get(Attribute.PasswordAlgorithm)!)).toEqual([PasswordAlgorithm.Sha256])
})

test('RFC 8489 B.1: written from its parts it is the same byte for byte', () => {
  const written = new MessageWriter(Method.Binding, Class.Request, B1.bytes.subarray(8, 20))
    .attribute(Attribute.Userhash, userhash(B1.username, B1.realm))
    .attribute(Attribute.Nonce, encodeText(B1.nonce))
    .attribute(Attribute.Realm, encodeText(B1.realm))
    .attribute(Attribute.PasswordAlgorithm, encodePasswordAlgorithms([PasswordAlgorithm.Sha256]))
    .integritySha256(key)
    .finish()
  expect(Buffer.from(written).toString('hex')).toBe(Buffer.from(B1.bytes).toString('hex'))
})

test('RFC 8489 B.1: any flipped bit before the integrity breaks it', () => {
  for (let at = 20; at < B1.bytes.length - 36; at++) {
    const bytes = B1.bytes.slice()
    bytes[at]! ^= 1
    const result = parseMessage(bytes)
    expect(result.ok && checkIntegritySha256(result.message, key)).toBe(false)
  }
})

test('a truncated MESSAGE-INTEGRITY-SHA256 is refused: TURN does not allow it', () => {
  for (const length of [0, 12, 16, 28]) {
    const bytes = B1.bytes.slice(0, B1.bytes.length - 32 + length)
    bytes[3]! = bytes.length - 20
    bytes[bytes.length - length - 1] = length
    expect(checkIntegritySha256(parsed(bytes), key)).toBe(false)
  }
})

test('both integrities in one message hold, each over what precedes it', () => {
  const message = parsed(
    new MessageWriter(Method.Refresh, Class.Request, new Uint8Array(12)).integrity(key).integritySha256(key).finish(),
  )
  expect([checkIntegrity(message, key), checkIntegritySha256(message, key)]).toEqual([true, true])
})

test.each(NONCE_PREFIXES)('the nonce cookie with features $features is $prefix, both ways', ({ features, prefix }) => {
  expect(encodeNoncePrefix(features)).toBe(prefix)
  expect(decodeNonceFeatures(`${prefix}xyz`)).toBe(features)
})

test('feature bits are counted from the most significant (section 18.1)', () => {
  const { PasswordAlgorithms, UsernameAnonymity } = SecurityFeature
  expect([PasswordAlgorithms, UsernameAnonymity]).toEqual([NONCE_PREFIXES[1].features, NONCE_PREFIXES[2].features])
})

test.each(['', 'obMatJos', 'obMatJos2', 'obMatJos2gAA', 'obMatJos3gAAA', 'f//499k954d6OL34oL9FSTvy64sA'])(
  'the nonce %j has no cookie',
  (nonce) => expect(decodeNonceFeatures(nonce)).toBeUndefined(),
)

test('RFC 5389 15.4: the long-term key of the example', () => {
  const { username, realm, password, key: expected } = MD5_KEY
  expect(Buffer.from(longTermKey(username, realm, password)).toString('hex')).toBe(expected)
})

test.each(['sha1', 'sha256'] as const)(
  'hmac %s is that of node:crypto for keys and data of any length',
  (algorithm) => {
    for (const keyLength of [0, 1, 32, 63, 64, 65, 200])
      for (const length of [0, 1, 20, 2048, 2049, 5000]) {
        const secret = Buffer.alloc(keyLength, keyLength)
        const data = Buffer.alloc(length, length)
        const expected = createHmac(algorithm, secret).update(data).digest('hex')
        expect(Buffer.from(hmac(algorithm, secret, data)).toString('hex')).toBe(expected)
      }
    expect(hmac(algorithm, Buffer.from('k'), 'é')).toEqual(createHmac(algorithm, 'k').update('é').digest())
  },
)
