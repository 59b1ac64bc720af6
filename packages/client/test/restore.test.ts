import { beforeEach, describe, expect, it } from 'vitest'
import type { Call } from '../src/call.ts'
import { HairpinClient } from '../src/client.ts'
import { FakePeer, fakeStream } from './fakes/peer.ts'
import { FakeServer } from './fakes/socket.ts'
import { FakeTimers, settle } from './fakes/timers.ts'

const sdp = <T extends 'offer' | 'answer'>(type: T, session: number, rest = '') =>
  ({ type, sdp: `v=0\r\no=- ${session} 2 IN IP4 127.0.0.1\r\n${rest}` }) as const
const offer = (session: number, rest?: string) =>
  ({ type: 'video-offer', callId: 'c1', name: 'bob', target: 'alice', sdp: sdp('offer', session, rest) }) as const
const answer = (session: number) =>
  ({ type: 'video-answer', callId: 'c1', name: 'bob', target: 'alice', sdp: sdp('answer', session) }) as const
const candidate = (name: string) => ({
  type: 'new-ice-candidate' as const,
  callId: 'c1',
  name: 'bob',
  target: 'alice',
  candidate: { candidate: name, sdpMid: '0' },
})

/** A sessionStorage that outlives its pages. */
class FakeStore {
  readonly entries = new Map<string, string>()
  getItem(key: string) {
    return this.entries.get(key) ?? null
  }
  setItem(key: string, value: string) {
    this.entries.set(key, value)
  }
  removeItem(key: string) {
    this.entries.delete(key)
  }
}

