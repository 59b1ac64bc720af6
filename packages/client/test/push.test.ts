import { beforeEach, describe, expect, it } from 'vitest'
import { HairpinClient } from '../src/client.ts'
import type { PushSource } from '../src/push.ts'
import { fakeClient } from './fakes/client.ts'
import { FakePeer } from './fakes/peer.ts'
import type { FakeServer } from './fakes/socket.ts'
import { FakeTimers, settle } from './fakes/timers.ts'

/** A browser's push manager; `keys` are those of its subscriptions in turn. */
class FakeManager {
  readonly keys: string[] = []
  #key: Uint8Array | undefined

  readonly subscribe = async ({ applicationServerKey }: PushSubscriptionOptionsInit) => {
    this.#key = applicationServerKey as Uint8Array
    this.keys.push([...this.#key].join())
    return (await this.getSubscription()) as PushSubscription
  }

  readonly getSubscription = async () => {
    const key = this.#key
    if (!key) return null
    return {
      options: { applicationServerKey: new Uint8Array(key).buffer },
      toJSON: () => ({ endpoint: 'https://push.test/1', keys: { p256dh: 'p', auth: 'a' } }),
      unsubscribe: async () => {
        this.#key = undefined
        return true
      },
    } as unknown as PushSubscription
  }
}

describe('waking', () => {
  let server: FakeServer
  let client: HairpinClient

  beforeEach(() => {
    ;({ client, server } = fakeClient())
    client.join('alice')
    server.admit()
  })

  it('registers the browser’s subscription, and makes a new one when the server has another key', async () => {
    const manager = new FakeManager()
    for (const vapid of ['AQID', 'AQID', 'BAUG']) {
      const done = client.push.registerBrowser({ pushManager: manager } as unknown as PushSource)
      server.last.receive({ type: 'push-keys', vapid, fcm: false, apns: false })
      await settle()
      await settle()
      expect(server.last.sent.at(-1)).toEqual({
        type: 'push-register',
        endpoint: { kind: 'web', address: 'https://push.test/1', p256dh: 'p', auth: 'a' },
      })
      server.last.receive({ type: 'push-registered', address: 'https://push.test/1' })
      expect(await done).toBe('https://push.test/1')
    }
    expect(manager.keys).toEqual(['1,2,3', '4,5,6'])
  })

  it('does nothing where the server sends no Web Push', async () => {
    const done = client.push.registerBrowser({ pushManager: new FakeManager() } as unknown as PushSource)
    server.last.receive({ type: 'push-keys', fcm: true, apns: false })
    expect(await done).toBeUndefined()
  })

  it('fails when the server refuses the endpoint, or is gone', async () => {
    const refused = client.push.register({ kind: 'fcm', address: 't' })
    server.last.receive({ type: 'error', code: 'SIG_PUSH_UNSUPPORTED', message: '', about: 'push-register' })
    await expect(refused).rejects.toMatchObject({ code: 'PUSH_REFUSED' })
    const lost = client.push.keys()
    server.last.drop()
    await expect(lost).rejects.toMatchObject({ code: 'PUSH_REFUSED' })
  })

  it('shows in the state of the call until it rings', async () => {
    const call = client.call('bob')
    server.last.receive({ type: 'waking', callId: 'c1', name: 'bob' })
    expect(call.state).toBe('waking')
    server.last.receive({ type: 'ringing', callId: 'c1', name: 'bob' })
    expect(call.state).toBe('ringing')
    call.hangUp()
    expect(call.end?.reason).toBe('cancelled')
  })

  it('presents the call that it was woken for once there is what it takes to answer', async () => {
    const order: string[] = []
    const woken = new HairpinClient({
      url: 'ws://test/ws',
      createSocket: server.createSocket,
      createPeer: FakePeer.create,
      timers: new FakeTimers(),
    })
    woken.on('joined', () => order.push('joined'))
    woken.on('incoming', (call) => {
      order.push('incoming')
      void call.accept()
    })
    woken.join('bob')
    server.last.receive({ type: 'id', id: 's1' })
    const sdp = { type: 'offer', sdp: 'o' } as const
    server.last.receive({ type: 'video-offer', callId: 'c1', name: 'alice', target: 'bob', sdp })
    expect(order).toEqual([])
    server.last.receive({ type: 'ice-servers', iceServers: [{ urls: 'turn:r' }] as never, ttl: 600, expiresAt: '' })
    await settle()
    expect(order).toEqual(['joined', 'incoming'])
    expect(FakePeer.last.configuration.iceServers).toHaveLength(1)
    expect(server.last.types()).toContain('video-answer')
  })

  it('tells of calls that were missed', () => {
    const missed: string[] = []
    client.on('missed', ({ name }) => missed.push(name))
    server.last.receive({ type: 'missed-call', callId: 'c1', name: 'bob', date: 0 })
    expect(missed).toEqual(['bob'])
  })
})
