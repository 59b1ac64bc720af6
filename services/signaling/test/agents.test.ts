import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { remoteDesk, serveDesk } from '@hairpin/desk'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Client } from './support/client.ts'
import { TestDesk } from './support/desk.ts'
import { joinAs, tokenOf, twoApps } from './support/identity.ts'
import { startServer, type TestOptions, type TestServer } from './support/server.ts'

const identity = twoApps
const offer = { type: 'offer', sdp: 'v=0 offer' }
const answer = { type: 'answer', sdp: 'v=0 answer' }

/** A server whose app `shop` has agents. */
async function shop(options: TestOptions & { readonly up?: boolean } = {}) {
  const desk = new TestDesk({ up: options.up ?? true })
  const server = await startServer({ identity, desk: { desk, app: 'shop' }, ...options })
  return { desk, server }
}

/** One where guests are agents. */
async function guests() {
  const desk = new TestDesk()
  return { desk, server: await startServer({ identity, desk: { desk, app: undefined } }) }
}

async function available(client: Client): Promise<Client> {
  client.send({ type: 'agent', available: true })
  await client.next('agent')
  return client
}

async function joinAgent(server: TestServer, user: string, options: { resume?: boolean } = {}): Promise<Client> {
  return available(await joinAs(server, { user, agent: true }, options))
}

/** Asks until it is so, or for longer than a busy machine needs. */
const poll = <T>(read: () => T) => expect.poll(read, { timeout: 10_000, interval: 5 })

const idOf = ({ received }: Client) => (received[0] as { id: string }).id
const calls = (client: Client) => client.received.flatMap((m) => (m.type === 'call-is-coming' ? [m.callId] : []))

/** What the desk was told so far, once everything that the client sent before has passed. */
async function logOf(desk: TestDesk, client: Client): Promise<string[]> {
  await client.settled()
  return desk.log
}

describe('the role of an agent', () => {
  it('is a token’s to give: a call rings on the devices that take calls, and on no other', async () => {
    const { desk, server } = await shop()
    const anna = await joinAs(server, { user: 'anna', agent: true })
    const idle = await joinAs(server, { user: 'anna', agent: true })
    anna.send({ type: 'agent', available: true })
    expect(await anna.next('agent')).toMatchObject({
      available: true,
      mode: 'bridge',
      agents: [{ name: 'anna', free: true }],
    })
    desk.ring('anna', 'c1')
    expect(await anna.next('call-is-coming')).toMatchObject({ callId: 'c1', callerNumber: '491701' })
    await idle.settled()
    expect(calls(idle)).toEqual([])
    expect(await server.metric('hairpin_signaling_agents')).toBe(1)
  })

  it.each([
    ['a user without the claim', 'SIG_AGENT_FORBIDDEN', (server: TestServer) => joinAs(server, { user: 'bob' })],
    ['a guest, where tokens give it', 'SIG_AGENT_FORBIDDEN', (server: TestServer) => server.join('bob')],
    [
      'a user of another app',
      'SIG_NO_DESK',
      (server: TestServer) => joinAs(server, { app: 'clinic', user: 'bob', agent: true }),
    ],
  ])('is not that of %s', async (_who, code, join) => {
    const { desk, server } = await shop()
    const bob = await join(server)
    bob.send({ type: 'agent', available: true })
    expect(await bob.next('error')).toMatchObject({ code, about: 'agent' })
    bob.send({ type: 'call-over', callId: 'c1' })
    expect(await bob.next('error')).toMatchObject({ code, about: 'call-over', callId: 'c1' })
    desk.ring('bob', 'c1')
    await bob.settled()
    expect(calls(bob)).toEqual([])
    expect(desk.log).toEqual([])
  })

  it('is the guests’ where the operator says so, and nobody else’s', async () => {
    const { desk, server } = await guests()
    const guest = await available(await server.join('Anna'))
    const user = await joinAs(server, { user: 'anna', agent: true })
    user.send({ type: 'agent', available: true })
    expect(await user.next('error')).toMatchObject({ code: 'SIG_NO_DESK' })
    desk.ring('Anna', 'c1')
    expect(await guest.next('call-is-coming')).toMatchObject({ callId: 'c1' })
  })

  it('is none where no calls come from elsewhere', async () => {
    const server = await startServer({ identity })
    const anna = await joinAs(server, { user: 'anna', agent: true })
    anna.send({ type: 'agent', available: true })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_NO_DESK', about: 'agent' })
    expect(await server.registry.metrics()).not.toContain('hairpin_signaling_desk_up')
  })

  it('ends with a fresh token that does not give it', async () => {
    const { desk, server } = await shop()
    const anna = await joinAgent(server, 'anna')
    anna.send({ type: 'token', token: await tokenOf({ user: 'anna', agent: true }) })
    await anna.next('token', ({ seq }) => seq > 5)
    desk.ring('anna', 'c1')
    await anna.next('call-is-coming')
    anna.send({ type: 'token', token: await tokenOf({ user: 'anna' }) })
    expect(await anna.next('agent')).toMatchObject({ available: false, agents: [] })
    expect(await logOf(desk, anna)).toEqual(['arrive anna', 'leave anna'])
    anna.send({ type: 'call-over', callId: 'c1' })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_AGENT_FORBIDDEN' })
  })

  it('follows a guest to another name', async () => {
    const { desk, server } = await guests()
    const guest = await available(await server.join('anna'))
    guest.send({ type: 'username', name: 'ANNA' })
    await guest.next('agent')
    guest.send({ type: 'username', name: 'ANNA' })
    expect(await logOf(desk, guest)).toEqual(['arrive anna', 'leave anna', 'arrive ANNA'])
    desk.ring('ANNA', 'c1')
    await guest.next('call-is-coming')
  })
})

