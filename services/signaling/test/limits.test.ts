import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { sourceOf } from '../src/admission.ts'
import { Client } from './support/client.ts'
import { startServer } from './support/server.ts'

describe('a bad message', () => {
  it.each([
    ['no JSON', '{"type":', 'SIG_BAD_JSON'],
    ['no object', '[1]', 'SIG_BAD_JSON'],
    ['null', 'null', 'SIG_BAD_JSON'],
    ['no type', '{}', 'SIG_BAD_MESSAGE'],
    ['a type that is no string', '{"type":1}', 'SIG_BAD_MESSAGE'],
    ['a prototype’s name as type', '{"type":"__proto__"}', 'SIG_TARGET_REQUIRED'],
    ['a missing field', '{"type":"video-offer","target":"bob"}', 'SIG_BAD_MESSAGE'],
    ['a wrong field', '{"type":"message","text":1}', 'SIG_BAD_MESSAGE'],
    ['a deep value', `{"type":"x","target":"alice","v":${'['.repeat(20000)}${']'.repeat(20000)}}`, 'SIG_BAD_MESSAGE'],
  ])('(%s) draws an error and does not end the session', async (_what, text, code) => {
    const server = await startServer()
    const alice = await server.join('alice')
    alice.socket.send(text)
    expect(await alice.next('error')).toMatchObject({ code })
    alice.send({ type: 'message', text: 'still here' })
    await alice.next('message')
    expect(await server.metric(`hairpin_signaling_errors_total{code="${code}"}`)).toBe(1)
  })

  it('may be a binary frame', async () => {
    const alice = await (await startServer()).join('alice')
    alice.socket.send(Buffer.from('{"type":"message","text":"x"}'))
    expect(await alice.next('error')).toMatchObject({ code: 'SIG_BAD_JSON' })
  })

  it('says which field is wrong', async () => {
    const alice = await (await startServer()).join('alice')
    alice.send({ type: 'video-offer', target: 'bob', sdp: { type: 'offer' } })
    expect((await alice.next('error')).message).toContain('/sdp must have required properties sdp')
  })

  it('again and again ends the session with 4400', async () => {
    const alice = await (await startServer()).join('alice')
    for (let i = 0; i < 30; i++) alice.socket.send('nonsense')
    expect((await alice.closed).code).toBe(4400)
    expect(alice.received.at(-1)).toMatchObject({ type: 'error', code: 'SIG_ABUSE' })
  })

  it('over 64 KiB closes the socket with 1009, and one under it does not', async () => {
    const server = await startServer()
    const alice = await server.join('alice')
    const bob = await server.join('bob')
    alice.send({ type: 'video-offer', target: 'bob', sdp: { type: 'offer', sdp: 'x'.repeat(65_000) } })
    expect((await bob.next('video-offer')).sdp.sdp).toHaveLength(65_000)
    alice.socket.send('x'.repeat(65_537))
    expect((await alice.closed).code).toBe(1009)
    expect(await bob.next('call-ended')).toMatchObject({ reason: 'disconnected' })
    expect(await server.metric('hairpin_signaling_errors_total{code="SIG_MESSAGE_TOO_LARGE"}')).toBe(1)
  })
})

describe('too many messages', () => {
  it('are dropped with an error, and a slower client goes on', async () => {
    const server = await startServer({ limits: { messageBurst: 30, messagesPerSecond: 50 } })
    const alice = await server.join('alice')
    const bob = await server.join('bob')
    for (let i = 0; i < 8; i++) alice.send({ type: 'message', text: `${i}` })
    expect(await alice.next('error')).toMatchObject({ code: 'SIG_RATE_LIMITED' })
    await delay(300)
    alice.send({ type: 'message', text: 'slowly' })
    await bob.next('message', ({ text }) => text === 'slowly')
  })

  it('end the session of a flooder without hurting others', async () => {
    const server = await startServer()
    const flooder = await server.join('flooder')
    const bob = await server.join('bob')
    for (let i = 0; i < 2000; i++) flooder.send({ type: 'new-ice-candidate', target: 'bob', candidate: null })
    expect((await flooder.closed).code).toBe(4400)
    await bob.next('userlist', ({ users }) => users.join() === 'bob')
    expect(await bob.settled()).not.toContain('new-ice-candidate')
  })
})

