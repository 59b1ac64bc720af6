/** RFC 8489 section 9.2: long-term credentials, nonces, password algorithms and the protection against bidding down. */
import {
  Attribute,
  checkIntegrity,
  checkIntegritySha256,
  decodeNonceFeatures,
  decodePasswordAlgorithms,
  encodePasswordAlgorithms,
  encodeText,
  longTermKey,
  Method,
  PasswordAlgorithm,
  SecurityFeature,
  userhash,
} from '@hairpin/stun'
import { expect } from 'vitest'
import type { Section } from '../case.ts'
import { type Ask, codeOf, lifetime, type Pair, type TestClient, UDP_TRANSPORT } from '../client.ts'

const { Md5, Sha256 } = PasswordAlgorithm
const OFFER: Pair = [Attribute.PasswordAlgorithms, encodePasswordAlgorithms([Sha256, Md5])]
const choose = (...algorithms: PasswordAlgorithm[]): Pair => [
  Attribute.PasswordAlgorithm,
  encodePasswordAlgorithms(algorithms),
]
const STRONG: Ask = { integrity: 'sha256', algorithm: Sha256 }

export const authentication: Section = (add) => {
  const methods = [Method.Allocate, Method.Refresh, Method.CreatePermission, Method.ChannelBind]

  add('RFC 8489 9.2.4: without integrity every request draws 401 with REALM and NONCE, unsigned', async (stage) => {
    const client = await stage.client()
    for (const method of methods) {
      const answer = await client.ask(method, [UDP_TRANSPORT])
      expect([method, codeOf(answer)]).toEqual([method, 401])
      expect([answer.has(Attribute.Realm), answer.has(Attribute.Nonce)]).toEqual([true, true])
      expect(answer.has(Attribute.MessageIntegrity)).toBe(false)
    }
  })

  const incomplete: readonly (readonly [string, (client: TestClient) => Pair[]])[] = [
    ['USERNAME', (client) => [realmOf(client), nonceOf(client)]],
    ['REALM', (client) => [nameOf(client), nonceOf(client)]],
    ['NONCE', (client) => [nameOf(client), realmOf(client)]],
  ]
  for (const [missing, named] of incomplete)
    add(`RFC 8489 9.2.4: integrity without ${missing} draws 400`, async (stage) => {
      const client = await stage.challenged()
      expect(await client.code(Method.Allocate, [UDP_TRANSPORT], { named: named(client) })).toBe(400)
    })

  add('RFC 8489 9.2.4: a wrong password draws 401, unsigned, and allocates nothing', async (stage) => {
    const client = await stage.challenged()
    const credentials = { ...client.credentials, password: 'wrong' }
    const answer = await client.ask(Method.Allocate, [UDP_TRANSPORT], { credentials })
    expect([codeOf(answer), answer.has(Attribute.MessageIntegrity)]).toEqual([401, false])
    expect(await client.code(Method.Refresh)).toBe(437)
  })

  add('RFC 8489 9.2.4: an unknown user draws 401', async (stage) => {
    const client = await stage.challenged()
    const credentials = { ...client.credentials, username: 'nobody' }
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT], { credentials })).toBe(401)
  })

  add(
    'RFC 8489 9.2.4: a wrong MESSAGE-INTEGRITY draws 401 on an allocation too, and changes nothing',
    async (stage) => {
      const { client } = await stage.allocated()
      const request = client.build(Method.Refresh, [lifetime(0)])
      request[request.length - 1]! ^= 1
      client.send(request)
      expect(codeOf(await client.answer(request))).toBe(401)
      expect(await client.code(Method.Refresh)).toBe(200)
    },
  )

  add('RFC 8489 9.2.4: a stale NONCE draws 438 with one that is good', async (stage) => {
    const client = await stage.challenged()
    const nonce = Buffer.from(client.nonce)
    nonce[nonce.length - 3]! ^= 1
    const answer = await client.ask(Method.Allocate, [UDP_TRANSPORT], { nonce })
    expect([codeOf(answer), answer.has(Attribute.Realm)]).toEqual([438, true])
    const fresh = Buffer.from(answer.get(Attribute.Nonce)!)
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT], { nonce: fresh })).toBe(200)
  })

  add('RFC 8489 9.2.4: a NONCE given to another client draws 438', async (stage) => {
    const [ada, eve] = [await stage.challenged(), await stage.challenged()]
    expect(await eve.code(Method.Allocate, [UDP_TRANSPORT], { nonce: ada.nonce })).toBe(438)
  })

  add('RFC 8489 9.2.4: answers to authenticated requests are signed, success or error', async (stage) => {
    const { client } = await stage.allocated()
    const key = longTermKey(client.credentials.username, client.realm, client.credentials.password)
    for (const method of methods) {
      const answer = await client.ask(method)
      expect([method, codeOf(answer), checkIntegrity(answer, key)]).toEqual([method, expect.any(Number), true])
    }
  })

  add('RFC 8489 9.2: the NONCE begins with the cookie and its security features', async (stage) => {
    const client = await stage.challenged()
    const nonce = Buffer.from(client.nonce).toString()
    expect(nonce.startsWith('obMatJos2')).toBe(true)
    const features = decodeNonceFeatures(nonce)!
    expect(features & SecurityFeature.PasswordAlgorithms).not.toBe(0)
  })

  add('RFC 8489 9.2.4: 401 and 438 offer the password algorithms', async (stage) => {
    const client = await stage.client()
    const offered = (answer: { get(type: number): Uint8Array | undefined }) =>
      decodePasswordAlgorithms(answer.get(Attribute.PasswordAlgorithms)!)
    expect(offered(await client.challenge())).toEqual([Sha256, Md5])
    const stale = await client.ask(Method.Allocate, [UDP_TRANSPORT], { nonce: Buffer.from('obMatJos2gAAAnone') })
    expect([codeOf(stale), offered(stale)]).toEqual([438, [Sha256, Md5]])
  })

  add('RFC 8489 9.2.4: a client that chooses SHA-256 is answered with MESSAGE-INTEGRITY-SHA256', async (stage) => {
    const client = await stage.challenged()
    const key = longTermKey(client.credentials.username, client.realm, client.credentials.password, Sha256)
    for (const [method, code] of [
      [Method.Allocate, 200],
      [Method.Refresh, 200],
      [Method.CreatePermission, 400],
    ] as const) {
      const answer = await client.ask(method, [UDP_TRANSPORT, OFFER, choose(Sha256)], STRONG)
      expect([codeOf(answer), checkIntegritySha256(answer, key)]).toEqual([code, true])
      expect(answer.has(Attribute.MessageIntegrity)).toBe(false)
    }
  })

  add('RFC 8489 9.2.4: MESSAGE-INTEGRITY-SHA256 under another key draws 401', async (stage) => {
    const client = await stage.challenged()
    const ask = (extra: Ask) => client.code(Method.Allocate, [UDP_TRANSPORT, OFFER, choose(Sha256)], extra)
    expect(await ask({ ...STRONG, credentials: { ...client.credentials, password: 'wrong' } })).toBe(401)
    expect(await ask({ ...STRONG, algorithm: Md5 })).toBe(401)
  })

  add('RFC 8489 14.6: behind MESSAGE-INTEGRITY-SHA256 only FINGERPRINT counts', async (stage) => {
    const client = await stage.challenged()
    await client.ask(Method.Allocate, [UDP_TRANSPORT, OFFER, choose(Sha256)], STRONG)
    const after: Ask = { ...STRONG, after: [lifetime(0), [0x7ffe, new Uint8Array(0)]], fingerprint: true }
    expect(await client.code(Method.Refresh, [OFFER, choose(Sha256), lifetime(900)], after)).toBe(200)
    expect(await client.code(Method.Refresh, [OFFER, choose(Sha256)], STRONG)).toBe(200)
  })

  const biddings: readonly (readonly [string, Pair[], Ask])[] = [
    ['an offer that was shortened', [[OFFER[0], encodePasswordAlgorithms([Md5])], choose(Md5)], {}],
    ['an offer whose order was changed', [[OFFER[0], encodePasswordAlgorithms([Md5, Sha256])], choose(Md5)], {}],
    ['an offer without a choice', [OFFER], {}],
    ['a choice without the offer', [choose(Sha256)], STRONG],
    ['a choice that was not offered', [OFFER, [Attribute.PasswordAlgorithm, Uint8Array.of(0, 9, 0, 0)]], {}],
    ['two choices', [OFFER, choose(Sha256, Md5)], STRONG],
  ]
  for (const [what, pairs, ask] of biddings)
    add(`RFC 8489 9.2.4: against bidding down, ${what} draws 400`, async (stage) => {
      const client = await stage.challenged()
      expect(await client.code(Method.Allocate, [UDP_TRANSPORT, ...pairs], ask)).toBe(400)
    })

  add('RFC 8489 14.4: USERHASH is honoured where the name is known, and draws 401 where it is not', async (stage) => {
    const client = await stage.challenged()
    const hash: Pair = [Attribute.Userhash, userhash(client.credentials.username, client.realm)]
    const named = [hash, realmOf(client), nonceOf(client)]
    expect(await client.code(Method.Allocate, [UDP_TRANSPORT], { named })).toBe(401)
    await client.allocate()
    expect(await client.code(Method.Refresh, [], { named })).toBe(200)
  })
}

function nameOf(client: TestClient): Pair {
  return [Attribute.Username, encodeText(client.credentials.username)]
}

function realmOf(client: TestClient): Pair {
  return [Attribute.Realm, encodeText(client.realm)]
}

function nonceOf(client: TestClient): Pair {
  return [Attribute.Nonce, client.nonce]
}