describe('what an agent asks', () => {
  it('comes to the service with agent and device, without fields that the protocol does not know', async () => {
    const { desk, server } = await shop()
    const anna = await joinAgent(server, 'anna')
    anna.send({ type: 'browser-offer', callId: 'c1', sdp: 'v=0', name: 'mallory', device: 'x' })
    await anna.settled()
    expect(desk.requests).toEqual([
      { agent: 'anna', device: idOf(anna), request: { type: 'browser-offer', callId: 'c1', sdp: 'v=0' } },
    ])
  })

  it('names another guest as that one is called here', async () => {
    const { desk, server } = await guests()
    const anna = await available(await server.join('anna'))
    await server.join('Ben')
    anna.send({ type: 'call-transfer', callId: 'c1', to: 'ben' })
    anna.send({ type: 'call-transfer', callId: 'c1', to: 'carol' })
    await anna.settled()
    expect(desk.requests.map(({ request }) => request)).toMatchObject([{ to: 'Ben' }, { to: 'carol' }])
  })

  it('needs a device that takes calls', async () => {
    const { desk, server } = await shop()
    const anna = await joinAs(server, { user: 'anna', agent: true })
    anna.send({ type: 'call-dial', number: '+49 170 1234' })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_NOT_AVAILABLE', about: 'call-dial' })
    await available(anna)
    anna.send({ type: 'agent', available: false })
    expect(await anna.next('agent')).toMatchObject({ available: false })
    anna.send({ type: 'call-over', callId: 'c1' })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_NOT_AVAILABLE', callId: 'c1' })
    expect(desk.requests).toEqual([])
  })

  it('must have its proper form', async () => {
    const { desk, server } = await shop()
    const anna = await joinAgent(server, 'anna')
    const bad = [
      { type: 'agent', available: 'yes' },
      { type: 'call-dial', number: 'anna' },
      { type: 'browser-offer', callId: 'c1' },
    ]
    for (const message of bad) {
      anna.send(message)
      expect(await anna.next('error')).toMatchObject({ code: 'SIG_BAD_MESSAGE', about: message.type })
    }
    expect(desk.requests).toEqual([])
  })

  it('gets its answer on that device, be it an error that the metrics count', async () => {
    const { desk, server } = await shop()
    const [phone, laptop] = [await joinAgent(server, 'anna'), await joinAgent(server, 'anna')]
    desk.tell(
      'anna',
      { only: idOf(laptop) },
      {
        type: 'error',
        code: 'SIG_NO_CALL',
        message: 'There is no such call.',
        about: 'browser-offer',
        callId: 'c1',
      },
    )
    expect(await laptop.next('error')).toMatchObject({ code: 'SIG_NO_CALL', callId: 'c1' })
    expect(await phone.settled()).not.toContain('error')
    expect(await server.metric('hairpin_signaling_errors_total{code="SIG_NO_CALL"}')).toBe(1)
  })
})

