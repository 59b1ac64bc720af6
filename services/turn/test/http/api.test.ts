import { readFileSync } from 'node:fs'
import { createApp, createLogger } from '@hairpin/http'
import { signSignalingToken, TokenKeys } from '@hairpin/tokens'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { IceServersRequest } from '../../src/credentials/ice-servers.ts'
import { publicApi } from '../../src/http/api.ts'
import { KeyRing } from '../../src/http/key-ring.ts'
import { openApi } from '../../src/http/openapi.ts'
import { provider } from '../ledger/helpers.ts'

const secret = 'a-secret-of-32-characters-or-more-for-tokens'
const secrets = {
  apiKeys: [
    { app: 'shop', key: 'the-key-of-the-shop' },
    { app: 'game', key: 'the-key-of-the-game' },
  ],
  internalKey: 'the-internal-key',
}
const origins: Readonly<Record<string, string>> = { shop: 'https://shop.example.com', game: 'https://game.example.com' }

let app: ReturnType<typeof createApp>
let asked: IceServersRequest[]
beforeEach(async () => {
  asked = []
  const nobody = () => {
    throw new Error('not asked for')
  }
  app = createApp({ logger: createLogger('silent'), trustedProxies: ['127.0.0.1/32'] })
  await app.register(
    publicApi({
      issuer: {
        boundsOf: () => ({ min: 60, default: 600, max: 3600 }),
        iceServersFor(request) {
          asked.push(request)
          const login = { username: request.app, credential: 'p' }
          return {
            iceServers: [{ urls: ['stun:h:1'] }, { urls: ['turn:h:1?transport=udp'], ...login }],
            ttl: 600,
            expiresAt: '2026-01-01T00:00:00.000Z',
          }
        },
        keyOf: nobody,
        byKey: () => undefined,
      },
      keys: new KeyRing({ secrets }),
      tokens: new TokenKeys({ secrets: [{ app: 'shop', secret }], sources: [] }),
      rates: { key: 3, address: 2 },
      origins: {
        allowed: (origin, app) => (app ? origins[app] === origin : Object.values(origins).includes(origin)),
      },
      usage: { query: nobody, compare: nobody },
      price: provider({ name: 'Test', unit: 'GiB', tiers: [{ upTo: null, price: '0.4' }] }),
      revoke: nobody,
    }),
  )
})
afterEach(() => app.close())

const path = '/api/v1/turn/credentials'
const post = (key: string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: path, headers: { authorization: `Bearer ${key}`, ...headers } })
const from = (address: string) => ({ 'x-forwarded-for': address })

it('tells everybody the price, and nothing else', async () => {
  const answer = await app.inject('/api/v1/price')
  expect(answer.json()).toEqual({ name: 'Test', basis: 'egress', unit: 1_073_741_824, currency: 'USD', price: '0.4' })
  expect(answer.headers['cache-control']).toBe('public, max-age=300')
})

describe('rates', () => {
  it('bound each key, whatever address it comes from, and say when to come again', async () => {
    for (let i = 0; i < 3; i++) expect((await post('the-key-of-the-shop', from(`192.0.2.${i}`))).statusCode).toBe(201)
    const refused = await post('the-key-of-the-shop', from('192.0.2.9'))
    expect([refused.statusCode, refused.json().error.code]).toEqual([429, 'TURN_RATE_LIMITED'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await post('the-key-of-the-game', from('192.0.2.9'))).statusCode).toBe(201)
  })

  it('count a key in all shapes together, each answering in its own way', async () => {
    for (let i = 0; i < 3; i++) await post('the-key-of-the-shop')
    const bearer = { authorization: 'Bearer the-key-of-the-shop' }
    const basic = { authorization: `Basic ${btoa('shop:the-key-of-the-shop')}` }
    const twilio = await app.inject({
      method: 'POST',
      url: '/2010-04-01/Accounts/shop/Tokens.json',
      headers: basic,
    })
    expect([twilio.statusCode, twilio.json().code]).toEqual([429, 20429])
    const matrix = await app.inject({ url: '/_matrix/client/v3/voip/turnServer', headers: bearer })
    expect([matrix.statusCode, matrix.json().errcode]).toEqual([429, 'M_LIMIT_EXCEEDED'])
    expect(matrix.json().retry_after_ms).toBeGreaterThan(0)
    const xirsys = await app.inject({ method: 'PUT', url: '/_turn/any', headers: basic })
    expect([xirsys.statusCode, xirsys.json()]).toEqual([429, { v: 'TURN_RATE_LIMITED', s: 'error' }])
    const metered = await app.inject(`${path}?apiKey=the-key-of-the-shop`)
    expect([metered.statusCode, Object.keys(metered.json())]).toEqual([429, ['message']])
    expect((await app.inject('/turn?service=turn&key=the-key-of-the-shop')).statusCode).toBe(429)
    for (const response of [twilio, matrix, xirsys, metered])
      expect([response.headers['cache-control'], response.headers['retry-after']]).toEqual([
        'no-store',
        expect.any(String),
      ])
  })

  it('bound whoever guesses keys, and leave the holder of one alone at the same address', async () => {
    const guess = () => post('guess', from('192.0.2.1'))
    expect([(await guess()).statusCode, (await guess()).statusCode]).toEqual([401, 401])
    const refused = await guess()
    expect([refused.statusCode, refused.json().error.code]).toEqual([429, 'TURN_RATE_LIMITED'])
    expect((await post('the-key-of-the-shop', from('192.0.2.1'))).statusCode).toBe(201)
    expect((await post('guess', from('192.0.2.2'))).statusCode).toBe(401)
  })

  it('take a /64 of IPv6 for one address', async () => {
    for (const last of ['1', '2']) expect((await post('guess', from(`2001:db8::${last}`))).statusCode).toBe(401)
    expect((await post('guess', from('2001:db8::ffff:3'))).statusCode).toBe(429)
    expect((await post('guess', from('2001:db8:0:1::1'))).statusCode).toBe(401)
  })

  it('bound tokens by their address, and not the services of the stack', async () => {
    const token = await signSignalingToken({ app: 'shop', user: 'ada', secret, ttl: 60 })
    for (const status of [201, 201, 429]) expect((await post(token, from('192.0.2.5'))).statusCode).toBe(status)
    for (let i = 0; i < 5; i++) {
      const asked = { method: 'POST', url: path, payload: { app: 'shop' } } as const
      expect((await app.inject({ ...asked, headers: { authorization: 'Bearer the-internal-key' } })).statusCode).toBe(
        201,
      )
    }
  })
})

