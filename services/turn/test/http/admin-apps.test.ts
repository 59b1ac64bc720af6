import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestService, turnService } from '../support/turn-service.ts'

let service: TestService
beforeAll(async () => {
  service = await turnService()
}, 60_000)
afterAll(() => service?.close(), 60_000)

type Method = 'DELETE' | 'GET' | 'PATCH' | 'POST'
const call = (method: Method, path: string, payload?: object, headers: Record<string, string> = {}) =>
  service.admin.inject({ method, url: `/admin/apps${path}`, headers, ...(payload && { payload }) })
const told = async (...request: Parameters<typeof call>) => {
  const response = await call(...request)
  return [response.statusCode, response.json().error?.code]
}

describe('/admin/apps', () => {
  it('makes apps, and shows keys and secrets in the answer that makes them only', async () => {
    const made = await call('POST', '', { id: 'shop', name: 'The shop', webhook: 'https://shop.example.com/budget' })
    expect([made.statusCode, made.headers['cache-control']]).toEqual([201, 'no-store'])
    const { key, turnSecret, webhookSecret } = made.json()
    const key2 = (await call('POST', '/shop/keys')).json()
    const secret2 = (await call('POST', '/shop/secrets', { keep: 60 })).json()
    const webhook2 = (await call('POST', '/shop/webhook-secret')).json()
    const secrets = [key.key, turnSecret.secret, webhookSecret, key2.key, secret2.secret, webhook2.secret]
    expect(new Set(secrets).size).toBe(6)

    const shown = [await call('GET', ''), await call('GET', '/shop'), await call('PATCH', '/shop', { name: 'Shop' })]
    for (const { statusCode, body } of shown) {
      expect(statusCode).toBe(200)
      for (const secret of secrets) expect(body).not.toContain(secret)
    }
    expect(shown[0]!.json().apps).toMatchObject([{ id: 'shop', name: 'The shop' }])
    expect(shown[2]!.json()).toMatchObject({ name: 'Shop', webhook: 'https://shop.example.com/budget' })
    expect(shown[1]!.json().keys).toHaveLength(2)
  })

  it('says what is wrong, with a code', async () => {
    await call('POST', '', { id: 'game' })
    expect(await told('POST', '', { id: 'game' })).toEqual([409, 'APP_EXISTS'])
    expect(await told('POST', '', { id: 'a/b' })).toEqual([400, 'APP_ID_INVALID'])
    expect(await told('POST', '', { id: 'toy', origins: ['toy'] })).toEqual([400, 'APP_SETTINGS_INVALID'])
    expect(await told('POST', '', { id: 'toy', colour: 'red' })).toEqual([400, 'BAD_REQUEST'])
    expect(await told('PATCH', '/game', { quotas: { allocations: '5' } })).toEqual([400, 'BAD_REQUEST'])
    expect(await told('GET', '/toy')).toEqual([404, 'APP_UNKNOWN'])
    expect(await told('POST', '/toy/keys')).toEqual([404, 'APP_UNKNOWN'])
    expect(await told('DELETE', '/game/keys/none')).toEqual([404, 'APP_KEY_UNKNOWN'])
    expect(await told('DELETE', '/game/secrets/999')).toEqual([404, 'APP_SECRET_UNKNOWN'])
    const [{ id }] = (await call('GET', '/game')).json().turnSecrets
    expect(await told('DELETE', `/game/secrets/${id}`)).toEqual([409, 'APP_SECRET_LAST'])
    expect(await told('POST', '/game/secrets', { secret: 'short' })).toEqual([400, 'BAD_REQUEST'])
  })

  it('hears no page of another origin, nor of a name that could be made to mean this address', async () => {
    const keysOf = async () => (await call('GET', '/guarded')).json().keys.length
    await call('POST', '', { id: 'guarded' })
    const page = { origin: 'https://evil.example.com', host: 'localhost:9464' }
    expect(await told('POST', '/guarded/keys', undefined, page)).toEqual([403, 'ADMIN_ORIGIN_DENIED'])
    expect(await told('POST', '/guarded/keys', undefined, { ...page, origin: 'null' })).toEqual([
      403,
      'ADMIN_ORIGIN_DENIED',
    ])
    expect(await told('GET', '', undefined, { host: 'evil.example.com' })).toEqual([403, 'ADMIN_HOST_DENIED'])
    expect(await keysOf()).toBe(1)
    const own = { origin: 'http://localhost:9464', host: 'localhost:9464' }
    expect((await call('POST', '/guarded/keys', undefined, own)).statusCode).toBe(201)
  })
})
