import { mkdtempSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InjectOptions } from 'fastify'
import { Registry } from 'prom-client'
import { Type } from 'typebox'
import { afterEach, describe, expect, it } from 'vitest'
import { type App, createAdminApp, createApp, createLogger, HttpError, listen } from '../src/index.ts'

const logger = createLogger('silent')
let app: App | undefined

afterEach(() => app?.close())

function appWithRoutes(trustedProxies: string[] = []): App {
  const created = createApp({ logger, trustedProxies })
  created.get('/ip', async (request) => ({ ip: request.ip }))
  created.get('/teapot', async () => {
    throw new HttpError(418, 'TEAPOT', 'Short and stout.', { 'x-handle': 'yes' })
  })
  created.get('/crash', async () => {
    throw new Error('the password is hunter2')
  })
  created.post(
    '/strict',
    { schema: { body: Type.Object({ n: Type.Number() }, { additionalProperties: false }) } },
    async () => ({}),
  )
  return created
}

describe('errors', () => {
  it('gives an HttpError its status, code and headers', async () => {
    app = appWithRoutes()
    const reply = await app.inject('/teapot')
    expect([reply.statusCode, reply.headers['x-handle']]).toEqual([418, 'yes'])
    expect(reply.json()).toEqual({ error: { code: 'TEAPOT', message: 'Short and stout.' } })
  })

  it('tells the client nothing about our own failures', async () => {
    app = appWithRoutes()
    const reply = await app.inject('/crash')
    expect(reply.statusCode).toBe(500)
    expect(reply.json().error.code).toBe('INTERNAL_ERROR')
    expect(reply.body).not.toContain('hunter2')
  })

  it.each([
    ['unknown path', { url: '/nowhere' }, 404, 'NOT_FOUND'],
    ['wrong type', { method: 'POST', url: '/strict', payload: { n: '1' } }, 400, 'BAD_REQUEST'],
    ['unknown property', { method: 'POST', url: '/strict', payload: { n: 1, extra: 1 } }, 400, 'BAD_REQUEST'],
    [
      'broken JSON',
      { method: 'POST', url: '/strict', payload: '{', headers: { 'content-type': 'application/json' } },
      400,
      'INVALID_JSON',
    ],
    [
      'other media type',
      { method: 'POST', url: '/strict', payload: '<n/>', headers: { 'content-type': 'application/xml' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'too large a body',
      { method: 'POST', url: '/strict', payload: { pad: 'x'.repeat(20_000) } },
      413,
      'BODY_TOO_LARGE',
    ],
  ] as const)('answers %s with a stable code', async (_name, call, status, code) => {
    app = appWithRoutes()
    const reply = await app.inject({ ...call } as InjectOptions)
    expect([reply.statusCode, reply.json().error.code]).toEqual([status, code])
  })
})

describe('the client address', () => {
  const spoofed = { url: '/ip', headers: { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' } }

  it('is the socket address when no proxy is trusted', async () => {
    app = appWithRoutes()
    expect((await app.inject(spoofed)).json()).toEqual({ ip: '127.0.0.1' })
  })

  it('is what the trusted proxy appended, not what the client wrote before it', async () => {
    app = appWithRoutes(['127.0.0.0/8'])
    expect((await app.inject(spoofed)).json()).toEqual({ ip: '198.51.100.7' })
  })

  it('comes from the proxy on a Unix socket', async () => {
    app = appWithRoutes()
    const socket = join(mkdtempSync(join(tmpdir(), 'hairpin-')), 'http.sock')
    writeFileSync(socket, 'left by a killed predecessor')
    await listen(app, { host: '', port: 0, socket })
    expect(await get(socket, '/ip', spoofed.headers)).toBe('{"ip":"198.51.100.7"}')
  })

  it('leaves a socket alone that another process listens on', async () => {
    app = appWithRoutes()
    const socket = join(mkdtempSync(join(tmpdir(), 'hairpin-')), 'http.sock')
    await listen(app, { host: '', port: 0, socket })
    const second = appWithRoutes()
    await expect(listen(second, { host: '', port: 0, socket })).rejects.toThrow('another process listens there')
  })
})

it('serves metrics and readiness on the admin application', async () => {
  let ready = false
  app = createAdminApp({ logger, registry: new Registry(), ready: () => ready })
  expect((await app.inject('/metrics')).headers['content-type']).toContain('text/plain')
  expect((await app.inject('/readyz')).statusCode).toBe(503)
  ready = true
  expect((await app.inject('/readyz')).statusCode).toBe(200)
  expect((await app.inject('/healthz')).statusCode).toBe(200)
})

function get(socketPath: string, path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end()
  })
}
