import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RFC5769 } from '../../../test/vectors/rfc5769.ts'
import {
  Attribute,
  Class,
  checkFingerprint,
  checkIntegrity,
  classify,
  copyBytes,
  decodeXorAddress,
  MessageWriter,
  Method,
  methodName,
  packType,
  parseMessage,
  unpackClass,
  unpackMethod,
} from '../src/index.ts'

const ID = Uint8Array.from({ length: 12 }, (_, i) => i + 1)
const KEY = Buffer.from('0123456789abcdef')
const bytesOf = (maxLength: number) => fc.uint8Array({ maxLength })

/** Rewrites the header's length to fit, as an attacker who appends attributes would. */
function append(message: Uint8Array, type: number, value: Uint8Array): Uint8Array {
  const bytes = Buffer.concat([message, Buffer.alloc(4), value, Buffer.alloc(-value.length & 3)])
  bytes.writeUInt16BE(type, message.length)
  bytes.writeUInt16BE(value.length, message.length + 2)
  bytes.writeUInt16BE(bytes.length - 20, 2)
  return bytes
}

function parsed(bytes: Uint8Array) {
  const result = parseMessage(bytes instanceof Buffer ? copyBytes(bytes) : bytes)
  if (!result.ok) throw new Error(result.reason)
  return result.message
}

test('every method and class survives the message type', () => {
  for (let method = 0; method < 0x1000; method++)
    for (const cls of Object.values(Class)) {
      const type = packType(method, cls)
      expect(type & 0xc000).toBe(0)
      expect([unpackMethod(type), unpackClass(type)]).toEqual([method, cls])
    }
  expect(packType(Method.Binding, Class.Success)).toBe(0x0101)
  expect(packType(Method.Allocate, Class.Error)).toBe(0x0113)
  expect(packType(Method.Data, Class.Indication)).toBe(0x0017)
})

test('methods have names for metrics', () => {
  expect(methodName(Method.CreatePermission)).toBe('create_permission')
  expect(methodName(0x7ff)).toBe('other')
})

test('what is written is read back, whatever the attributes', () => {
  const attribute = fc.tuple(fc.integer({ min: 0x8100, max: 0xffff }), bytesOf(70))
  fc.assert(
    fc.property(fc.array(attribute, { maxLength: 20 }), (attributes) => {
      const unique = [...new Map(attributes)]
      const writer = new MessageWriter(Method.Binding, Class.Request, ID, 20)
      for (const [type, value] of unique) writer.attribute(type, value)
      const message = parsed(writer.integrity(KEY).fingerprint().finish())
      for (const [type, value] of unique) expect(message.get(type)).toEqual(value)
      expect(message.transactionId).toEqual(ID)
      expect(checkIntegrity(message, KEY)).toBe(true)
      expect(checkFingerprint(message)).toBe('valid')
    }),
  )
})

test('the integrity is the HMAC-SHA1 that node:crypto computes, whatever the sizes of key and message', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), bytesOf(3000), (key, value) => {
      const bytes = new MessageWriter(Method.Send, Class.Request, ID).attribute(0x8022, value).integrity(key).finish()
      const covered = Buffer.from(bytes.subarray(0, bytes.length - 24))
      expect(Buffer.from(bytes.subarray(-20))).toEqual(createHmac('sha1', key).update(covered).digest())
    }),
  )
})

test('decoding changes nothing in the datagram, though it is a Buffer', () => {
  const bytes = Buffer.from(RFC5769[2]!.bytes)
  const result = parseMessage(bytes)
  if (!result.ok) throw new Error(result.reason)
  const { message } = result
  const decode = () => decodeXorAddress(message.get(Attribute.XorMappedAddress)!, message.transactionId)
  expect(decode()).toEqual(decode())
  expect(Buffer.compare(bytes, RFC5769[2]!.bytes)).toBe(0)
})

test('padding is zero', () => {
  const bytes = new MessageWriter(Method.Binding, Class.Request, ID).attribute(0x8022, Uint8Array.of(0xff)).finish()
  expect([...bytes.subarray(24)]).toEqual([0xff, 0, 0, 0])
})

