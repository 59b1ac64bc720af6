import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createLocalJWKSet, exportJWK, jwtVerify } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { apnsSender } from '../../src/push/apns.ts'
import { openPushGateway } from '../../src/push/gateway.ts'
import { pushOrigins } from '../../src/push/origins.ts'
import { body, configWith, dataFolder, service, subscriber } from './support.ts'

const minute = 60_000

describe('Web Push', () => {
  it('sends an encrypted, urgent, signed request that only the subscriber can read', async () => {
    const endpointService = await service(() => ({ status: 201 }))
    const { origin } = endpointService
    const gateway = openPushGateway(
      configWith({ HAIRPIN_PUSH_ORIGINS: origin, HAIRPIN_VAPID_SUBJECT: 'mailto:ops@example.com' }),
    )
    onTestFinished(() => gateway.close())
    const { endpoint, decrypt } = subscriber(`${origin}/send/abc`)
    expect(gateway.ability.allows(endpoint.address)).toBe(true)
    expect(await gateway.send(endpoint, body, minute)).toEqual({ result: 'sent' })
    const { path, headers, body: payload } = await endpointService.request(0)
    expect(path).toBe('/send/abc')
    expect(headers).toMatchObject({
      ttl: '60',
      urgency: 'high',
      topic: '6c1f2d3e0000400080000123456789ab',
      'content-encoding': 'aes128gcm',
    })
    expect(decrypt(payload)).toEqual(body)
    // RFC 8292: the token names the service's origin, and the key is the one that the browser subscribed with.
    const [, token = '', key] = /^vapid t=([^,]+), k=(.+)$/.exec(headers.authorization ?? '') ?? []
    expect(key).toBe(gateway.ability.vapid)
    const point = Buffer.from(key ?? '', 'base64url')
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    }
    const { payload: claims } = await jwtVerify(token, createLocalJWKSet({ keys: [{ ...jwk, alg: 'ES256' }] }))
    expect(claims).toMatchObject({ aud: origin, sub: 'mailto:ops@example.com' })
  })

  it.each([
    [410, 'gone'],
    [404, 'gone'],
    [429, 'failed'],
    [500, 'failed'],
  ])('takes status %i for %s', async (status, result) => {
    const { origin } = await service(() => ({ status }))
    const gateway = openPushGateway(configWith({}))
    onTestFinished(() => gateway.close())
    expect(await gateway.send(subscriber(`${origin}/x`).endpoint, body, minute)).toMatchObject({ result })
  })

  it('fails quietly where nobody listens, and where a redirect leads elsewhere', async () => {
    const gateway = openPushGateway(configWith({}))
    onTestFinished(() => gateway.close())
    expect(await gateway.send(subscriber('http://127.0.0.1:1/x').endpoint, body, minute)).toMatchObject({
      result: 'failed',
    })
    const { origin } = await service(() => ({ status: 307 }))
    expect(await gateway.send(subscriber(`${origin}/x`).endpoint, body, minute)).toMatchObject({ result: 'failed' })
  })

  it('keeps its keys: a browser that subscribed before a restart is still reached', () => {
    const folder = dataFolder()
    const keys = [1, 2].map(() => {
      const gateway = openPushGateway(configWith({}, folder))
      gateway.close()
      return gateway.ability.vapid
    })
    expect(keys[0]).toMatch(/^[\w-]{87}$/)
    expect(keys[1]).toBe(keys[0])
  })

  it('goes to push services only', () => {
    const allows = pushOrigins(['https://push.example.com'])
    for (const address of [
      'https://fcm.googleapis.com/fcm/send/x',
      'https://updates.push.services.mozilla.com/wpush/v2/x',
      'https://wns2-par02p.notify.windows.com/w/?token=x',
      'https://web.push.apple.com/x',
      'https://push.example.com/x',
    ])
      expect(allows(address)).toBe(true)
    for (const address of [
      'http://127.0.0.1:9464/admin/allocations',
      'http://fcm.googleapis.com/x',
      'https://fcm.googleapis.com.example.net/x',
      'https://fcm.googleapis.com@127.0.0.1/x',
      'https://evilpush.apple.com.example.net/',
      'https://fcm.googleapis.com:8443/x',
      'file:///etc/passwd',
      'nonsense',
    ])
      expect(allows(address)).toBe(false)
  })
})

