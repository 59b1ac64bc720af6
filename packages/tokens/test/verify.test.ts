import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type KeySettings, signSignalingToken, type TokenError, TokenKeys, verifySignalingToken } from '../src/index.ts'

const secret = 's'.repeat(32)
const now = Date.parse('2026-06-01T12:00:00Z')
const exp = now / 1000 + 600

function keysOf(settings: Partial<KeySettings>) {
  return new TokenKeys({ secrets: [], sources: [], ...settings }, { now: () => now })
}
const shop = keysOf({ secrets: [{ app: 'shop', secret }] })

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'valid',
    (error: TokenError) => error.code,
  )

async function keyPair(alg: string, kid: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const sign = (claims: object, header = {}) =>
    new SignJWT({ sub: 'anna', exp, ...claims }).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)
  return { jwk: { ...(await exportJWK(publicKey)), kid, alg }, sign }
}

function hs256(claims: object, key = secret, alg = 'HS256') {
  return new SignJWT({ app: 'shop', sub: 'anna', exp, ...claims })
    .setProtectedHeader({ alg })
    .sign(new TextEncoder().encode(key))
}

describe('a token signed by the secret of its app', () => {
  it('says who its bearer is and whom that may call', async () => {
    const token = await signSignalingToken(
      { app: 'shop', secret, user: 'anna', name: 'Anna', call: ['bob'], ttl: 600 },
      now,
    )
    expect(await verifySignalingToken(token, shop, now)).toEqual({
      app: 'shop',
      user: 'anna',
      name: 'Anna',
      expiresAt: now + 600_000,
      mayCall: new Set(['bob']),
    })
  })

  it.each([
    [undefined, 'everyone'],
    ['*', 'everyone'],
    [['*'], 'everyone'],
    [[], new Set()],
  ])('with call %j lets call %s', async (call, mayCall) => {
    expect(await verifySignalingToken(await hs256({ call }), shop, now)).toMatchObject({ mayCall })
  })

  it('makes its user an agent only when it says so', async () => {
    const signed = (agent: boolean) => signSignalingToken({ app: 'shop', secret, user: 'anna', agent, ttl: 60 }, now)
    expect(await verifySignalingToken(await signed(true), shop, now)).toHaveProperty('agent', true)
    for (const token of [await signed(false), await hs256({ agent: false }), await hs256({})])
      expect(await verifySignalingToken(token, shop, now)).not.toHaveProperty('agent')
  })

  it('may be signed by any of the secrets, so that they can be rotated', async () => {
    const next = 'n'.repeat(32)
    const rotating = keysOf({
      secrets: [
        { app: 'shop', secret: next },
        { app: 'shop', secret },
      ],
    })
    expect(await codeOf(verifySignalingToken(await hs256({}), rotating, now))).toBe('valid')
    expect(await codeOf(verifySignalingToken(await hs256({}, next), rotating, now))).toBe('valid')
  })

  it.each([
    ['another secret', () => hs256({}, 'x'.repeat(32))],
    ['the secret of another app', () => hs256({ app: 'other' })],
    ['no app', () => hs256({ app: undefined })],
    ['no user', () => hs256({ sub: undefined })],
    ['an empty user', () => hs256({ sub: '' })],
    ['a user with a tag', () => hs256({ sub: '<b>' })],
    ['a user with an invisible character', () => hs256({ sub: 'an\u200bna' })],
    ['no end', () => hs256({ exp: undefined })],
    ['a beginning to come', () => hs256({ nbf: exp - 300 })],
    ['a wrong list', () => hs256({ call: [1] })],
    ['a wrong role', () => hs256({ agent: 'true' })],
    ['another algorithm', () => hs256({}, 's'.repeat(64), 'HS512')],
    ['no signature', () => new UnsecuredJWT({ app: 'shop', sub: 'anna', exp }).encode()],
    ['too much', () => hs256({ name: 'n'.repeat(9000) })],
  ])('is not valid with %s', async (_what, token) => {
    expect(await codeOf(verifySignalingToken(await token(), shop, now))).toBe('SIG_TOKEN_INVALID')
  })

  it('ends at its time, to the second', async () => {
    const token = await hs256({})
    expect(await codeOf(verifySignalingToken(token, shop, exp * 1000 - 1))).toBe('valid')
    expect(await codeOf(verifySignalingToken(token, shop, exp * 1000))).toBe('SIG_TOKEN_EXPIRED')
    expect(await codeOf(verifySignalingToken(token, shop, exp * 1000 + 60_000))).toBe('SIG_TOKEN_EXPIRED')
  })

  it('is nothing else: any text is refused in the same way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.string().map((s) => `a.${s}.c`),
          fc.base64String(),
        ),
        async (text) => {
          expect(await codeOf(verifySignalingToken(text, shop, now))).toBe('SIG_TOKEN_INVALID')
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is not valid when any character is changed', async () => {
    const token = await hs256({})
    for (let at = 0; at < token.length; at += 7) {
      const forged = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
      // The last character of a signature may have bits that count for nothing.
      if (forged !== token && at < token.length - 1)
        expect(await codeOf(verifySignalingToken(forged, shop, now))).toBe('SIG_TOKEN_INVALID')
    }
  })
})

