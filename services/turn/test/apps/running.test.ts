/** Every change of an app counts on a relay that runs. */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { APPS_FILE, openAppsDatabase } from '../../src/apps/schema.ts'
import { AppStore, type NewApp } from '../../src/apps/store.ts'
import type { AppSettings } from '../../src/apps/types.ts'
import { mintCredential } from '../../src/credentials/mint.ts'
import { bindUdp } from '../../src/net/udp-socket.ts'
import { loopback } from '../support/relay.ts'
import { type TestService, turnService } from '../support/turn-service.ts'

let service: TestService
beforeAll(async () => {
  service = await turnService({ HAIRPIN_PEER_ALLOW: '127.0.0.0/8', HAIRPIN_USER_QUOTA: '0', HAIRPIN_WORKERS: '2' })
}, 60_000)
afterAll(() => service?.close(), 60_000)
afterEach(async () => {
  for (const { id } of (await admin('GET', '')).json().apps) await admin('DELETE', `/${id}`)
})

async function admin(method: 'DELETE' | 'GET' | 'PATCH' | 'POST', path: string, payload?: object) {
  return service.admin.inject({ method, url: `/admin/apps${path}`, ...(payload && { payload }) })
}

async function newApp(id: string, settings: Partial<AppSettings> = {}): Promise<NewApp> {
  return (await admin('POST', '', { id, ...settings })).json()
}

/** A client whose credential was minted offline. */
function clientOf(secret: string, app: string, user = 'ada') {
  const expiry = Math.floor(Date.now() / 1000) + 600
  const login = mintCredential({ secret, app, user, expiry })
  return service.clientOf([{ urls: `turn:${loopback}:${service.turn.addresses.port}?transport=udp`, ...login }])
}

const mint = (key: string, body: object = {}) =>
  service.app.inject({
    method: 'POST',
    url: '/api/v1/turn/credentials',
    headers: { authorization: `Bearer ${key}` },
    payload: body,
  })
const liveOf = async (app: string) => (await service.admin.inject(`/admin/allocations?app=${app}`)).json().total
/** What the relay's workers are told arrives before the next request of a client, but not before the answer of the API. */
const settled = () => service.admin.inject('/admin/allocations')

describe('the secrets of an app', () => {
  it('open allocations for it and for no other app', async () => {
    const [shop, game] = [await newApp('shop'), await newApp('game')]
    await settled()
    await clientOf(shop.turnSecret.secret, 'shop').allocate()
    await clientOf(game.turnSecret.secret, 'game').allocate()
    expect(await clientOf(shop.turnSecret.secret, 'game').allocateRefused()).toBe(401)
    expect(await clientOf(game.turnSecret.secret, 'shop').allocateRefused()).toBe(401)
    for (const app of ['demo', 'default', 'nobody'])
      expect(await clientOf(shop.turnSecret.secret, app).allocateRefused()).toBe(401)
  })

  it("leave the stack's secret to the apps of the settings, and only to them", async () => {
    await newApp('shop')
    await settled()
    await clientOf('the-secret-of-the-stack', 'demo').allocate()
    expect(await clientOf('the-secret-of-the-stack', 'shop').allocateRefused()).toBe(401)
    const { iceServers } = (await mint('the-key-of-the-demo')).json()
    await service.clientOf(iceServers).allocate()
  })

  it('are rotated without an interruption', async () => {
    const { key, turnSecret } = await newApp('shop')
    const before = (await mint(key.key)).json().iceServers
    const next = (await admin('POST', '/shop/secrets', {})).json()
    await settled()
    await service.clientOf(before).allocate()
    await clientOf(turnSecret.secret, 'shop').allocate()
    await clientOf(next.secret, 'shop').allocate()
    await service.clientOf((await mint(key.key)).json().iceServers).allocate()

    expect((await admin('DELETE', `/shop/secrets/${turnSecret.id}`)).statusCode).toBe(204)
    await settled()
    expect(await clientOf(turnSecret.secret, 'shop').allocateRefused()).toBe(401)
    await clientOf(next.secret, 'shop').allocate()
    await expect.poll(() => liveOf('shop'), { timeout: 10_000 }).toBe(5)
  })
})

describe('the keys of an app', () => {
  it('mint for it alone, several at a time, until they are revoked', async () => {
    const { key } = await newApp('shop')
    await newApp('game')
    const second = (await admin('POST', '/shop/keys')).json()
    for (const each of [key, second]) {
      const { iceServers } = (await mint(each.key, { user: 'ada' })).json()
      expect(iceServers[1].username).toMatch(/:shop\/ada$/)
    }
    expect((await mint(key.key, { app: 'game' })).statusCode).toBe(403)
    expect((await admin('DELETE', `/shop/keys/${key.id}`)).statusCode).toBe(204)
    expect((await mint(key.key)).statusCode).toBe(401)
    expect((await mint(second.key)).statusCode).toBe(201)
    const [listed] = (await admin('GET', '/shop')).json().keys
    expect(listed.lastUsedAt).not.toBeNull()
  })

  it('see the usage of their app alone', async () => {
    const { key } = await newApp('shop')
    const headers = { authorization: `Bearer ${key.key}` }
    expect((await service.app.inject({ url: '/api/v1/usage', headers })).statusCode).toBe(200)
    const other = await service.app.inject({ url: '/api/v1/usage?app=demo', headers })
    expect([other.statusCode, other.json().error.code]).toEqual([403, 'USAGE_APP_FORBIDDEN'])
  })

  it('are bounded in the ttl they may ask for', async () => {
    const { key } = await newApp('shop', { ttl: { min: 120, default: 300, max: 600 } })
    expect((await mint(key.key)).json().ttl).toBe(300)
    expect((await mint(key.key, { ttl: 119 })).json().error.code).toBe('TURN_TTL_OUT_OF_RANGE')
    expect((await mint(key.key, { ttl: 601 })).statusCode).toBe(400)
    await admin('PATCH', '/shop', { ttl: { max: 1_000_000 } })
    expect((await mint(key.key, { ttl: 1_000_000 })).statusCode).toBe(201)
  })
})

