import { setTimeout as delay } from 'node:timers/promises'
import type { ServerSession } from '@hairpin/protocol'
import { describe, expect, it } from 'vitest'
import { Client } from './support/client.ts'
import { startServer, type TestServer } from './support/server.ts'

const offer = { type: 'offer', sdp: 'v=0 offer' }
const answer = { type: 'answer', sdp: 'v=0 answer' }

async function joinResumable(server: TestServer, name: string): Promise<{ client: Client; session: ServerSession }> {
  const client = await server.connect()
  client.send({ type: 'username', name, resume: true })
  const session = await client.next('session')
  await client.next('ice-servers')
  await client.next('userlist', ({ users }) => users.includes(name))
  return { client, session }
}

const lastSeq = (client: Client) => client.received.at(-1)?.seq ?? 0

/** The socket dies without a goodbye, and the server knows. */
async function kill(server: TestServer, client: Client): Promise<void> {
  const before = await server.metric('hairpin_signaling_connections')
  client.socket.terminate()
  while ((await server.metric('hairpin_signaling_connections')) === before) await delay(5)
}

async function resumed(server: TestServer, token: string, seq: number, reload = false) {
  const client = await server.connect()
  client.send({ type: 'resume', token, seq, reload })
  return { client, answer: await client.next('resumed') }
}

