import { beforeEach, describe, expect, it } from 'vitest'
import type { Call } from '../src/call.ts'
import type { HairpinClient } from '../src/client.ts'
import { fakeClient } from './fakes/client.ts'
import { FakePeer, fakeStream } from './fakes/peer.ts'
import type { FakeServer } from './fakes/socket.ts'
import { type FakeTimers, settle } from './fakes/timers.ts'

const sdp = { type: 'offer' as const, sdp: 'their-offer' }
const offer = (callId: string, name: string) => ({ type: 'video-offer', callId, name, target: 'alice', sdp }) as const
const ended = (callId: string, name: string, reason: 'hang-up' | 'cancelled' | 'offline' | 'rejected') =>
  ({ type: 'call-ended', callId, name, reason }) as const

describe('HairpinClient', () => {
  let timers: FakeTimers
  let server: FakeServer
  let client: HairpinClient
  let incoming: Call[]

  beforeEach(() => {
    ;({ client, server, timers } = fakeClient())
    incoming = []
    client.on('incoming', (call) => incoming.push(call))
    client.join('alice')
    server.admit()
  })

  it('calls with the relay credentials it was given at join', async () => {
    client.call('bob', fakeStream('audio', 'video'))
    await settle()
    expect(FakePeer.last.configuration.iceServers).toEqual([{ urls: ['turn:relay.test'] }])
    expect(server.last.types()).toEqual(['username', 'video-offer'])
  })

  it('asks for new credentials before the old ones expire and gives them to the running call', async () => {
    server.last.receive({ type: 'ice-servers', iceServers: [], ttl: 20, expiresAt: '2030-01-01T00:00:00Z' })
    client.call('bob')
    timers.advance(15_999)
    expect(server.last.types()).not.toContain('ice-servers')
    timers.advance(1)
    expect(server.last.types()).toContain('ice-servers')
    server.last.receive({
      type: 'ice-servers',
      iceServers: [{ urls: ['turn:new.test'] }],
      ttl: 20,
      expiresAt: '2030-01-01T00:00:00Z',
    })
    expect(FakePeer.last.configuration.iceServers).toEqual([{ urls: ['turn:new.test'] }])
  })

  it('presents an incoming call and ends it when the caller gives up', () => {
    server.last.receive(offer('c1', 'bob'))
    expect(incoming.map((call) => [call.peer, call.state])).toEqual([['bob', 'incoming']])
    server.last.receive({ type: 'hang-up', callId: 'c1', name: 'bob', target: 'alice' })
    server.last.receive(ended('c1', 'bob', 'cancelled'))
    expect(incoming[0]?.end).toEqual({ reason: 'cancelled', by: 'remote' })
    expect(client.currentCall).toBeUndefined()
  })

  it('stops ringing when another device of this user answers, however far this one has got', async () => {
    const elsewhere = (callId: string) => ({ type: 'answered-elsewhere', callId, name: 'bob' }) as const
    server.last.receive(offer('c1', 'bob'))
    server.last.receive(elsewhere('c0'))
    expect(incoming[0]?.state).toBe('incoming')
    server.last.receive(elsewhere('c1'))
    expect(incoming[0]?.end).toEqual({ reason: 'answered-elsewhere', by: 'remote' })

    server.last.receive(offer('c2', 'bob'))
    await incoming[1]?.accept()
    server.last.receive(elsewhere('c2'))
    server.last.receive({ type: 'error', code: 'SIG_NO_CALL', message: '', about: 'video-answer' })
    expect(incoming[1]?.end?.reason).toBe('answered-elsewhere')

    server.last.receive(offer('c3', 'bob'))
    incoming[2]?.decline()
    server.last.receive(elsewhere('c3'))
    server.last.receive(offer('c4', 'bob'))
    expect(incoming[3]?.state).toBe('incoming')
    expect(server.last.types().filter((type) => type === 'hang-up')).toEqual([])
  })

  it('hears that the other side is muted or has its camera off', async () => {
    server.last.receive(offer('c1', 'bob'))
    await incoming[0]?.accept(fakeStream('audio', 'video'))
    const remote = () => [incoming[0]?.remoteMuted, incoming[0]?.remoteCameraOff]
    server.last.receive({ type: 'mute', callId: 'c0', name: 'bob', audio: true, video: true })
    expect(remote()).toEqual([false, false])
    server.last.receive({ type: 'mute', callId: 'c1', name: 'bob', audio: false, video: true })
    expect(remote()).toEqual([false, true])
  })

  it('turns away a second caller', () => {
    server.last.receive(offer('c1', 'bob'))
    server.last.receive(offer('c2', 'carol'))
    expect(incoming).toHaveLength(1)
    expect(server.last.sent.at(-1)).toEqual({ type: 'call-reject', target: 'carol' })
    server.last.receive(ended('c2', 'carol', 'rejected'))
    expect(client.currentCall?.peer).toBe('bob')
  })

  it('does not let the end of one call end the next with the same peer', async () => {
    client.call('bob').hangUp()
    const second = client.call('bob')
    server.last.receive(ended('c1', 'bob', 'cancelled'))
    expect(second.state).toBe('calling')
    server.last.receive({ type: 'ringing', callId: 'c2', name: 'bob' })
    expect(second.state).toBe('ringing')
    server.last.receive(ended('c1', 'bob', 'cancelled'))
    expect(second.state).toBe('ringing')
    server.last.receive(ended('c2', 'bob', 'rejected'))
    expect(second.end).toEqual({ reason: 'rejected', by: 'remote' })
  })

  it('calls the same peer again after it hung up', async () => {
    const first = client.call('bob', fakeStream('audio', 'video'))
    await settle()
    server.last.receive({ type: 'ringing', callId: 'c1', name: 'bob' })
    first.hangUp()
    const second = client.call('bob')
    server.last.receive(ended('c1', 'bob', 'cancelled'))
    server.last.receive({ type: 'ringing', callId: 'c2', name: 'bob' })
    expect(second.state).toBe('ringing')
    server.last.receive(ended('c2', 'bob', 'rejected'))
    const third = client.call('bob')
    server.last.receive({ type: 'ringing', callId: 'c3', name: 'bob' })
    expect(third.state).toBe('ringing')
  })

  it('ends a call that the server refuses, in its words', () => {
    const call = client.call('nobody')
    server.last.receive({ type: 'error', code: 'SIG_TARGET_UNKNOWN', message: '', about: 'video-offer' })
    expect(call.end?.reason).toBe('offline')
    const other = client.call('alice')
    server.last.receive({ type: 'error', code: 'SIG_CALL_SELF', message: '', about: 'video-offer' })
    expect(other.end?.reason).toBe('refused')
  })

  it('answers the other side’s call when both call at once and the server took theirs', async () => {
    const call = client.call('bob', fakeStream('audio', 'video'))
    await settle()
    server.last.receive(offer('c9', 'bob'))
    server.last.receive({ type: 'error', code: 'SIG_GLARE', message: '', about: 'video-offer' })
    await settle()
    expect(incoming).toHaveLength(0)
    expect(server.last.types()).toEqual(['username', 'video-offer', 'video-answer'])
    expect(call.state).toBe('connecting')
    server.last.receive(ended('c9', 'bob', 'hang-up'))
    expect(call.state).toBe('ended')
  })

  it('ends what only rings when the session is lost, and says so on leaving', () => {
    server.last.receive(offer('c1', 'bob'))
    server.last.drop()
    expect(incoming[0]?.end?.reason).toBe('connection-lost')
    expect(() => client.call('bob')).toThrowError(expect.objectContaining({ code: 'NOT_CONNECTED' }))
    client.leave()
    expect(timers.pending).toBe(0)
  })

  it('keeps a call whose other side lost the server, as long as its media flows', async () => {
    server.last.receive(offer('c1', 'bob'))
    await incoming[0]?.accept()
    const gone = { type: 'call-ended', callId: 'c1', name: 'bob', reason: 'disconnected' } as const
    FakePeer.last.connection('connected')
    server.last.receive(gone)
    expect(incoming[0]?.state).toBe('connected')
    FakePeer.last.connection('disconnected')
    timers.advance(6_000)
    expect(incoming[0]?.end?.reason).toBe('connection-lost')

    server.last.receive(offer('c2', 'bob'))
    server.last.receive({ ...gone, callId: 'c2' })
    expect(incoming[1]?.end?.reason).toBe('disconnected')
  })

  it('gives a new call precedence over one that only its media still holds', async () => {
    const call = client.call('bob', fakeStream('audio'))
    await settle()
    server.answer()
    await settle()
    FakePeer.last.connection('connected')
    server.last.drop()
    timers.advance(1_000)
    server.admit()
    expect(call.detached).toBe(true)
    server.last.receive(offer('c2', 'bob'))
    expect(call.state).toBe('ended')
    expect(incoming.map((entry) => entry.peer)).toEqual(['bob'])
  })
})