describe('several devices of an agent', () => {
  it('are one agent to the service, which hears of each', async () => {
    const { desk, server } = await shop()
    const [phone, laptop] = [await joinAgent(server, 'anna'), await joinAgent(server, 'anna')]
    expect(desk.here.get('anna')).toEqual([idOf(phone), idOf(laptop)])
    phone.socket.close(1000)
    await phone.closed
    laptop.send({ type: 'agent', available: false })
    await laptop.next('agent')
    expect(await logOf(desk, laptop)).toEqual(['arrive anna', 'appear anna', 'disappear anna', 'leave anna'])
  })

  it('ring together, and all but the one that took the call are told so', async () => {
    const { desk, server } = await shop()
    const [phone, laptop] = [await joinAgent(server, 'anna'), await joinAgent(server, 'anna')]
    const ben = await joinAgent(server, 'ben')
    for (const agent of ['anna', 'ben']) desk.ring(agent, 'c1')
    for (const client of [phone, laptop, ben]) await client.next('call-is-coming')
    laptop.send({ type: 'browser-offer', callId: 'c1', sdp: 'v=0' })
    await laptop.settled()
    const device = desk.requests[0]?.device ?? ''
    const elsewhere = { type: 'answered-elsewhere' as const, callId: 'c1', name: 'unknown caller' }
    desk.tell('anna', { except: device }, elsewhere)
    desk.tell('ben', 'all', elsewhere)
    desk.tell('anna', { only: device }, { type: 'browser-answer', callId: 'c1', sdp: 'v=0' })
    expect(await laptop.next('browser-answer')).toMatchObject({ callId: 'c1' })
    for (const client of [phone, ben]) await client.next('answered-elsewhere')
    expect(await laptop.settled()).not.toContain('answered-elsewhere')
  })
})

