import { createApp, createLogger } from '@hairpin/http'
import { signSignalingToken, TokenKeys } from '@hairpin/tokens'
import { beforeEach, describe, expect, it } from 'vitest'
import type { IceServersRequest } from '../../src/credentials/ice-servers.ts'
import { authorizer } from '../../src/http/authorize.ts'
import { credentialsApi } from '../../src/http/credentials.ts'
import { KeyRing } from '../../src/http/key-ring.ts'

const path = '/api/v1/turn/credentials'
const iceServers = {
  iceServers: [{ urls: ['stun:h:3478'] }, { urls: ['turn:h:3478?transport=udp'], username: 'u', credential: 'p' }],
  ttl: 600,
  expiresAt: '2026-01-01T00:00:00.000Z',
}

const secret = 'a-secret-of-32-characters-or-more-for-tokens'
const secrets = {
  apiKeys: [
    { app: 'shop', key: 'the-key-of-the-shop' },
    { app: 'game', key: 'the-key-of-the-game' },
  ],
  internalKey: 'the-internal-key',
}

describe('POST /api/v1/turn/credentials', () => {
  let asked: IceServersRequest[]
  let app: ReturnType<typeof createApp>

  beforeEach(async () => {
    asked = []
    app = createApp({ logger: createLogger('silent') })
    await app.register(
      credentialsApi({
        authorize: authorizer({
          keys: new KeyRing({ secrets }),
          tokens: new TokenKeys({ secrets: [{ app: 'shop', secret }], sources: [] }),
        }),
        issuer: {
          boundsOf: () => ({ min: 60, default: 600, max: 3600 }),
          iceServersFor(request: IceServersRequest) {
            asked.push(request)
            return iceServers
          },
        },
      }),
    )
  })

  const post = (body?: unknown, key: string | undefined = 'the-key-of-the-shop', type = 'application/json') =>
    app.inject({
      method: 'POST',
      url: path,
      headers: {
        ...(key !== '' && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': type }),
      },
      ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  const codeOf = (response: { json(): { error: { code: string } } }) => response.json().error.code

  it('answers 201 with iceServers', async () => {
    const response = await post({ user: 'ada', ttl: 90 })
    expect(response.statusCode).toBe(201)
    expect(response.json()).toEqual(iceServers)
    expect(asked).toEqual([{ app: 'shop', user: 'ada', ttl: 90 }])
  })

  it('needs no body', async () => {
    expect((await post()).statusCode).toBe(201)
    expect((await post({})).statusCode).toBe(201)
    expect(asked[0]).toEqual({ app: 'shop', user: undefined, ttl: 600 })
  })

  it('knows each app by its key', async () => {
    await post({}, 'the-key-of-the-game')
    expect(asked[0]?.app).toBe('game')
  })

  it.each(['', 'wrong', 'the-key-of-the-sho', 'the-key-of-the-shop1'])('refuses the key "%s"', async (key) => {
    const response = await post({}, key)
    expect(response.statusCode).toBe(401)
    expect(codeOf(response)).toBe('TURN_UNAUTHORIZED')
    expect(response.headers['www-authenticate']).toContain('Bearer')
  })

  it('refuses another scheme than Bearer', async () => {
    const response = await app.inject({ method: 'POST', url: path, headers: { authorization: 'Basic dGhlLWtleQ==' } })
    expect(response.statusCode).toBe(401)
  })

  it.each([59, 3601, 0, -1])('refuses a ttl of %d s outside the bounds', async (ttl) => {
    const response = await post({ ttl })
    expect(response.statusCode).toBe(400)
    expect(codeOf(response)).toBe('TURN_TTL_OUT_OF_RANGE')
  })

  it.each([
    { ttl: '60' },
    { ttl: 60.5 },
    { user: 5 },
    { user: '' },
    { user: 'a\nb' },
    { user: 'x'.repeat(129) },
    { user: null },
    { admin: true },
    [],
    'null',
  ])('refuses the body %j', async (body) => {
    const response = await post(body)
    expect(response.statusCode).toBe(400)
    expect(codeOf(response)).toBe('BAD_REQUEST')
    expect(asked).toEqual([])
  })

  it('says so when the body is no JSON, of another type or too large', async () => {
    expect(codeOf(await post('{"user":'))).toBe('INVALID_JSON')
    expect(codeOf(await post('<xml/>', undefined, 'application/xml'))).toBe('UNSUPPORTED_MEDIA_TYPE')
    const large = await post({ user: 'x'.repeat(20_000) })
    expect([large.statusCode, codeOf(large)]).toEqual([413, 'BODY_TOO_LARGE'])
  })

  it('lets the internal key mint for any app, and others for their own', async () => {
    expect((await post({ app: 'anything' }, 'the-internal-key')).statusCode).toBe(201)
    expect(asked[0]?.app).toBe('anything')
    expect(codeOf(await post({}, 'the-internal-key'))).toBe('TURN_APP_REQUIRED')
    expect(codeOf(await post({ app: 'a/b' }, 'the-internal-key'))).toBe('TURN_APP_INVALID')
    expect((await post({ app: 'shop' })).statusCode).toBe(201)
    const foreign = await post({ app: 'game' })
    expect([foreign.statusCode, codeOf(foreign)]).toEqual([403, 'TURN_APP_FORBIDDEN'])
  })
  it('lets a signaling token mint for its own app and user', async () => {
    const token = await signSignalingToken({ app: 'shop', user: 'ada', secret, ttl: 60 })
    expect((await post({}, token)).statusCode).toBe(201)
    expect((await post({ app: 'shop', user: 'ada' }, token)).statusCode).toBe(201)
    expect(asked).toEqual(Array(2).fill({ app: 'shop', user: 'ada', ttl: 600 }))
    expect(codeOf(await post({ user: 'bob' }, token))).toBe('TURN_USER_FORBIDDEN')
    expect(codeOf(await post({ app: 'game' }, token))).toBe('TURN_APP_FORBIDDEN')
  })

  it('refuses a token of another secret, and one that is over', async () => {
    const forged = await signSignalingToken({ app: 'shop', user: 'ada', secret: secret.toUpperCase(), ttl: 60 })
    const refused = await post({}, forged)
    expect([refused.statusCode, codeOf(refused)]).toEqual([401, 'SIG_TOKEN_INVALID'])
    const old = await signSignalingToken({ app: 'shop', user: 'ada', secret, ttl: 60 }, Date.now() - 120_000)
    expect(codeOf(await post({}, old))).toBe('SIG_TOKEN_EXPIRED')
  })
})