test('attributes after MESSAGE-INTEGRITY are ignored, except FINGERPRINT', () => {
  const sealed = new MessageWriter(Method.Refresh, Class.Request, ID).integrity(KEY).finish()
  const message = parsed(append(sealed, Attribute.Lifetime, new Uint8Array(4)))
  expect(message.has(Attribute.Lifetime)).toBe(false)
  expect(checkIntegrity(message, KEY)).toBe(true)
  const printed = new MessageWriter(Method.Refresh, Class.Request, ID).integrity(KEY).fingerprint().finish()
  expect(parsed(printed).has(Attribute.Fingerprint)).toBe(true)
  const unknown = parsed(append(sealed, 0x0099, new Uint8Array(0)))
  expect(unknown.unknownRequired(new Set([Attribute.MessageIntegrity]))).toEqual([])
})

test('MESSAGE-INTEGRITY-SHA256 may follow MESSAGE-INTEGRITY, but nothing save FINGERPRINT follows it', () => {
  const sealed = new MessageWriter(Method.Refresh, Class.Request, ID).integrity(KEY).finish()
  const both = append(sealed, Attribute.MessageIntegritySha256, new Uint8Array(32))
  expect(parsed(both).has(Attribute.MessageIntegritySha256)).toBe(true)
  expect(parsed(append(both, Attribute.Lifetime, new Uint8Array(4))).has(Attribute.Lifetime)).toBe(false)
})

test('a FINGERPRINT that is not last, or of a wrong size, is invalid', () => {
  const printed = new MessageWriter(Method.Binding, Class.Request, ID).fingerprint().finish()
  expect(checkFingerprint(parsed(append(printed, 0x8022, new Uint8Array(4))))).toBe('invalid')
  const short = new MessageWriter(Method.Binding, Class.Request, ID).attribute(Attribute.Fingerprint, KEY).finish()
  expect(checkFingerprint(parsed(short))).toBe('invalid')
})

test('of an attribute that occurs twice the first counts', () => {
  const message = parsed(
    new MessageWriter(Method.Refresh, Class.Request, ID)
      .attribute(Attribute.Lifetime, Uint8Array.of(0, 0, 0, 1))
      .attribute(Attribute.Lifetime, Uint8Array.of(0, 0, 0, 2))
      .finish(),
  )
  expect(message.get(Attribute.Lifetime)).toEqual(Uint8Array.of(0, 0, 0, 1))
  expect(message.getAll(Attribute.Lifetime)).toHaveLength(2)
})

test('malformed messages are refused with a reason', () => {
  const good = new MessageWriter(Method.Binding, Class.Request, ID).attribute(0x8022, new Uint8Array(4)).finish()
  const reason = (bytes: Uint8Array) => {
    const result = parseMessage(bytes)
    return result.ok ? 'ok' : result.reason
  }
  const changed = (at: number, value: number) => good.map((byte, i) => (i === at ? value : byte))
  expect(reason(good)).toBe('ok')
  expect(reason(good.subarray(0, 19))).toBe('too-short')
  expect(reason(new Uint8Array(0))).toBe('too-short')
  expect(reason(changed(0, 0x40))).toBe('not-stun')
  expect(reason(changed(4, 0))).toBe('bad-cookie')
  expect(reason(changed(3, 6))).toBe('bad-length')
  expect(reason(good.subarray(0, 24))).toBe('bad-length')
  expect(reason(changed(23, 8))).toBe('attribute-overflow')
  const many = new MessageWriter(Method.Binding, Class.Request, ID)
  for (let i = 0; i < 65; i++) many.attribute(0x8022, new Uint8Array(0))
  expect(reason(many.finish())).toBe('too-many-attributes')
})

test('random bytes never throw', () => {
  fc.assert(
    fc.property(bytesOf(200), (bytes) => {
      classify(bytes)
      const result = parseMessage(bytes)
      if (result.ok) checkFingerprint(result.message)
    }),
    { numRuns: 2000 },
  )
})
