/** Each service's own client, where npm has one, else the request its documentation shows, is given our address and key. */
import { createClient } from 'matrix-js-sdk'
import twilio from 'twilio'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AnyIceServer, type TestService, turnService } from '../support/turn-service.ts'

let service: TestService
let url: string
let key: string

beforeAll(async () => {
  service = await turnService()
  url = service.url
  key = await newApp('shop')
  await newApp('game')
}, 60_000)
afterAll(() => service?.close(), 60_000)

async function newApp(id: string): Promise<string> {
  const response = await service.admin.inject({ method: 'POST', url: '/admin/apps', payload: { id } })
  return response.json().key.key
}

/** An allocation with what was given, and nothing else. */
async function relays(servers: readonly AnyIceServer[]): Promise<void> {
  expect(servers.some(({ urls, username }) => String(urls).startsWith('stun:') && username === undefined)).toBe(true)
  const client = service.clientOf(servers)
  expect((await client.allocate()).address).toBe('127.0.0.1')
  await client.release()
}

const basic = (user: string, password: string) => `Basic ${btoa(`${user}:${password}`)}`
const bearer = (token: string) => `Bearer ${token}`
const json = { 'content-type': 'application/json' }
const sid = `AC${'0123456789abcdef'.repeat(2)}`

/** Twilio's library with another address: the one change that its users make. */
class ElsewhereClient extends twilio.RequestClient {
  override request: twilio.RequestClient['request'] = (options) => {
    options.uri = options.uri.replace('https://api.twilio.com', url)
    return super.request(options)
  }
}

const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, getChild: () => quiet }
/** Matrix's library with another homeserver. Outside of browsers it has to be told that there may be calls. */
const matrix = (accessToken: string) => {
  const client = createClient({ baseUrl: url, accessToken, userId: '@ada:example.com', logger: quiet })
  return Object.assign(client, { canSupportVoip: true })
}