describe('a session that can be resumed', () => {
  it('goes on over a new socket with everything that was missed, once and in order', async () => {
    const server = await startServer()
    const bob = await server.join('bob')
    const { client: alice, session } = await joinResumable(server, 'alice')
    expect(session).toMatchObject({ grace: 30 })
    bob.send({ type: 'message', text: 'before' })
    await alice.next('message')
    const seen = lastSeq(alice)
    await kill(server, alice)
    const texts = ['one', 'two', 'three']
    for (const text of texts) bob.send({ type: 'message', text, target: 'alice' })
    await bob.next('message', ({ text }) => text === 'three')
    expect(await bob.settled()).not.toContain('error')
    const again = await resumed(server, session.token, seen)
    expect(again.answer).toMatchObject({ id: session.id, name: 'alice', seq: seen, received: 0 })
    expect(again.answer.token).not.toBe(session.token)
    for (const text of texts) expect(await again.client.next('message')).toMatchObject({ name: 'bob', text })
    await again.client.next('userlist', ({ users }) => users.join() === 'bob,alice')
    expect(again.client.received.slice(2).map(({ seq }) => seq)).toEqual([1, 2, 3, 4].map((n) => seen + n))
    bob.send({ type: 'message', text: 'after' })
    expect(await again.client.next('message')).toMatchObject({ text: 'after', seq: seen + 5 })
    expect(await server.metric('hairpin_signaling_resumes_total{result="resumed"}')).toBe(1)
  })

  it('stays in the user list and in its call, and the others notice nothing', async () => {
    const server = await startServer()
    const bob = await server.join('bob')
    const { client: alice, session } = await joinResumable(server, 'alice')
    alice.send({ type: 'video-offer', target: 'bob', sdp: offer })
    const { callId } = await bob.next('video-offer')
    bob.send({ type: 'video-answer', target: 'alice', sdp: answer })
    await alice.next('video-answer')
    const before = bob.received.length
    await kill(server, alice)
    expect(await server.metric('hairpin_signaling_detached_sessions')).toBe(1)
    bob.send({ type: 'new-ice-candidate', target: 'alice', candidate: null })
    await bob.settled()
    const again = await resumed(server, session.token, lastSeq(alice))
    expect(again.answer.call).toEqual({ callId, name: 'bob', state: 'connected', incoming: false })
    expect(await again.client.next('new-ice-candidate')).toMatchObject({ callId })
    again.client.send({ type: 'hang-up', target: 'bob' })
    expect(await bob.next('call-ended')).toMatchObject({ callId, reason: 'hang-up' })
    expect(bob.received.slice(before).map(({ type }) => type)).toEqual(['ice-servers', 'hang-up', 'call-ended'])
    expect(await server.metric('hairpin_signaling_detached_sessions')).toBe(0)
  })

  it('hears once more what rings for it when it forgot all, and only then', async () => {
    const server = await startServer()
    const bob = await server.join('bob')
    const { client: alice, session } = await joinResumable(server, 'alice')
    bob.send({ type: 'video-offer', target: 'alice', sdp: offer })
    bob.send({ type: 'new-ice-candidate', target: 'alice', candidate: null })
    const { callId } = await alice.next('video-offer')
    const seen = lastSeq(alice)
    await kill(server, alice)
    const knowing = await resumed(server, session.token, seen)
    expect(await knowing.client.settled()).not.toContain('video-offer')
    await kill(server, knowing.client)
    const forgetful = await resumed(server, knowing.answer.token, lastSeq(knowing.client), true)
    expect(forgetful.answer.call).toEqual({ callId, name: 'bob', state: 'ringing', incoming: true })
    expect(await forgetful.client.next('video-offer')).toMatchObject({ callId, sdp: offer })
    forgetful.client.send({ type: 'video-answer', target: 'bob', sdp: answer })
    expect(await bob.next('video-answer')).toMatchObject({ callId })
    expect(await forgetful.client.next('new-ice-candidate')).toMatchObject({ callId })
  })

  it('has less time when its page went away', async () => {
    const server = await startServer({ limits: { graceMs: 60_000, awayMs: 80 } })
    const bob = await server.join('bob')
    const { client: alice } = await joinResumable(server, 'alice')
    alice.socket.close(1001)
    await bob.next('userlist', ({ users }) => users.join() === 'bob')
  })

  it('is over when its time of grace is', async () => {
    const server = await startServer({ limits: { graceMs: 80 } })
    const bob = await server.join('bob')
    const { client: alice, session } = await joinResumable(server, 'alice')
    alice.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await bob.next('video-offer')
    await kill(server, alice)
    expect(await bob.next('call-ended')).toMatchObject({ reason: 'disconnected' })
    await bob.next('userlist', ({ users }) => users.join() === 'bob')
    const late = await server.connect()
    late.send({ type: 'resume', token: session.token, seq: lastSeq(alice) })
    expect(await late.next('error')).toMatchObject({ code: 'SIG_RESUME_UNKNOWN', about: 'resume' })
    late.send({ type: 'username', name: 'alice', resume: true })
    await late.next('session')
    expect(late.received.some(({ type }) => type === 'rejectusername')).toBe(false)
    expect(await server.metric('hairpin_signaling_resumes_total{result="expired"}')).toBe(1)
    expect(await server.metric('hairpin_signaling_resumes_total{result="unknown"}')).toBe(1)
  })

  it('is over at once when its client says goodbye with 1000', async () => {
    const server = await startServer()
    const bob = await server.join('bob')
    const { client: alice } = await joinResumable(server, 'alice')
    alice.socket.close(1000)
    await bob.next('userlist', ({ users }) => users.join() === 'bob')
  })

  it('cannot be had where the operator turned it off', async () => {
    const server = await startServer({ limits: { graceMs: 0 } })
    const alice = await server.connect()
    alice.send({ type: 'username', name: 'alice', resume: true })
    await alice.next('ice-servers')
    expect(alice.received.map(({ type }) => type)).not.toContain('session')
  })
})