describe('an agent whose socket is lost', () => {
  async function lost(server: TestServer, desk: TestDesk, client: Client, leaves = true) {
    const { token } = client.received.find((m) => m.type === 'session') as { token: string }
    const seq = client.received.at(-1)?.seq ?? 0
    const count = desk.log.length
    client.socket.terminate()
    await poll(() => server.metric('hairpin_signaling_detached_sessions')).toBe(1)
    expect(desk.log.slice(count)).toEqual([leaves ? 'leave anna' : 'disappear anna'])
    return { token, seq }
  }

  it('has left, and is back with a resume, which has what it was told meanwhile, once and in order', async () => {
    const { desk, server } = await shop()
    const before = await joinAgent(server, 'anna', { resume: true })
    const { token, seq } = await lost(server, desk, before)
    expect(await server.metric('hairpin_signaling_agents')).toBe(0)
    desk.tell('anna', 'all', { type: 'agent', available: true, mode: 'direct', agents: [] })
    for (const callId of ['c1', 'c2']) desk.ring('anna', callId)
    desk.end('anna', 'c1')
    const after = await server.connect()
    after.send({ type: 'resume', token, seq })
    await after.next('agent')
    expect(desk.log).toEqual(['arrive anna', 'leave anna', 'arrive anna'])
    expect(desk.here.get('anna')).toEqual([idOf(before)])
    const types = after.received.map(({ type }) => type)
    expect(types).toEqual(['id', 'resumed', 'call-is-coming', 'call-is-coming', 'call-ended', 'userlist', 'agent'])
    expect(after.received.slice(2).map((m) => m.seq)).toEqual([1, 2, 3, 4, 5].map((n) => seq + n))
    after.send({ type: 'call-over', callId: 'c2' })
    expect((await logOf(desk, after)).at(-1)).toBe('call-over anna')
  })

  it('has not left while another of its devices is here', async () => {
    const { desk, server } = await shop()
    await joinAgent(server, 'anna')
    const phone = await joinAgent(server, 'anna', { resume: true })
    const { token, seq } = await lost(server, desk, phone, false)
    const after = await server.connect()
    after.send({ type: 'resume', token, seq })
    await after.next('agent')
    expect(desk.log).toEqual(['arrive anna', 'appear anna', 'disappear anna', 'appear anna'])
  })

  it('and that forgot everything is told it again, even where the server had not noticed the loss', async () => {
    const { desk, server } = await shop()
    const before = await joinAgent(server, 'anna', { resume: true })
    const { token } = before.received.find((m) => m.type === 'session') as { token: string }
    const after = await server.connect()
    after.send({ type: 'resume', token, seq: before.received.at(-1)?.seq, reload: true })
    await after.next('agent')
    expect(desk.log).toEqual(['arrive anna', 'appear anna'])
  })

  it('is gone with its session', async () => {
    const { desk, server } = await shop({ limits: { graceMs: 20 } })
    const anna = await joinAgent(server, 'anna', { resume: true })
    anna.socket.terminate()
    await poll(() => server.metric('hairpin_signaling_users')).toBe(0)
    desk.ring('anna', 'c1')
    const again = await joinAs(server, { user: 'anna', agent: true })
    await again.settled()
    expect(calls(again)).toEqual([])
    expect(desk.log).toEqual(['arrive anna', 'leave anna'])
  })
})

describe('a service that cannot be reached', () => {
  it('is said to be so, once, and is told of everyone who is here when it is back', async () => {
    const { desk, server } = await shop()
    const [anna, ben] = [await joinAgent(server, 'anna'), await joinAgent(server, 'ben')]
    await joinAgent(server, 'anna')
    expect(await server.metric('hairpin_signaling_desk_up')).toBe(1)
    desk.log.length = 0
    desk.down()
    for (const client of [anna, ben])
      expect(await client.next('error')).toMatchObject({ code: 'SIG_DESK_UNAVAILABLE', about: 'agent' })
    anna.send({ type: 'call-over', callId: 'c1' })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_DESK_UNAVAILABLE', about: 'call-over', callId: 'c1' })
    ben.send({ type: 'agent', available: false })
    await ben.next('agent')
    expect(desk.log).toEqual([])
    expect(await server.metric('hairpin_signaling_desk_up')).toBe(0)
    desk.up()
    expect(await anna.next('agent')).toMatchObject({ available: true })
    expect(desk.log).toEqual(['arrive anna', 'appear anna'])
    expect((await anna.settled()).filter((type) => type === 'error')).toHaveLength(2)
  })

  it('from the start is told of agents once it can be', async () => {
    const { desk, server } = await shop({ up: false })
    const anna = await joinAs(server, { user: 'anna', agent: true })
    anna.send({ type: 'agent', available: true })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_DESK_UNAVAILABLE', about: 'agent' })
    expect(desk.log).toEqual([])
    desk.up()
    await anna.next('agent')
    expect(desk.log).toEqual(['arrive anna'])
  })

  it('hears that everyone leaves when signaling stops', async () => {
    const { desk, server } = await shop()
    await joinAgent(server, 'anna')
    await server.app.close()
    expect(desk.log).toEqual(['arrive anna', 'leave anna'])
  })
})