describe('the shape of Twilio', () => {
  const client = (token: string) => twilio(sid, token, { httpClient: new ElsewhereClient() })

  it("serves Twilio's own library", async () => {
    const token = await client(key).tokens.create({ ttl: 3600 })
    expect(token).toMatchObject({ accountSid: sid, ttl: '3600' })
    expect(token.username).toMatch(/^\d+:shop\//)
    expect(Math.abs(token.dateCreated.getTime() - Date.now())).toBeLessThan(10_000)
    await relays(token.iceServers as unknown as AnyIceServer[])
    const urls = token.iceServers.map((server) => String(server.urls))
    await relays([{ urls: 'stun:' }, { urls, username: token.username, credential: token.password }])
  })

  it('refuses as Twilio does', async () => {
    await expect(client('another-key').tokens.create()).rejects.toMatchObject({ status: 401, code: 20003 })
    const other = twilio(sid, key, { accountSid: sid, httpClient: new ElsewhereClient() })
    await expect(other.api.v2010.accounts('game').tokens.create()).rejects.toMatchObject({ status: 401, code: 20003 })
    const response = await fetch(`${url}/2010-04-01/Accounts/shop/Tokens.json`, {
      method: 'POST',
      headers: { authorization: basic('shop', key), 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Ttl=soon',
    })
    expect([response.status, (await response.json()).code]).toEqual([400, 20001])
  })
})

describe('the shape of Matrix', () => {
  it('serves matrix-js-sdk', async () => {
    const client = matrix(key)
    expect(await client.checkTurnServers()).toBe(true)
    const [server] = client.getTurnServers()
    expect(server?.username).toMatch(/^\d+:shop\//)
    await relays([{ urls: 'stun:' }, ...(client.getTurnServers() as AnyIceServer[])])
    client.stopClient()
  })

  it('refuses as Matrix does', async () => {
    await expect(matrix('another-key').turnServer()).rejects.toMatchObject({
      errcode: 'M_UNKNOWN_TOKEN',
      httpStatus: 401,
    })
    const response = await fetch(`${url}/_matrix/client/v3/voip/turnServer`)
    expect([response.status, (await response.json()).errcode]).toEqual([401, 'M_MISSING_TOKEN'])
  })
})

describe('the shape of Cloudflare', () => {
  // developers.cloudflare.com/realtime/turn/generate-credentials; its npm package has the management of keys only.
  const post = (path: string, body?: object, token = key, id = '0123456789abcdef0123456789abcdef') =>
    fetch(`${url}/v1/turn/keys/${id}/credentials/${path}`, {
      method: 'POST',
      headers: { authorization: bearer(token), ...(body && json) },
      ...(body && { body: JSON.stringify(body) }),
    })

  it.each(['shop', '0123456789abcdef0123456789abcdef'])('generates ICE servers for the key id %s', async (id) => {
    const response = await post('generate-ice-servers', { ttl: 600, customIdentifier: 'ada' }, key, id)
    expect(response.status).toBe(201)
    const { iceServers } = await response.json()
    expect(iceServers).toHaveLength(2)
    expect(iceServers[1].username).toMatch(/^\d+:shop\/ada$/)
    await relays(iceServers)
  })

  it('generates the older form', async () => {
    const response = await post('generate', { ttl: 600 })
    expect(response.status).toBe(201)
    const { iceServers } = await response.json()
    await relays([{ urls: iceServers.urls.filter((text: string) => text.startsWith('stun:')) }, iceServers])
  })

  it('revokes: live allocations end, and no more are made', async () => {
    const { iceServers } = await (await post('generate-ice-servers', { ttl: 600 })).json()
    const client = service.clientOf(iceServers)
    await client.allocate()
    const { username } = iceServers[1]
    expect((await post(`${encodeURIComponent(username)}/revoke`)).status).toBe(204)
    await expect
      .poll(async () => (await service.admin.inject('/admin/allocations?app=shop')).json().total, { timeout: 10_000 })
      .toBe(0)
    const again = service.clientOf(iceServers)
    expect(await again.allocateRefused()).toBe(401)
  })

  it("does not revoke another app's", async () => {
    const response = await post(`${encodeURIComponent('9999999999:game/ada')}/revoke`)
    expect([response.status, (await response.json()).errorCode]).toEqual([403, 'TURN_APP_FORBIDDEN'])
  })

  it('refuses', async () => {
    for (const [token, id] of [
      ['another-key', 'shop'],
      [key, 'game'],
    ]) {
      const response = await post('generate-ice-servers', { ttl: 600 }, token, id)
      expect([response.status, (await response.json()).errorCode]).toEqual([401, 'TURN_UNAUTHORIZED'])
    }
    expect((await post('generate-ice-servers', { ttl: 'long' })).status).toBe(400)
    expect((await post('nonsense', {})).status).toBe(404)
  })
})

describe('the shape of Metered', () => {
  it('makes a credential for a backend, whose key gives a page its ICE servers', async () => {
    // metered.ca/docs/turn-rest-api/post-create-credential
    const created = await fetch(`${url}/api/v1/turn/credential?secretKey=${key}`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ expiryInSeconds: 3600, label: 'ada' }),
    })
    expect(created.status).toBe(200)
    const credential = await created.json()
    expect(credential).toMatchObject({ expiryInSeconds: 3600, label: 'ada' })

    const response = await fetch(`${url}/api/v1/turn/credentials?apiKey=${credential.apiKey}`)
    expect(response.status).toBe(200)
    const iceServers = await response.json()
    for (const { urls } of iceServers) expect(urls).toEqual(expect.any(String))
    const { username, password } = credential
    expect(iceServers.at(-1)).toMatchObject({ username, credential: password })
    await relays(iceServers)
  })

  it("takes the app's own key too", async () => {
    await relays(await (await fetch(`${url}/api/v1/turn/credentials?apiKey=${key}`)).json())
  })

  it('refuses as Metered does', async () => {
    const told = async (path: string, method = 'GET') => {
      const response = await fetch(`${url}${path}`, { method })
      return [response.status, Object.keys(await response.json())]
    }
    expect(await told('/api/v1/turn/credentials')).toEqual([400, ['message']])
    expect(await told('/api/v1/turn/credentials?apiKey=another')).toEqual([401, ['message']])
    const forged = `hc_${Buffer.from('9999999999:shop/eve').toString('base64url')}.${'A'.repeat(43)}`
    expect(await told(`/api/v1/turn/credentials?apiKey=${forged}`)).toEqual([401, ['message']])
    expect(await told('/api/v1/turn/credential', 'POST')).toEqual([400, ['message']])
    expect(await told('/api/v1/turn/credential?secretKey=another', 'POST')).toEqual([401, ['message']])
  })
})

