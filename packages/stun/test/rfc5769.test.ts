import { describe, expect, test } from 'vitest'
import { RFC5769 } from '../../../test/vectors/rfc5769.ts'
import {
  Attribute,
  checkFingerprint,
  checkIntegrity,
  decodeText,
  decodeXorAddress,
  longTermKey,
  parseMessage,
  shortTermKey,
} from '../src/index.ts'

describe.each(RFC5769)('RFC 5769 $name', (vector) => {
  const result = parseMessage(vector.bytes)
  if (!result.ok) throw new Error(result.reason)
  const { message } = result
  const key = vector.longTerm
    ? longTermKey(vector.longTerm.username, vector.longTerm.realm, vector.password)
    : shortTermKey(vector.password)

  test('integrity is right under the password and wrong under another', () => {
    expect(checkIntegrity(message, key)).toBe(true)
    expect(checkIntegrity(message, shortTermKey('another'))).toBe(false)
  })

  test('fingerprint', () => {
    expect(checkFingerprint(message)).toBe(vector.fingerprint ? 'valid' : 'absent')
  })

  test('attributes', () => {
    const text = (type: number) => {
      const value = message.get(type)
      return value && decodeText(value)
    }
    expect(text(Attribute.Software)).toBe(vector.software)
    expect(text(Attribute.Username)).toBe(vector.username)
    expect(text(Attribute.Realm)).toBe(vector.longTerm?.realm)
    expect(text(Attribute.Nonce)).toBe(vector.longTerm?.nonce)
    const mapped = message.get(Attribute.XorMappedAddress)
    expect(mapped && decodeXorAddress(mapped, message.transactionId)).toEqual(vector.mapped)
  })

  test('any flipped bit before the integrity breaks it', () => {
    for (let at = 20; at < message.offsetOf(Attribute.MessageIntegrity); at++) {
      const bytes = vector.bytes.slice()
      bytes[at]! ^= 1
      const changed = parseMessage(bytes)
      expect(changed.ok && checkIntegrity(changed.message, key)).toBe(false)
    }
  })
})
