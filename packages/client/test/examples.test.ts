import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { startServer } from '../../../services/signaling/test/support/server.ts'
import { takeCustomersCalls } from '../examples/agent.ts'
import { answerCalls } from '../examples/answer.ts'
import { echo } from '../examples/bot.ts'
import { callSomebody } from '../examples/call.ts'
import { goOn } from '../examples/reload.ts'
import { meet } from '../examples/room.ts'
import { ringWhenClosed } from '../examples/wake.ts'
import { HairpinClient } from '../src/client.ts'
import { FakeAgentPeer } from './fakes/agent-peer.ts'
import { FakePeer, fakeStream } from './fakes/peer.ts'
import { FakeServer } from './fakes/socket.ts'
import { FakeTimers, settle } from './fakes/timers.ts'

const sdp = <T extends 'offer' | 'answer'>(type: T) => ({ type, sdp: `v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\n` }) as const

/** What a browser has. */
function browser(server: FakeServer): Map<string, string> {
  const store = new Map<string, string>()
  vi.stubGlobal('navigator', {
    mediaDevices: { getUserMedia: async () => fakeStream('audio', 'video') },
    serviceWorker: { register: async () => undefined, ready: Promise.resolve({ pushManager: pushManager() }) },
  })
  vi.stubGlobal('RTCPeerConnection', FakePeer)
  vi.stubGlobal('Notification', { requestPermission: async () => 'granted' })
  vi.stubGlobal('WebSocket', function socket(url: string, subprotocol: string) {
    return server.createSocket(url, subprotocol)
  })
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => store.get(key) ?? null,
    setItem: (key: string, value: string) => store.set(key, value),
    removeItem: (key: string) => store.delete(key),
  })
  onTestFinished(() => void vi.unstubAllGlobals())
  return store
}

function pushManager() {
  const subscription = { toJSON: () => ({ endpoint: 'https://push.test/1', keys: { p256dh: 'p', auth: 'a' } }) }
  return { getSubscription: async () => null, subscribe: async () => subscription }
}

describe('the examples', () => {
  let server: FakeServer
  let client: HairpinClient

  beforeEach(() => {
    FakePeer.made = []
    server = new FakeServer()
  })

  function joined(): HairpinClient {
    client = new HairpinClient({ url: 'ws://test/ws', timers: new FakeTimers() })
    client.join('alice')
    server.admit(undefined, 30)
    return client
  }

  it('answer', async () => {
    browser(server)
    const answering = answerCalls('ws://test/ws', async () => 'jwt')
    onTestFinished(() => answering.leave())
    server.last.receive({ type: 'id', id: 's1' })
    await settle()
    expect(server.last.sent).toMatchObject([{ type: 'username', token: 'jwt' }])
    server.last.receive({ type: 'ice-servers', iceServers: [], ttl: 600, expiresAt: '' })
    server.last.receive({ type: 'video-offer', callId: 'c1', name: 'bob', target: 'alice', sdp: sdp('offer') })
    await settle()
    expect(server.last.types()).toContain('video-answer')
  })

  it('agent', async () => {
    browser(server)
    vi.stubGlobal('RTCPeerConnection', FakeAgentPeer)
    vi.spyOn(console, 'log').mockReturnValue()
    const audio = {} as HTMLAudioElement
    takeCustomersCalls('ws://test/ws', async () => 'jwt', audio)
    server.last.receive({ type: 'id', id: 's1' })
    await settle()
    server.last.receive({ type: 'ice-servers', iceServers: [], ttl: 0, expiresAt: '' })
    server.last.receive({ type: 'agent', available: true, mode: 'bridge', agents: [] })
    server.last.receive({ type: 'call-is-coming', callId: 'c1', callerNumber: '49170' })
    await settle()
    expect(server.last.sent).toContainEqual({ type: 'browser-offer', callId: 'c1', sdp: 'offer-1' })
    const voice = fakeStream('audio')
    FakePeer.last.ontrack?.({ track: voice.tracks[0], streams: [voice] })
    expect(audio.srcObject).toBe(voice)
  })

  it('call', async () => {
    browser(server)
    vi.spyOn(console, 'log').mockReturnValue()
    const video = {} as HTMLVideoElement
    const call = await callSomebody(joined(), 'bob', video)
    await settle()
    expect(server.last.types()).toContain('video-offer')
    const remote = fakeStream('video')
    FakePeer.last.ontrack?.({ track: remote.tracks[0], streams: [remote] })
    expect(video.srcObject).toBe(remote)
    call.hangUp()
    expect(console.log).toHaveBeenLastCalledWith('ended by the local side: cancelled')
    vi.restoreAllMocks()
  })

  it('reload', async () => {
    browser(server)
    const form = vi.fn()
    goOn(new HairpinClient({ url: 'ws://test/ws' }), form)
    expect(form).toHaveBeenCalled()

    joined()
    await settle()
    goOn(new HairpinClient({ url: 'ws://test/ws', timers: new FakeTimers() }), form)
    expect(form).toHaveBeenCalledTimes(1)
    server.last.receive({ type: 'id', id: 's2' })
    server.last.resumed(3, 0, 't', { callId: 'c1', name: 'bob', state: 'connected', incoming: false })
    await settle()
    await settle()
    expect(server.last.types()).toContain('video-offer')
  })

  it('room', async () => {
    browser(server)
    const shown: number[] = []
    const room = await meet(joined(), 'lobby', (streams) => shown.push(streams.length))
    server.last.receive({ type: 'room-joined', room: 'lobby', you: 'm2', members: [{ id: 'm1', name: 'bob' }] })
    const remote = fakeStream('video')
    FakePeer.last.ontrack?.({ track: remote.tracks[0], streams: [remote] })
    expect(shown.at(-1)).toBe(1)
    room.leave()
    expect(shown.at(-1)).toBe(0)
  })

  it('wake', async () => {
    browser(server)
    const done = ringWhenClosed(joined())
    await settle()
    server.last.receive({ type: 'push-keys', vapid: 'AQID', fcm: false, apns: false })
    await settle()
    server.last.receive({ type: 'push-registered', address: 'https://push.test/1' })
    expect(await done).toBe(true)
  })

  it('bot, against a real server', async () => {
    const real = await startServer()
    const bot = echo(`ws://127.0.0.1:${real.port}/ws`, 'bot')
    onTestFinished(() => bot.leave())
    await bot.once('joined')
    const alice = await real.join('alice')
    alice.send({ type: 'message', text: 'hello', target: 'bot' })
    expect(await alice.next('message', ({ name }) => name === 'bot')).toMatchObject({ text: 'You said: hello' })
  })
})