describe('a page that is loaded anew', () => {
  let timers: FakeTimers
  let server: FakeServer
  let store: FakeStore

  beforeEach(() => {
    FakePeer.made = []
    timers = new FakeTimers()
    server = new FakeServer()
    store = new FakeStore()
  })

  function page() {
    const client = new HairpinClient({
      url: 'ws://test/ws',
      createSocket: server.createSocket,
      createPeer: FakePeer.create,
      timers,
      store,
    })
    const restored: Call[] = []
    const incoming: Call[] = []
    client.on('restored', (call) => restored.push(call))
    client.on('incoming', (call) => incoming.push(call))
    return { client, restored, incoming }
  }

  /** Alice is in a call with Bob; `session` is that of his peer connection. */
  async function inCall(incoming: boolean, session = 7) {
    const first = page()
    first.client.join('alice')
    server.admit(undefined, 30)
    if (incoming) {
      server.last.receive(offer(session))
      await first.incoming[0]?.accept(fakeStream('audio'))
    } else {
      first.client.call('bob', fakeStream('audio'))
      await settle()
      server.last.receive(answer(session))
    }
    await settle()
    FakePeer.last.connection('connected')
    await settle()
    return first
  }

  /** The next page, on a socket of its own. */
  async function reload(call: object | undefined) {
    FakePeer.made = []
    const { seq } = JSON.parse([...store.entries.values()][0] ?? '').resumption
    const next = page()
    expect(next.client.restore()).toBe(true)
    server.last.receive({ type: 'id', id: 's9' })
    const asked = server.last.sent.at(-1)
    // The server has all that the page before sent.
    server.last.resumed(seq, 100, 'token-2', call)
    await settle()
    return { ...next, asked }
  }

  const connected = (incoming: boolean) => ({ callId: 'c1', name: 'bob', state: 'connected', incoming })

  it('has nothing to go on with where nobody was before, or the one before said goodbye', async () => {
    expect(page().client.restore()).toBe(false)
    const { client } = await inCall(true)
    client.leave()
    await settle()
    expect(page().client.restore()).toBe(false)
    store.setItem('hairpin ws://test/ws', '{"resumption":7')
    expect(page().client.restore()).toBe(false)
  })

  it('goes on with the session, asks for credentials, and offers from a fresh peer connection', async () => {
    await inCall(true)
    const { client, restored, asked } = await reload(connected(true))
    expect(asked).toMatchObject({ type: 'resume', token: 'token-1', reload: true })
    expect(server.last.types()).toEqual(['resume', 'ice-servers'])
    expect(client.name).toBe('alice')
    expect(restored.map((call) => [call.peer, call.state, call.direction])).toEqual([
      ['bob', 'reconnecting', 'incoming'],
    ])
    const [call] = restored
    void call?.rejoin(fakeStream('audio'))
    await settle()
    expect(server.last.types()).toContain('video-offer')
    server.last.receive(answer(8))
    await settle()
    FakePeer.last.connection('connected')
    expect(call?.state).toBe('connected')
    expect(FakePeer.made).toHaveLength(1)
  })

  it('lets go of what the other side said to the page before', async () => {
    await inCall(true, 7)
    const { restored } = await reload(connected(true))
    server.last.receive(offer(7, 'restart'))
    server.last.receive(candidate('old'))
    void restored[0]?.rejoin(fakeStream('audio'))
    await settle()
    server.last.receive(offer(7, 'another'))
    server.last.receive(candidate('older'))
    server.last.receive(answer(8))
    server.last.receive(candidate('new'))
    await settle()
    expect(server.last.types()).not.toContain('video-answer')
    expect(FakePeer.last.remoteDescription?.type).toBe('answer')
    expect(FakePeer.last.candidates.map(({ candidate }) => candidate)).toEqual(['new'])
  })

  it.each([true, false])('finds its way when both sides are loaded anew; called: %s', async (incoming) => {
    await inCall(incoming, 7)
    const { restored } = await reload(connected(incoming))
    void restored[0]?.rejoin(fakeStream('audio'))
    await settle()
    server.last.receive(offer(9))
    await settle()
    const gaveWay = server.last.types().includes('video-answer')
    expect(gaveWay).toBe(incoming)
    expect(FakePeer.made).toHaveLength(incoming ? 2 : 1)
    if (!gaveWay) server.last.receive(answer(9))
    await settle()
    FakePeer.last.connection('connected')
    expect(restored[0]?.state).toBe('connected')
  })

  it('answers the fresh offer that came while its camera opened', async () => {
    await inCall(false, 7)
    const { restored } = await reload(connected(false))
    server.last.receive(offer(9))
    server.last.receive(candidate('fresh'))
    await restored[0]?.rejoin(fakeStream('audio'))
    await settle()
    expect(server.last.types()).toContain('video-answer')
    expect(FakePeer.last.candidates.map(({ candidate }) => candidate)).toEqual(['fresh'])
  })

  it('rings again for what still rings, and calls on where it called', async () => {
    const first = page()
    first.client.join('alice')
    server.admit(undefined, 30)
    first.client.call('bob', fakeStream('audio'))
    await settle()
    const outgoing = await reload({ ...connected(false), state: 'ringing' })
    expect(outgoing.restored[0]?.state).toBe('ringing')
    void outgoing.restored[0]?.rejoin()
    await settle()
    server.last.receive(answer(7))
    await settle()
    expect(outgoing.restored[0]?.state).toBe('connecting')

    const incoming = await reload({ ...connected(true), state: 'ringing' })
    expect(incoming.restored).toEqual([])
    server.last.receive(offer(7))
    expect(incoming.incoming.map(({ peer, state }) => [peer, state])).toEqual([['bob', 'incoming']])
  })

  it('sends what the server did not get, except what was about the old peer connection', async () => {
    const { client } = await inCall(true)
    client.sendText('hello', 'bob')
    await settle()
    const kept = JSON.parse([...store.entries.values()][0] ?? '').resumption.frames
    expect(kept.length).toBeGreaterThan(1)
    const next = page()
    next.client.restore()
    server.last.receive({ type: 'id', id: 's9' })
    server.last.resumed(5, 0, 'token-2', connected(true))
    expect(server.last.types()).toEqual(['resume', 'message', 'ice-servers'])
  })

  it('joins anew under its name when the session is over', async () => {
    await inCall(true)
    const next = page()
    next.client.restore()
    server.last.receive({ type: 'id', id: 's9' })
    server.last.receive({ type: 'error', code: 'SIG_RESUME_UNKNOWN', message: '', about: 'resume' })
    expect(server.last.sent.at(-1)).toEqual({ type: 'username', name: 'alice', resume: true })
    expect(next.restored).toEqual([])
  })

  it('gives the call up when nobody gives it a camera', async () => {
    await inCall(true)
    const { restored } = await reload(connected(true))
    timers.advance(70_000)
    expect(restored[0]?.end?.reason).toBe('connection-lost')
  })
})

describe('a page whose other side is loaded anew', () => {
  it('answers the fresh offer from a fresh peer connection and tells its state again', async () => {
    FakePeer.made = []
    const server = new FakeServer()
    const client = new HairpinClient({
      url: 'ws://test/ws',
      createSocket: server.createSocket,
      createPeer: FakePeer.create,
      timers: new FakeTimers(),
      store: null,
    })
    const calls: Call[] = []
    client.on('incoming', (call) => calls.push(call))
    client.join('alice')
    server.admit()
    server.last.receive(offer(7))
    await calls[0]?.accept(fakeStream('audio', 'video'))
    await settle()
    FakePeer.last.connection('connected')
    calls[0]?.setMuted(true)
    server.last.receive(offer(7, 'renegotiation'))
    await settle()
    expect(FakePeer.made).toHaveLength(1)
    server.last.receive(offer(8))
    await settle()
    expect(FakePeer.made.map(({ closed }) => closed)).toEqual([true, false])
    expect(calls[0]?.state).toBe('reconnecting')
    FakePeer.last.connection('connected')
    expect(calls[0]?.state).toBe('connected')
    const told = server.last.sent.filter(({ type }) => type === 'mute')
    expect(told).toEqual(Array(2).fill({ type: 'mute', target: null, audio: true, video: false }))
  })
})
