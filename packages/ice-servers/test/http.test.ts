import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HttpIceServers } from '../src/http.ts'

const answer = {
  iceServers: [{ urls: ['stun:a'] }, { urls: ['turn:a?transport=udp'], username: 'u', credential: 'c' }],
  ttl: 60,
  expiresAt: '2030-01-01T00:00:00.000Z',
}

interface Seen {
  readonly url: string | undefined
  readonly authorization: string | undefined
  readonly body: unknown
}

/** A credentials API that gives these answers one after the other, and the last one for ever. */
async function api(
  answers: ((request: IncomingMessage, response: ServerResponse) => void)[],
  socketPath?: string,
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({ url: request.url, authorization: request.headers.authorization, body: JSON.parse(body) })
    answers[Math.min(seen.length, answers.length) - 1]?.(request, response)
  })
  await new Promise<void>((resolve) => {
    if (socketPath === undefined) server.listen(0, '127.0.0.1', resolve)
    else server.listen(socketPath, resolve)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url =
    socketPath === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix:${socketPath}`
  return { url, seen }
}

const status = (code: number, body: unknown) => (_request: IncomingMessage, response: ServerResponse) => {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
const nothing = () => {}

const request = { app: 'demo', user: 'alice' }
const quick = { key: 'secret', timeoutMs: 100, retryMs: [1, 1] }

describe('credentials from another process', () => {
  it('are asked for with the internal key', async () => {
    const { url, seen } = await api([status(201, answer)])
    expect(await new HttpIceServers({ api: url, ...quick }).iceServersFor(request)).toEqual(answer)
    expect(seen).toEqual([{ url: '/api/v1/turn/credentials', authorization: 'Bearer secret', body: request }])
  })

  it('come over a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hairpin-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const { url } = await api([status(201, answer)], join(folder, 'turn.sock'))
    expect(await new HttpIceServers({ api: url, ...quick }).iceServersFor(request)).toEqual(answer)
  })

  it('are asked for again after a failure, a refusal for now and a silence', async () => {
    const { url, seen } = await api([status(503, {}), nothing, status(201, answer)])
    expect(await new HttpIceServers({ api: url, ...quick }).iceServersFor(request)).toEqual(answer)
    expect(seen).toHaveLength(3)
  })

  it('are given up after the last try', async () => {
    const { url, seen } = await api([status(500, {})])
    await expect(new HttpIceServers({ api: url, ...quick }).iceServersFor(request)).rejects.toThrow('status 500')
    expect(seen).toHaveLength(3)
  })

  it.each([
    ['a wrong key', status(401, { error: { code: 'X' } }), 'status 401'],
    ['an answer of another form', status(201, { iceServers: 'none' }), 'unknown form'],
  ])('are given up at once for %s', async (_what, reply, message) => {
    const { url, seen } = await api([reply])
    await expect(new HttpIceServers({ api: url, ...quick }).iceServersFor(request)).rejects.toThrow(message)
    expect(seen).toHaveLength(1)
  })

  it('fail without a server', async () => {
    const client = new HttpIceServers({ api: 'unix:/nonexistent/turn.sock', ...quick })
    await expect(client.iceServersFor(request)).rejects.toThrow('ENOENT')
  })
})