describe('a customer’s call and a call among users', () => {
  it('exclude each other: who has the one is busy for the other', async () => {
    const { desk, server } = await shop()
    const [anna, ben] = [await joinAgent(server, 'anna'), await joinAs(server, { user: 'ben' })]
    desk.connect('anna', 'c1')
    await anna.next('call-state')
    ben.send({ type: 'video-offer', target: 'anna', sdp: offer })
    expect(await ben.next('call-ended')).toMatchObject({ reason: 'busy' })
    for (const message of [
      { type: 'video-offer', target: 'ben', sdp: offer },
      { type: 'room-join', room: 'lobby' },
      { type: 'agent', available: false },
    ]) {
      anna.send(message)
      expect(await anna.next('error')).toMatchObject({ code: 'SIG_IN_CALL', about: message.type })
    }
    const phone = await joinAgent(server, 'anna')
    phone.send({ type: 'agent', available: false })
    expect(await phone.next('agent')).toMatchObject({ available: false })
    desk.end('anna', 'c1')
    await anna.next('call-ended')
    ben.send({ type: 'video-offer', target: 'anna', sdp: offer })
    await anna.next('video-offer')
    for (const message of [
      { type: 'browser-offer', callId: 'c2', sdp: 'v=0' },
      { type: 'call-dial', number: '491701234' },
    ]) {
      anna.send(message)
      expect(await anna.next('error')).toMatchObject({ code: 'SIG_IN_CALL', about: message.type })
    }
    anna.send({ type: 'call-decline', callId: 'c2' })
    expect((await logOf(desk, anna)).at(-1)).toBe('call-decline anna')
  })

  it('that rings when a customer’s call is taken cannot be answered meanwhile', async () => {
    const { desk, server } = await shop()
    const [anna, ben] = [await joinAgent(server, 'anna'), await joinAs(server, { user: 'ben' })]
    ben.send({ type: 'video-offer', target: 'anna', sdp: offer })
    await anna.next('video-offer')
    desk.connect('anna', 'c1')
    await anna.next('call-state')
    anna.send({ type: 'video-answer', target: 'ben', sdp: answer })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_IN_CALL', about: 'video-answer' })
    desk.tell('anna', 'all', { type: 'call-transferred', callId: 'c1' })
    await anna.next('call-transferred')
    anna.send({ type: 'video-answer', target: 'ben', sdp: answer })
    await ben.next('video-answer')
  })

  it('cannot be taken from a room', async () => {
    const { server } = await shop()
    const anna = await joinAgent(server, 'anna')
    anna.send({ type: 'room-join', room: 'lobby' })
    anna.send({ type: 'browser-offer', callId: 'c1', sdp: 'v=0' })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_IN_ROOM', about: 'browser-offer', callId: 'c1' })
  })
})

describe('a service in another process', () => {
  const silent = { info() {}, warn() {} }
  const key = 'internal-key-internal-key'

  async function serve(api: string) {
    const desk = new TestDesk()
    const served = await serveDesk(desk, { api, key, log: silent })
    onTestFinished(() => served.close())
    return { desk, ...served }
  }

  it('may be started anew: its agents are here again, and say nothing for it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hairpin-agents-'))
    const api = `unix:${join(folder, 'desk.sock')}`
    const remote = remoteDesk({ api, key, log: silent, retryMs: { first: 5, most: 20 } })
    onTestFinished(() => {
      remote.close()
      rmSync(folder, { recursive: true })
    })
    const server = await startServer({ identity, desk: { desk: remote, app: 'shop' } })
    const anna = await joinAs(server, { user: 'anna', agent: true })
    anna.send({ type: 'agent', available: true })
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_DESK_UNAVAILABLE' })
    const first = await serve(api)
    await anna.next('agent')
    first.desk.connect('anna', 'c1')
    await anna.next('call-state')
    await first.close()
    expect(first.desk.log).toEqual(['arrive anna', 'leave anna'])
    expect(await anna.next('error')).toMatchObject({ code: 'SIG_DESK_UNAVAILABLE', about: 'agent' })
    const second = await serve(api)
    await anna.next('agent')
    expect(second.desk.log).toEqual(['arrive anna'])
    anna.send({ type: 'call-over', callId: 'c1' })
    await poll(() => second.desk.requests.length).toBe(1)
    anna.socket.close(1000)
    await poll(() => second.desk.log.at(-1)).toBe('leave anna')
  })
})
