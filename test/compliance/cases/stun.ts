/** RFC 8489 sections 5 to 7 and 14: messages, what is answered and what is not. */
import { randomBytes } from 'node:crypto'
import {
  Attribute,
  Class,
  checkFingerprint,
  checkIntegrity,
  decodeUnknownAttributes,
  decodeXorAddress,
  encodeLifetime,
  encodeText,
  longTermKey,
  Method,
} from '@hairpin/stun'
import { expect } from 'vitest'
import { expectSilence, type Section } from '../case.ts'
import { codeOf, lifetime, type Pair, UDP_TRANSPORT } from '../client.ts'

const UNSIGNED = { integrity: 'none' } as const
const UNKNOWN_REQUIRED: Pair = [0x7ffe, Uint8Array.of(1, 2, 3, 4)]
const UNKNOWN_OPTIONAL: Pair = [0xfffe, Uint8Array.of(1, 2, 3, 4)]

export const stun: Section = (add) => {
  add('RFC 8489 6.3.1: Binding is answered with its transaction id and XOR-MAPPED-ADDRESS', async (stage) => {
    const client = await stage.client()
    const id = randomBytes(12)
    const answer = await client.ask(Method.Binding, [], { id })
    expect(codeOf(answer)).toBe(200)
    expect(decodeXorAddress(answer.get(Attribute.XorMappedAddress)!, id)).toEqual(client.local)
  })

  add('RFC 8489 6.3.1: a retransmitted Binding is answered the same', async (stage) => {
    const client = await stage.client()
    const request = client.build(Method.Binding)
    client.send(request)
    const first = await client.answer(request)
    client.send(request)
    expect(Buffer.compare((await client.answer(request)).bytes, first.bytes)).toBe(0)
  })

  const broken: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['5: without the magic cookie', (bytes) => edit(bytes, 4, 0x22)],
    ['5: whose first two bits are not zero', (bytes) => edit(bytes, 0, 0x80)],
    ['5: shorter than a header', (bytes) => bytes.subarray(0, 19)],
    ['5: longer than its length says', (bytes) => Buffer.concat([bytes, Buffer.alloc(4)])],
    ['5: shorter than its length says', (bytes) => edit(bytes, 3, 8)],
    ['5: whose length is no multiple of four', (bytes) => edit(Buffer.concat([bytes, Buffer.alloc(2)]), 3, 2)],
    [
      '14: with an attribute that ends beyond it',
      (bytes) => edit(Buffer.concat([bytes, Buffer.of(0x80, 0x22, 0, 9, 1, 2, 3, 4)]), 3, 8),
    ],
  ]
  for (const [what, damage] of broken)
    add(`RFC 8489 ${what} a message draws no answer`, async (stage) => {
      const client = await stage.client()
      client.send(damage(Buffer.from(client.build(Method.Binding))))
      await expectSilence(client)
    })

  add('RFC 8489 6.3: a request of an unknown method draws no answer', async (stage) => {
    const client = await stage.client()
    for (const method of [0x002, 0x0ff, 0xfff]) client.send(client.build(method))
    await expectSilence(client)
  })

  add('RFC 8489 6.3.2: indications draw no answer, whatever they say', async (stage) => {
    const { client } = await stage.allocated()
    for (const method of [Method.Binding, Method.Allocate, Method.Refresh, Method.Send, Method.Data, 0x0ff]) {
      client.send(client.build(method, [], { class: Class.Indication, ...UNSIGNED }))
      client.send(client.build(method, [UNKNOWN_REQUIRED], { class: Class.Indication }))
    }
    await expectSilence(client)
  })

  add('RFC 8489 6.3.3: responses that nobody asked for draw no answer', async (stage) => {
    const client = await stage.client()
    for (const method of [Method.Binding, Method.Allocate])
      for (const cls of [Class.Success, Class.Error]) client.send(client.build(method, [], { class: cls }))
    await expectSilence(client)
  })

  add(
    'RFC 8489 6.3.1: an unknown comprehension-required attribute of a Binding draws 420 and is named',
    async (stage) => {
      const client = await stage.client()
      const answer = await client.ask(Method.Binding, [UNKNOWN_REQUIRED])
      expect(codeOf(answer)).toBe(420)
      expect(decodeUnknownAttributes(answer.get(Attribute.UnknownAttributes)!)).toEqual([0x7ffe])
    },
  )

  add('RFC 8489 6.3.1: of an authenticated request all unknown required attributes are named in 420', async (stage) => {
    const client = await stage.challenged()
    const answer = await client.ask(Method.Allocate, [UDP_TRANSPORT, UNKNOWN_REQUIRED, [0x7ffd, new Uint8Array(0)]])
    expect(codeOf(answer)).toBe(420)
    expect(decodeUnknownAttributes(answer.get(Attribute.UnknownAttributes)!)).toEqual([0x7ffe, 0x7ffd])
  })

  add('RFC 8489 14: an unknown comprehension-optional attribute is ignored', async (stage) => {
    const client = await stage.challenged()
    expect(await client.code(Method.Binding, [UNKNOWN_OPTIONAL], UNSIGNED)).toBe(200)
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT, UNKNOWN_OPTIONAL])).toBe(200)
  })

  add('RFC 8489 14: of an attribute that occurs twice the first counts', async (stage) => {
    const { client } = await stage.allocated()
    const answer = await client.ask(Method.Refresh, [lifetime(1200), lifetime(0)])
    expect([...answer.get(Attribute.Lifetime)!]).toEqual([...encodeLifetime(1200)])
    expect(await client.code(Method.Refresh)).toBe(200)
  })

  add('RFC 8489 14: padding is zero in what is sent, and anything in what is received', async (stage) => {
    const client = await stage.client()
    const request = Buffer.from(client.build(Method.Allocate, [UDP_TRANSPORT, [Attribute.Software, encodeText('x')]]))
    request.fill(0xff, request.length - 3)
    client.send(request)
    const answer = await client.answer(request)
    expect(codeOf(answer)).toBe(401)
    for (const { type, padding } of paddings(answer.bytes))
      expect([type, ...padding]).toEqual([type, ...padding.map(() => 0)])
  })

  add('RFC 8489 7: FINGERPRINT is answered with FINGERPRINT', async (stage) => {
    const client = await stage.client()
    const answer = await client.ask(Method.Binding, [], { fingerprint: true })
    expect(checkFingerprint(answer)).toBe('valid')
  })

  add('RFC 8489 7: a request with a wrong FINGERPRINT draws no answer', async (stage) => {
    const client = await stage.challenged()
    for (const method of [Method.Binding, Method.Allocate]) {
      const request = client.build(method, [UDP_TRANSPORT], { fingerprint: true })
      request[request.length - 1]! ^= 1
      client.send(request)
    }
    await expectSilence(client)
  })

  add('RFC 8489 14.5: what stands behind MESSAGE-INTEGRITY is ignored', async (stage) => {
    const { client } = await stage.allocated()
    const answer = await client.ask(Method.Refresh, [lifetime(1200)], { after: [lifetime(0), UNKNOWN_REQUIRED] })
    expect(codeOf(answer)).toBe(200)
    const key = longTermKey(client.credentials.username, client.realm, client.credentials.password)
    expect(checkIntegrity(answer, key)).toBe(true)
    expect(await client.code(Method.Refresh)).toBe(200)
  })
}

function edit(bytes: Buffer, at: number, value: number): Buffer {
  bytes[at] = value
  return bytes
}

/** The bytes between the end of each attribute's value and the next attribute. */
function paddings(bytes: Uint8Array): { type: number; padding: number[] }[] {
  const view = Buffer.from(bytes)
  const found: { type: number; padding: number[] }[] = []
  for (let at = 20; at < view.length; ) {
    const end = at + 4 + view.readUInt16BE(at + 2)
    const next = (end + 3) & ~3
    found.push({ type: view.readUInt16BE(at), padding: [...view.subarray(end, next)] })
    at = next
  }
  return found
}