describe('the quotas of an app', () => {
  it('bound its allocations and those of each user, over all workers, and change at once', async () => {
    const { turnSecret } = await newApp('shop', { quotas: { allocations: 3, userAllocations: 2 } })
    await settled()
    const client = (user: string) => clientOf(turnSecret.secret, 'shop', user)
    await client('ada').allocate()
    await client('ada').allocate()
    expect(await client('ada').allocateRefused()).toBe(486)
    const bob = client('bob')
    await bob.allocate()
    expect(await client('eve').allocateRefused()).toBe(486)
    await clientOf('the-secret-of-the-stack', 'demo').allocate()
    await bob.release()
    await client('eve').allocate()

    await admin('PATCH', '/shop', { quotas: {} })
    await settled()
    await client('ada').allocate()
    await client('bob').allocate()
  })

  it('bound the bytes of its live allocations together, and leave those of others alone', async () => {
    const { turnSecret } = await newApp('shop')
    await settled()
    const peerSocket = bindUdp({ address: loopback, port: 0, family: 4 })
    const peer = { address: loopback, port: peerSocket.address().port, family: 4 as const }
    const received = { shop: 0, demo: 0 }
    peerSocket.on('message', (bytes) => {
      received[String(bytes.subarray(0, 4)) as 'demo' | 'shop'] += bytes.length
    })
    const shops = [clientOf(turnSecret.secret, 'shop', 'ada'), clientOf(turnSecret.secret, 'shop', 'bob')]
    const demo = clientOf('the-secret-of-the-stack', 'demo')
    for (const client of [...shops, demo]) {
      await client.allocate()
      await client.bind(peer)
    }
    // Each of the two workers has half of it: 5 datagrams' worth at once.
    await admin('PATCH', '/shop', { quotas: { totalBytesPerSecond: 10_000 } })
    await settled()
    const started = performance.now()
    for (let i = 0; i < 40; i++) for (const client of shops) client.send(peer, `shop${'x'.repeat(996)}`)
    for (let i = 0; i < 20; i++) demo.send(peer, `demo${'x'.repeat(996)}`)
    await expect.poll(() => received.demo, { timeout: 10_000 }).toBe(20_000)
    const seconds = (performance.now() - started) / 1000
    expect(received.shop).toBeGreaterThan(0)
    expect(received.shop).toBeLessThanOrEqual(10_000 * (1 + seconds) + 2000)
    peerSocket.close()
  })
})

it('has budgets that count at once, and are lifted at once', async () => {
  const { turnSecret } = await newApp('spender')
  await settled()
  const peer = { address: loopback, port: 9, family: 4 as const }
  const client = clientOf(turnSecret.secret, 'spender')
  await client.allocate()
  await client.bind(peer)
  for (let i = 0; i < 10; i++) client.send(peer, 'x'.repeat(1000))
  const refuse = { percent: 100, actions: [{ type: 'refuse' }] }
  await admin('PATCH', '/spender', { budgets: [{ period: 'daily', limit: { bytes: 5000 }, marks: [refuse] }] })
  const used = async () =>
    /hairpin_budget_used_ratio{app="spender"} (\S+)/.exec((await service.admin.inject('/metrics')).body)
  await expect.poll(async () => Number((await used())?.[1]), { timeout: 10_000 }).toBeGreaterThan(1)
  await settled()
  expect(await clientOf(turnSecret.secret, 'spender', 'bob').allocateRefused()).toBe(486)
  await admin('PATCH', '/spender', { budgets: [] })
  await settled()
  await clientOf(turnSecret.secret, 'spender', 'bob').allocate()
})

describe('an app that is removed', () => {
  it('has no more keys, no more credentials, and no more allocations', async () => {
    const { key, turnSecret } = await newApp('shop')
    await settled()
    await clientOf(turnSecret.secret, 'shop').allocate()
    await clientOf('the-secret-of-the-stack', 'demo').allocate()
    expect((await admin('DELETE', '/shop')).statusCode).toBe(204)
    await expect.poll(() => liveOf('shop'), { timeout: 10_000 }).toBe(0)
    await expect.poll(() => liveOf('demo'), { timeout: 10_000 }).toBeGreaterThan(0)
    expect((await mint(key.key)).statusCode).toBe(401)
    expect(await clientOf(turnSecret.secret, 'shop').allocateRefused()).toBe(401)
  })
})

it('takes up what the command line writes into the file', async () => {
  const other = new AppStore(openAppsDatabase(join(service.folder, APPS_FILE)))
  const { key, turnSecret } = other.add('shop')
  await expect.poll(async () => (await mint(key.key)).statusCode, { timeout: 10_000 }).toBe(201)
  await clientOf(turnSecret.secret, 'shop').allocate()
  other.revokeKey('shop', key.id)
  other.close()
  await expect.poll(async () => (await mint(key.key)).statusCode, { timeout: 10_000 }).toBe(401)
})