describe('the shape of Xirsys', () => {
  const put = (body?: object, secret = key, ident = 'shop') =>
    fetch(`${url}/_turn/MyFirstApp`, {
      method: 'PUT',
      headers: { authorization: basic(ident, secret), ...(body && json) },
      ...(body && { body: JSON.stringify(body) }),
    })

  it('gives one entry with all URLs', async () => {
    const response = await put({ format: 'urls', expire: '600' })
    expect(response.status).toBe(200)
    const { s, v } = await response.json()
    expect(s).toBe('ok')
    await relays([{ urls: v.iceServers.urls.filter((text: string) => text.startsWith('stun:')) }, v.iceServers])
  })

  it('gives an entry for each URL', async () => {
    const { v } = await (await put()).json()
    await relays(v.iceServers.map(({ url: urls, ...login }: { url: string }) => ({ urls, ...login })))
  })

  it('refuses', async () => {
    for (const response of [await put({}, 'another-key'), await put({}, key, 'game')])
      expect([response.status, await response.json()]).toEqual([401, { v: 'unauthorized', s: 'error' }])
  })
})

describe('the shape of draft-uberti-behave-turn-rest', () => {
  const answerOf = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${url}${path}`, init)
    return { status: response.status, body: await response.json() }
  }

  it.each<[string, string, RequestInit]>([
    ['GET with the key in the query', '?service=turn&username=ada&key=', {}],
    ['GET with a Bearer', '?service=turn&username=ada', {}],
    ['POST of a form', '', { method: 'POST', body: new URLSearchParams({ service: 'turn', username: 'ada' }) }],
    ['POST of JSON', '', { method: 'POST', headers: json, body: '{"service":"turn","username":"ada"}' }],
    ['POST with a query', '?service=turn&username=ada', { method: 'POST' }],
  ])('answers %s', async (_what, query, init) => {
    const withKey = query.endsWith('key=')
    const headers = { ...init.headers, ...(withKey ? {} : { authorization: bearer(key) }) }
    const { status, body } = await answerOf(`/turn${query}${withKey ? key : ''}`, { ...init, headers })
    expect(status).toBe(200)
    expect(Object.keys(body)).toEqual(['username', 'password', 'ttl', 'uris'])
    expect(body.username).toMatch(/^\d+:shop\/ada$/)
    expect(body.ttl).toBe(86_400)
    await relays([{ urls: 'stun:' }, { urls: body.uris, username: body.username, credential: body.password }])
  })

  it('refuses', async () => {
    expect((await answerOf('/turn?service=turn')).body.error.code).toBe('TURN_UNAUTHORIZED')
    const wrong = await answerOf(`/turn?service=stun&key=${key}`)
    expect([wrong.status, wrong.body.error.code]).toEqual([400, 'TURN_SERVICE_UNKNOWN'])
  })
})

it('gives no shape a ttl beyond the bounds, but the nearest one', async () => {
  const response = await fetch(`${url}/turn?service=turn&ttl=999999999&key=${key}`)
  expect((await response.json()).ttl).toBe(172_800)
  const short = await fetch(`${url}/turn?service=turn&ttl=1&key=${key}`)
  expect((await short.json()).ttl).toBe(60)
})