describe('FCM', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

  async function fcm(answer: (path: string) => { status: number; body?: string }) {
    const google = await service(({ path }) =>
      path === '/token' ? { status: 200, body: '{"access_token":"at-1","expires_in":3600}' } : answer(path),
    )
    const folder = dataFolder()
    const account = {
      project_id: 'my-app',
      client_email: 'push@my-app.iam.gserviceaccount.com',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: `${google.origin}/token`,
    }
    const file = join(folder, 'account.json')
    writeFileSync(file, JSON.stringify(account))
    const gateway = openPushGateway(configWith({ HAIRPIN_FCM_ACCOUNT: file, HAIRPIN_FCM_URL: google.origin }, folder))
    onTestFinished(() => gateway.close())
    return { google, gateway, account }
  }

  const endpoint = { kind: 'fcm' as const, address: 'registration:token' }

  it('sends a data message of high priority with a token that it fetched once, by a signed assertion', async () => {
    const { google, gateway, account } = await fcm(() => ({ status: 200 }))
    expect(gateway.ability).toMatchObject({ fcm: true, apns: false })
    for (let i = 0; i < 2; i++) expect(await gateway.send(endpoint, body, minute)).toEqual({ result: 'sent' })
    expect(google.received.map(({ path }) => path)).toEqual([
      '/token',
      '/v1/projects/my-app/messages:send',
      '/v1/projects/my-app/messages:send',
    ])
    const form = new URLSearchParams(google.received[0]?.body.toString())
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    const { payload } = await jwtVerify(form.get('assertion') ?? '', publicKey, { audience: account.token_uri })
    expect(payload).toMatchObject({
      iss: account.client_email,
      scope: 'https://www.googleapis.com/auth/firebase.messaging',
    })
    expect(google.received[1]?.headers.authorization).toBe('Bearer at-1')
    expect(JSON.parse(String(google.received[1]?.body))).toEqual({
      message: {
        token: 'registration:token',
        data: { ...body, date: String(body.date) },
        android: { priority: 'HIGH', ttl: '60s', collapse_key: body.callId },
      },
    })
  })

  it('takes UNREGISTERED for gone, and nothing else', async () => {
    const answers = [
      { status: 404, body: '{"error":{"details":[{"errorCode":"UNREGISTERED"}]}}' },
      { status: 404, body: '{"error":{"message":"no such project"}}' },
      { status: 503 },
    ]
    const { gateway } = await fcm(() => answers.shift() ?? { status: 200 })
    const results = [1, 2, 3, 4].map(async () => (await gateway.send(endpoint, body, minute)).result)
    expect((await Promise.all(results)).sort()).toEqual(['failed', 'failed', 'gone', 'sent'])
  })
})

describe('APNs', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const endpoint = { kind: 'apns' as const, address: 'ab'.repeat(32) }

  /** An HTTP/2 service on loopback, in clear text with prior knowledge. */
  async function apple(answer: () => { status: number; body?: string }) {
    const received: { headers: IncomingHttpHeaders; body: string }[] = []
    let connections = 0
    const server = createServer()
    const sessions = new Set<{ destroy(): void }>()
    server.on('session', (session) => {
      connections++
      sessions.add(session)
    })
    server.on('stream', (stream, headers) => {
      let text = ''
      stream.setEncoding('utf8')
      stream.on('data', (chunk) => {
        text += chunk
      })
      stream.on('end', () => {
        received.push({ headers, body: text })
        const { status, body: reply = '' } = answer()
        stream.respond({ ':status': status })
        stream.end(reply)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      for (const session of sessions) session.destroy()
      server.close()
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    let now = Date.now()
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const settings = { key, keyId: 'KEY123', teamId: 'TEAM45', topic: 'com.example.app.voip', url }
    const sender = apnsSender(settings, () => now)
    onTestFinished(() => sender.close?.())
    return {
      sender,
      received,
      connections: () => connections,
      later: (ms: number) => {
        now += ms
      },
      now: () => now,
    }
  }

  it('sends VoIP pushes over one HTTP/2 connection, signed by the team’s key, which expire with the ring', async () => {
    const { sender, received, connections, now } = await apple(() => ({ status: 200 }))
    for (let i = 0; i < 2; i++) expect(await sender.send(endpoint, { body, ttl: 60 })).toEqual({ result: 'sent' })
    expect(connections()).toBe(1)
    expect(received[0]?.headers).toMatchObject({
      ':method': 'POST',
      ':path': `/3/device/${endpoint.address}`,
      'apns-topic': 'com.example.app.voip',
      'apns-push-type': 'voip',
      'apns-priority': '10',
      'apns-expiration': String(Math.floor(now() / 1000) + 60),
    })
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({ aps: {}, hairpin: body })
    const token = received[0]?.headers.authorization?.replace('bearer ', '') ?? ''
    const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'KEY123', alg: 'ES256' }] })
    const { payload } = await jwtVerify(token, keys)
    expect(payload).toMatchObject({ iss: 'TEAM45', iat: Math.floor(now() / 1000) })
    expect(received[1]?.headers.authorization).toBe(received[0]?.headers.authorization)
  })

  it('signs a new token before Apple’s hour is over', async () => {
    const { sender, received, later } = await apple(() => ({ status: 200 }))
    await sender.send(endpoint, { body, ttl: 60 })
    later(51 * 60_000)
    await sender.send(endpoint, { body, ttl: 60 })
    expect(received[1]?.headers.authorization).not.toBe(received[0]?.headers.authorization)
  })

  it.each([
    [410, '{"reason":"Unregistered"}', 'gone'],
    [400, '{"reason":"BadDeviceToken"}', 'gone'],
    [400, '{"reason":"BadTopic"}', 'failed'],
    [503, '', 'failed'],
  ])('takes %i %s for %s', async (status, text, result) => {
    const { sender } = await apple(() => ({ status, body: text }))
    expect(await sender.send(endpoint, { body, ttl: 60 })).toMatchObject({ result })
  })

  it('fails quietly where nobody listens', async () => {
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const sender = apnsSender({ key, keyId: 'K', teamId: 'T', topic: 'x.voip', url: 'http://127.0.0.1:1' })
    expect(await sender.send(endpoint, { body, ttl: 60 })).toMatchObject({ result: 'failed' })
  })
})