describe('a client whose socket dies again and again', () => {
  it('gets every message once and in order, and so do the others get its own', { timeout: 60_000 }, async () => {
    const server = await startServer({ limits: { messageBurst: 1e6, framesPerAck: 5 } })
    const bob = await server.join('bob')
    let { client: alice, session } = await joinResumable(server, 'alice')
    let { token } = session
    let seq = lastSeq(alice)
    const texts: string[] = []
    const sent: object[] = []
    let known = 0
    const total = 300
    const read = () => {
      for (const message of alice.received.splice(0)) {
        if (message.type === 'id') continue
        if (message.type === 'resumed') {
          token = message.token
          known = message.received
          for (const frame of sent.slice(known)) alice.send(frame)
          continue
        }
        expect(message.seq).toBe(++seq)
        if (message.type === 'message') texts.push(message.text)
        if (message.type === 'message' && texts.length % 20 === 0) say({ type: 'ack', seq })
      }
    }
    const say = (frame: object) => {
      sent.push(frame)
      if (alice.socket.readyState === alice.socket.OPEN) alice.send(frame)
    }
    alice.received.splice(0)
    for (let i = 0; i < total; i++) {
      bob.send({ type: 'message', text: `bob ${i}` })
      say({ type: 'message', text: `alice ${i}` })
      if (i % 3 === 0) await delay(1)
      read()
      if (i % 20 !== 19) continue
      // What is under way in both directions is lost; the server may or may not have noticed when the client returns.
      alice.socket.terminate()
      if (i % 40 === 39) await delay(20)
      alice = new Client(`ws://127.0.0.1:${server.port}/ws`)
      const dead = { token, seq }
      await alice.opened
      alice.send({ type: 'resume', ...dead })
      while (!alice.received.some(({ type }) => type === 'resumed')) await delay(1)
      read()
    }
    const deadline = Date.now() + 20_000
    while (texts.length < 2 * total && Date.now() < deadline) {
      await delay(5)
      read()
    }
    const own = (name: string) => Array.from({ length: total }, (_, i) => `${name} ${i}`)
    expect(texts.filter((text) => text.startsWith('bob'))).toEqual(own('bob'))
    expect(texts.filter((text) => text.startsWith('alice'))).toEqual(own('alice'))
    const heard = bob.received.flatMap((message) => (message.type === 'message' ? [message.text] : []))
    expect(heard).toEqual(texts)
    expect(known).toBeGreaterThan(0)
  })
})

describe('a resume token', () => {
  it('is good until the next one is known to have arrived, and not after', async () => {
    const server = await startServer()
    const { client: alice, session } = await joinResumable(server, 'alice')
    const seen = lastSeq(alice)
    await kill(server, alice)
    const lost = await resumed(server, session.token, seen)
    await kill(server, lost.client)
    const second = await resumed(server, session.token, seen)
    second.client.send({ type: 'ack', seq: seen })
    await second.client.settled()
    await kill(server, second.client)
    for (const token of [session.token, lost.answer.token, 'guess']) {
      const client = await server.connect()
      client.send({ type: 'resume', token, seq: seen })
      expect(await client.next('error')).toMatchObject({ code: 'SIG_RESUME_UNKNOWN' })
    }
    await resumed(server, second.answer.token, lastSeq(second.client))
  })

  it('takes the session over from a socket that is still open, which closes with 4409', async () => {
    const server = await startServer()
    const { client: alice, session } = await joinResumable(server, 'alice')
    const again = await resumed(server, session.token, lastSeq(alice))
    expect(await alice.closed).toEqual({ code: 4409, reason: 'resumed elsewhere' })
    expect(await again.client.settled()).toContain('userlist')
    expect(await server.metric('hairpin_signaling_resumes_total{result="taken-over"}')).toBe(1)
    expect(await server.metric('hairpin_signaling_users')).toBe(1)
  })

  it('with a number that leaves a gap ends the session and frees its name', async () => {
    const server = await startServer()
    const { client: alice, session } = await joinResumable(server, 'alice')
    const seen = lastSeq(alice)
    alice.send({ type: 'ack', seq: seen })
    await alice.settled()
    await kill(server, alice)
    const client = await server.connect()
    client.send({ type: 'resume', token: session.token, seq: seen - 1 })
    expect(await client.next('error')).toMatchObject({ code: 'SIG_RESUME_GAP' })
    client.send({ type: 'username', name: 'alice' })
    await client.next('userlist', ({ users }) => users.join() === 'alice')
  })

  it('is of no use on a socket that has joined', async () => {
    const server = await startServer()
    const { session } = await joinResumable(server, 'alice')
    const bob = await server.join('bob')
    bob.send({ type: 'resume', token: session.token, seq: 1 })
    expect(await bob.next('error')).toMatchObject({ code: 'SIG_ALREADY_JOINED', about: 'resume' })
  })

  it('cannot be guessed at length: wrong ones are faults', async () => {
    const server = await startServer({ limits: { strikes: 3 } })
    const client = await server.connect()
    for (let i = 0; i < 5; i++) client.send({ type: 'resume', token: `guess${i}`, seq: 1 })
    expect((await client.closed).code).toBe(4400)
  })
})