describe('a token signed by a private key', () => {
  it.each(['EdDSA', 'ES256', 'RS256'])('(%s) is verified by its public key', async (alg) => {
    const { jwk, sign } = await keyPair(alg, 'k1')
    const keys = keysOf({ sources: [{ keys: { document: { keys: [jwk] } } }] })
    expect(await verifySignalingToken(await sign({ app: 'shop' }), keys, now)).toMatchObject({
      app: 'shop',
      user: 'anna',
    })
    expect(await codeOf(verifySignalingToken(await sign({}), keys, now))).toBe('SIG_TOKEN_INVALID')
  })

  it('speaks for the app of its key set and for no other', async () => {
    const a = await keyPair('EdDSA', 'k1')
    const b = await keyPair('EdDSA', 'k1')
    const keys = keysOf({
      sources: [
        { app: 'a', keys: { document: { keys: [a.jwk] } } },
        { app: 'b', keys: { document: { keys: [b.jwk] } } },
      ],
    })
    expect(await verifySignalingToken(await b.sign({}), keys, now)).toMatchObject({ app: 'b' })
    expect(await verifySignalingToken(await b.sign({ app: 'b' }), keys, now)).toMatchObject({ app: 'b' })
    expect(await codeOf(verifySignalingToken(await b.sign({ app: 'a' }), keys, now))).toBe('SIG_TOKEN_INVALID')
    expect(await codeOf(verifySignalingToken(await b.sign({ app: 'c' }), keys, now))).toBe('SIG_TOKEN_INVALID')
  })

  it('must be of the issuer and for the audience that are named', async () => {
    const { jwk, sign } = await keyPair('RS256', 'k1')
    const sources = [{ app: 'shop', keys: { document: { keys: [jwk] } } }]
    const keys = keysOf({ sources, issuer: 'https://id.example', audience: 'calls' })
    const claims = { iss: 'https://id.example', aud: ['calls', 'more'] }
    expect(await codeOf(verifySignalingToken(await sign(claims), keys, now))).toBe('valid')
    for (const wrong of [{ iss: 'https://evil.example' }, { aud: 'web' }, { aud: undefined }])
      expect(await codeOf(verifySignalingToken(await sign({ ...claims, ...wrong }), keys, now))).toBe(
        'SIG_TOKEN_INVALID',
      )
  })

  it('cannot be made from the public key as a secret', async () => {
    const { jwk } = await keyPair('RS256', 'k1')
    const keys = keysOf({ sources: [{ app: 'shop', keys: { document: { keys: [jwk] } } }] })
    expect(await codeOf(verifySignalingToken(await hs256({}, JSON.stringify(jwk)), keys, now))).toBe(
      'SIG_TOKEN_INVALID',
    )
  })
})

describe('keys at a URL', () => {
  async function provider(keys: object[]) {
    const state = { keys, status: 200, requests: 0, silent: false }
    const server = createServer((_request, response) => {
      state.requests++
      if (!state.silent) response.writeHead(state.status).end(JSON.stringify({ keys: state.keys }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json` }
  }

  it('are fetched once and kept, and fetched again for an unknown key id, at most every 30 s', async () => {
    const first = await keyPair('EdDSA', 'k1')
    const second = await keyPair('EdDSA', 'k2')
    const { state, url } = await provider([first.jwk])
    const keys = new TokenKeys({ secrets: [], sources: [{ app: 'shop', keys: { url } }] })
    const soon = { exp: Date.now() / 1000 + 60 }
    for (let i = 0; i < 5; i++) await verifySignalingToken(await first.sign(soon), keys)
    expect(state.requests).toBe(1)
    state.keys = [first.jwk, second.jwk]
    expect(await codeOf(verifySignalingToken(await second.sign(soon), keys))).toBe('SIG_TOKEN_INVALID')
    expect(state.requests).toBe(1)
    const realNow = Date.now
    Date.now = () => realNow() + 31_000
    onTestFinished(() => {
      Date.now = realNow
    })
    expect(await codeOf(verifySignalingToken(await second.sign(soon), keys))).toBe('valid')
    expect(state.requests).toBe(2)
  })

  it('count on while the provider is down, and a failure is not repeated at once', async () => {
    const { jwk, sign } = await keyPair('EdDSA', 'k1')
    const { state, url } = await provider([jwk])
    const realNow = Date.now
    const keys = new TokenKeys({ secrets: [], sources: [{ app: 'shop', keys: { url } }] })
    const token = await sign({ exp: realNow() / 1000 + 360_000 })
    await verifySignalingToken(token, keys)
    state.status = 500
    let later = 3_600_000
    Date.now = () => realNow() + later
    onTestFinished(() => {
      Date.now = realNow
    })
    for (let i = 0; i < 5; i++) expect(await codeOf(verifySignalingToken(token, keys))).toBe('valid')
    expect(state.requests).toBe(2)
    later = 25 * 3_600_000
    expect(await codeOf(verifySignalingToken(token, keys))).toBe('SIG_TOKEN_KEYS_UNAVAILABLE')
    state.status = 200
    later += 6_000
    expect(await codeOf(verifySignalingToken(token, keys))).toBe('valid')
  })

  it('that never came are not the token’s fault', async () => {
    const { sign } = await keyPair('EdDSA', 'k1')
    const keys = keysOf({ sources: [{ app: 'shop', keys: { url: 'http://127.0.0.1:9/jwks.json' } }] })
    expect(await codeOf(verifySignalingToken(await sign({}), keys, now))).toBe('SIG_TOKEN_KEYS_UNAVAILABLE')
  })
})
