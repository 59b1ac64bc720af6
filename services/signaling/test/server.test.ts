import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Client } from './support/client.ts'
import { startServer } from './support/server.ts'

describe('stopping', () => {
  it('says bye to everyone, closes with 1001 and is over at once', async () => {
    const server = await startServer()
    const alice = await server.join('alice')
    const unnamed = await server.connect()
    const began = Date.now()
    await server.app.close()
    expect(Date.now() - began).toBeLessThan(900)
    for (const client of [alice, unnamed]) {
      expect((await client.closed).code).toBe(1001)
      expect(client.received.at(-1)).toMatchObject({ type: 'bye', reason: 'shutdown' })
    }
  })

  it('does not wait for a client that never answers the close', async () => {
    const server = await startServer({ limits: { closeMs: 100 } })
    const silent = await server.join('silent')
    silent.socket.pause()
    const began = Date.now()
    await server.app.close()
    expect(Date.now() - began).toBeLessThan(900)
  })
})

describe('HTTP beside the WebSocket', () => {
  it('says that the path wants an upgrade', async () => {
    const { port } = await startServer()
    const response = await fetch(`http://127.0.0.1:${port}/ws`)
    expect(response.status).toBe(426)
    expect(await response.json()).toMatchObject({ error: { code: 'SIG_UPGRADE_REQUIRED' } })
  })

  it('answers an upgrade on another path as plain HTTP and keeps no socket of it', async () => {
    const { port, app } = await startServer()
    const elsewhere = new Client(`ws://127.0.0.1:${port}/other`)
    expect(await elsewhere.refused).toMatchObject({ status: 200, body: 'other' })
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))))
    expect(answer).toMatch(/^HTTP\/1\.1 404 /)
    const began = Date.now()
    await app.close()
    expect(Date.now() - began).toBeLessThan(900)
  })
})

describe('the metrics', () => {
  it('count connections, users and messages, and keep made-up types out of the labels', async () => {
    const server = await startServer()
    const alice = await server.join('alice')
    await server.connect()
    alice.send({ type: 'x-made-up', target: 'alice' })
    await alice.next('x-made-up' as never)
    expect(await server.metric('hairpin_signaling_connections')).toBe(2)
    expect(await server.metric('hairpin_signaling_users')).toBe(1)
    expect(await server.metric('hairpin_signaling_messages_total{type="username",direction="in"}')).toBe(1)
    expect(await server.metric('hairpin_signaling_messages_total{type="id",direction="out"}')).toBe(2)
    expect(await server.metric('hairpin_signaling_messages_total{type="other",direction="in"}')).toBe(1)
    expect(await server.registry.metrics()).not.toContain('x-made-up')
  })
})