it('gives the internal key, which names no app, nothing in the shapes of other services', async () => {
  const headers = { authorization: 'Bearer the-internal-key' }
  const matrix = await app.inject({ url: '/_matrix/client/v3/voip/turnServer', headers })
  expect([matrix.statusCode, matrix.json().errcode]).toEqual([403, 'M_FORBIDDEN'])
  expect((await app.inject({ url: '/turn?service=turn', headers })).statusCode).toBe(401)
})

it("gives Matrix's clients with a signaling token a credential of its user", async () => {
  const token = await signSignalingToken({ app: 'shop', user: 'ada', secret, ttl: 60 })
  const headers = { authorization: `Bearer ${token}` }
  const answer = await app.inject({ url: '/_matrix/client/v3/voip/turnServer', headers })
  expect(answer.json()).toEqual({ username: 'shop', password: 'p', uris: ['turn:h:1?transport=udp'], ttl: 600 })
  expect(asked.at(-1)).toMatchObject({ app: 'shop', user: 'ada' })
})

describe('pages of other origins', () => {
  const allowed = 'access-control-allow-origin'

  it("may ask, when they are of any app's origins", async () => {
    const preflight = (origin: string) =>
      app.inject({
        method: 'OPTIONS',
        url: path,
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type',
        },
      })
    const granted = await preflight('https://shop.example.com')
    expect(granted.statusCode).toBe(204)
    expect(granted.headers[allowed]).toBe('https://shop.example.com')
    expect(granted.headers['access-control-allow-methods']).toContain('POST')
    expect(granted.headers['access-control-allow-headers']).toBe('authorization,content-type')
    expect((await preflight('https://evil.example.com')).headers[allowed]).toBeUndefined()
  })

  it("may read the answer, when they are of the caller's app", async () => {
    const own = await post('the-key-of-the-shop', { origin: 'https://shop.example.com' })
    expect([own.headers[allowed], own.headers.vary]).toEqual(['https://shop.example.com', 'Origin'])
    for (const origin of ['https://game.example.com', 'https://evil.example.com', 'null']) {
      const other = await post('the-key-of-the-shop', { origin })
      expect([other.headers[allowed], other.headers.vary]).toEqual([undefined, 'Origin'])
    }
    const none = await post('the-key-of-the-game')
    expect(none.headers[allowed]).toBeUndefined()
  })

  it('may read that they are refused', async () => {
    const refused = await post('another-key', { origin: 'https://shop.example.com' })
    expect([refused.statusCode, refused.headers[allowed]]).toEqual([401, 'https://shop.example.com'])
  })
})

it('lets no cache keep an answer, refusals and preflights included', async () => {
  const answers = [
    await post('the-key-of-the-shop'),
    await post('another-key'),
    await app.inject('/turn?service=turn&key=the-key-of-the-shop'),
    await app.inject(`${path}?apiKey=another`),
    await app.inject('/api/v1/usage'),
  ]
  for (const { headers } of answers) expect(headers['cache-control']).toBe('no-store')
})

describe('the description of the API', () => {
  const committed = JSON.parse(readFileSync(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8'))

  it('is docs/openapi.json (if not: node services/turn/scripts/openapi.ts)', async () => {
    expect(committed).toEqual(await openApi())
  })

  it('has every shape, each call explained, its answer and its refusal', () => {
    const calls = Object.values<Record<string, { tags: string[]; summary: string; responses: object }>>(committed.paths)
    const list = calls.flatMap((methods) => Object.values(methods))
    expect(new Set(list.flatMap(({ tags }) => tags))).toEqual(
      new Set([
        'Cloudflare',
        'Hairpin',
        'Matrix',
        'Metered',
        'Twilio',
        'Usage',
        'Xirsys',
        'draft-uberti-behave-turn-rest',
      ]),
    )
    for (const { summary, responses } of list) {
      expect(summary).not.toBe('')
      expect(Object.keys(responses)).toContain('4XX')
    }
    expect(committed.paths).toHaveProperty(['/api/v1/turn/credentials/{username}/revoke', 'post'])
  })

  it('is shown at /docs without any other server', async () => {
    const page = await app.inject('/docs')
    expect(page.statusCode).toBe(200)
    const files = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file)
    expect(files.length).toBeGreaterThan(2)
    for (const file of files) {
      expect(file).toMatch(/^\.?\//)
      const { statusCode } = await app.inject(new URL(file, 'http://localhost/docs').pathname)
      expect([file, statusCode]).toEqual([file, 200])
    }
    expect(page.headers['content-security-policy']).toContain("default-src 'self'")
  })
})