describe('the client’s own frames', () => {
  it('are counted, so that it knows which to send again', async () => {
    const server = await startServer({ limits: { framesPerAck: 2 } })
    const { client: alice, session } = await joinResumable(server, 'alice')
    alice.send({ type: 'message', text: 'one' })
    alice.socket.send('nonsense')
    expect(await alice.next('ack')).toMatchObject({ received: 2 })
    alice.send({ type: 'message', text: 'three' })
    await alice.next('message', ({ text }) => text === 'three')
    await kill(server, alice)
    expect((await resumed(server, session.token, lastSeq(alice))).answer.received).toBe(3)
  })
})

describe('what a server holds for a session', () => {
  it('is bounded: a client that never acknowledges ends with 4413', async () => {
    const server = await startServer({ limits: { outboxMessages: 20 } })
    const bob = await server.join('bob')
    const { client: alice } = await joinResumable(server, 'alice')
    alice.send({ type: 'video-offer', target: 'bob', sdp: offer })
    await bob.next('video-offer')
    for (let i = 0; i < 30; i++) bob.send({ type: 'x-data', target: 'alice', i })
    expect((await alice.closed).code).toBe(4413)
    expect(alice.received.at(-1)).toMatchObject({ type: 'error', code: 'SIG_OUTBOX_FULL' })
    expect(alice.received.map(({ seq }) => seq)).toEqual(alice.received.map((_, i) => i + 1))
    expect(await bob.next('call-ended')).toMatchObject({ reason: 'disconnected' })
  })

  it('is bounded in bytes, and while nobody is there to read', async () => {
    const server = await startServer({ limits: { outboxBytes: 50_000 } })
    const bob = await server.join('bob')
    const { client: alice } = await joinResumable(server, 'alice')
    await kill(server, alice)
    bob.send({ type: 'x-data', target: 'alice', data: 'x'.repeat(40_000) })
    bob.send({ type: 'x-data', target: 'alice', data: 'x'.repeat(40_000) })
    await bob.next('userlist', ({ users }) => users.join() === 'bob')
    expect(await server.metric('hairpin_signaling_errors_total{code="SIG_OUTBOX_FULL"}')).toBe(1)
    expect(await server.metric('hairpin_signaling_detached_sessions')).toBe(0)
  })

  it('is bounded for one that does not read: it loses its socket first, then its session', async () => {
    const server = await startServer({ limits: { bufferedBytes: 100_000, messageBurst: 1e6 } })
    const { client: slow } = await joinResumable(server, 'slow')
    const fast = await server.join('fast')
    slow.socket.pause()
    for (let i = 0; i < 200; i++) {
      fast.send({ type: 'x-data', target: 'slow', data: 'x'.repeat(60_000) })
      if (i % 10 === 0) await delay(1)
    }
    await fast.next('userlist', ({ users }) => users.join() === 'fast')
    expect(await server.metric('hairpin_signaling_errors_total{code="SIG_OUTBOX_FULL"}')).toBe(1)
    expect(await fast.settled()).toContain('error')
  })

  it('does not grow for a client that acknowledges', async () => {
    const server = await startServer({ limits: { outboxMessages: 5, messageBurst: 1000 } })
    const { client: alice } = await joinResumable(server, 'alice')
    for (let i = 0; i < 20; i++) {
      alice.send({ type: 'message', text: `${i}` })
      alice.send({ type: 'ack', seq: (await alice.next('message', ({ text }) => text === `${i}`)).seq })
    }
    expect(await alice.settled()).not.toContain('error')
  })

  it('counts as a connection of its source until it is over', async () => {
    const server = await startServer({ limits: { perSource: 1, graceMs: 150 } })
    const { client: alice } = await joinResumable(server, 'alice')
    await kill(server, alice)
    const refused = await new Client(`ws://127.0.0.1:${server.port}/ws`).refused
    expect(refused.status).toBe(429)
    await delay(200)
    await server.connect()
  })
})