describe('a connection', () => {
  const refusedBy = async (port: number, options: ConstructorParameters<typeof Client>[1]) => {
    const client = new Client(`ws://127.0.0.1:${port}/ws`, options)
    const { status, body } = await client.refused
    return [status, JSON.parse(body).error.code]
  }

  it('of a page on another host is refused with 403', async () => {
    const { port, metric } = await startServer({ origins: ['https://app.example.com'] })
    expect(await refusedBy(port, { origin: 'https://evil.example' })).toEqual([403, 'SIG_ORIGIN_DENIED'])
    expect(await refusedBy(port, { origin: 'null' })).toEqual([403, 'SIG_ORIGIN_DENIED'])
    expect(await refusedBy(port, { origin: `http://127.0.0.1:${port + 1}` })).toEqual([403, 'SIG_ORIGIN_DENIED'])
    expect(await metric('hairpin_signaling_errors_total{code="SIG_ORIGIN_DENIED"}')).toBe(3)
  })

  it('of a page on the same host, of a listed origin or of no page is let in', async () => {
    const { port, connect } = await startServer({ origins: ['https://app.example.com'] })
    await connect({ origin: `http://127.0.0.1:${port}` })
    await connect({ origin: `https://127.0.0.1:${port}` })
    await connect({ origin: 'https://app.example.com' })
    await connect({ origin: 'https://hairpin.example', headers: { host: 'hairpin.example' } })
    await connect()
  })

  it('of any page is let in where every origin is listed', async () => {
    const { connect } = await startServer({ origins: ['*'] })
    await connect({ origin: 'https://evil.example' })
  })

  it('without a subprotocol is let in, and one with another is not told that it is spoken', async () => {
    const { port, connect } = await startServer()
    await connect({ protocol: [] })
    await connect({ protocol: ['other', 'json'] })
    const client = new Client(`ws://127.0.0.1:${port}/ws`, { protocol: ['other'] })
    expect((await client.closed).code).toBe(1006)
  })

  it('beyond the limit of its source is refused with 429 until another one ends', async () => {
    const { port, connect } = await startServer({ limits: { perSource: 2 } })
    const first = await connect()
    await connect()
    expect(await refusedBy(port, {})).toEqual([429, 'SIG_TOO_MANY_CONNECTIONS'])
    first.socket.close()
    await first.closed
    await delay(20)
    await connect()
  })

  it('counts for the client that a trusted proxy names', async () => {
    const { port, connect } = await startServer({ limits: { perSource: 1 }, trustedProxies: ['127.0.0.1/32'] })
    await connect({ headers: { 'x-forwarded-for': '192.0.2.1' } })
    await connect({ headers: { 'x-forwarded-for': '192.0.2.2' } })
    const again = { headers: { 'x-forwarded-for': '192.0.2.1' } }
    expect(await refusedBy(port, again)).toEqual([429, 'SIG_TOO_MANY_CONNECTIONS'])
  })

  it('beyond the limit of the server is refused with 503', async () => {
    const { port, connect } = await startServer({ limits: { total: 1 } })
    await connect()
    expect(await refusedBy(port, {})).toEqual([503, 'SIG_FULL'])
  })

  it('has one source per IPv4 address and IPv6 /64', () => {
    expect(sourceOf('::ffff:192.0.2.1')).toBe('192.0.2.1')
    expect(sourceOf('2001:db8:0:1::1')).toBe(sourceOf('2001:db8:0:1:ffff::2'))
    expect(sourceOf('2001:db8::1')).not.toBe(sourceOf('2001:db8:0:1::1'))
    expect(sourceOf('::1')).toBe('0:0:0:0::/64')
    expect(sourceOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64')
  })

  it('that answers no ping is ended, and one that does is kept', async () => {
    const server = await startServer({ limits: { heartbeatMs: 60 } })
    const dead = await server.connect({ autoPong: false })
    const live = await server.join('live')
    expect((await dead.closed).code).toBe(1006)
    await delay(200)
    expect(await live.settled()).toContain('userlist')
    expect(await server.metric('hairpin_signaling_errors_total{code="SIG_HEARTBEAT_LOST"}')).toBe(1)
  })

  it('that does not read is ended before it costs memory', async () => {
    const server = await startServer({ limits: { bufferedBytes: 100_000, messageBurst: 1e6, messagesPerSecond: 1e6 } })
    const slow = await server.join('slow')
    const fast = await server.join('fast')
    slow.socket.pause()
    for (let i = 0; i < 200; i++) {
      fast.send({ type: 'x-data', target: 'slow', data: 'x'.repeat(60_000) })
      if (i % 10 === 0) await delay(1)
    }
    await fast.next('userlist', ({ users }) => users.join() === 'fast')
    expect(await server.metric('hairpin_signaling_errors_total{code="SIG_SLOW_CONSUMER"}')).toBe(1)
  })
})

describe('what the operator configured', () => {
  it('limits messages of one type, and leaves the others alone', async () => {
    const server = await startServer({ configured: { typesPerSecond: { message: 0.001, other: 0.001 } } })
    const alice = await server.join('alice')
    for (const text of ['one', 'two']) alice.send({ type: 'message', text })
    expect(await alice.next('error')).toMatchObject({ code: 'SIG_RATE_LIMITED', about: 'message' })
    expect(await alice.next('message')).toMatchObject({ text: 'one' })
    for (let i = 0; i < 2; i++) alice.send({ type: 'x-data', target: 'alice' })
    expect(await alice.next('error')).toMatchObject({ code: 'SIG_RATE_LIMITED' })
    alice.send({ type: 'push-keys' })
    await alice.next('push-keys')
    const bob = await server.join('bob')
    bob.send({ type: 'message', text: 'mine' })
    await bob.next('message')
  })

  it('limits the messages of a session', async () => {
    const server = await startServer({ configured: { messageBurst: 25, messagesPerSecond: 1 } })
    const alice = await server.join('alice')
    for (let i = 0; i < 4; i++) alice.send({ type: 'message', text: `${i}` })
    expect(await alice.next('error')).toMatchObject({ code: 'SIG_RATE_LIMITED' })
  })

  it('limits the connections of one source', async () => {
    const server = await startServer({ configured: { perSource: 1 } })
    await server.connect()
    expect((await new Client(`ws://127.0.0.1:${server.port}/ws`).refused).status).toBe(429)
  })

  it('must name types that there are', async () => {
    await expect(startServer({ configured: { typesPerSecond: { massage: 1 } } })).rejects.toThrow(
      /^HAIRPIN_MESSAGE_TYPE_RATES: "massage"/,
    )
  })
})
