import { beforeEach, describe, expect, it } from 'vitest'
import { HairpinClient } from '../src/client.ts'
import { fakeClient } from './fakes/client.ts'
import { FakePeer, fakeStream } from './fakes/peer.ts'
import { FakeServer } from './fakes/socket.ts'
import { FakeTimers, settle } from './fakes/timers.ts'

describe('a client with tokens', () => {
  let timers: FakeTimers
  let server: FakeServer
  let next: string | Error
  let client: HairpinClient

  beforeEach(() => {
    next = 'first'
    const getToken = async () => {
      if (next instanceof Error) throw next
      return next
    }
    ;({ client, server, timers } = fakeClient({ getToken }))
    client.join()
  })

  it('joins as the user of its token', async () => {
    server.last.receive({ type: 'id', id: 's1' })
    await settle()
    expect(server.last.sent).toEqual([{ type: 'username', name: '', resume: true, token: 'first' }])
    server.last.receive({ type: 'rejectusername', id: 's1', name: 'anna' })
    server.last.receive({ type: 'ice-servers', iceServers: [], ttl: 600, expiresAt: '' })
    expect([client.name, client.connection.state]).toEqual(['anna', 'joined'])
  })

  it('sends a fresh one when the server says that the end is near, over the same socket', async () => {
    server.admit()
    await settle()
    server.last.receive({ type: 'token', expiresAt: '2030-01-01T00:00:00Z', renew: false })
    await settle()
    expect(server.last.types()).toEqual(['username'])
    next = 'second'
    server.last.receive({ type: 'token', expiresAt: '2030-01-01T00:00:00Z', renew: true })
    await settle()
    expect(server.last.sent.at(-1)).toEqual({ type: 'token', token: 'second' })
    next = new Error('the app server is down')
    server.last.receive({ type: 'token', expiresAt: '2030-01-01T00:00:00Z', renew: true })
    await settle()
    expect(client.connection.state).toBe('joined')
    expect(server.sockets).toHaveLength(1)
  })

  it('gets a fresh one after the end of the last', async () => {
    server.admit()
    await settle()
    server.last.receive({ type: 'ice-servers', iceServers: [], ttl: 600, expiresAt: '' })
    next = 'second'
    server.last.drop(4440)
    timers.advance(1_000)
    server.last.receive({ type: 'id', id: 's2' })
    await settle()
    expect(server.last.sent).toEqual([{ type: 'username', name: '', resume: true, token: 'second' }])
  })

  it('tries again later when there is none', async () => {
    next = new Error('the app server is down')
    server.last.receive({ type: 'id', id: 's1' })
    await settle()
    expect(server.last.sent).toEqual([])
    next = 'first'
    timers.advance(1_000)
    server.last.receive({ type: 'id', id: 's2' })
    await settle()
    expect(server.last.sent).toMatchObject([{ token: 'first' }])
  })

  it('shows the labels of the others', () => {
    server.admit()
    server.last.receive({ type: 'userlist', users: ['u1', 'u2'], labels: { u1: 'Anna' } })
    expect(['u1', 'u2'].map((user) => client.labelOf(user))).toEqual(['Anna', 'u2'])
  })
})

describe('hold', () => {
  it('silences both directions, tells the other side, and is undone', async () => {
    FakePeer.made = []
    const server = new FakeServer()
    const timers = new FakeTimers()
    const createPeer = FakePeer.create
    const client = new HairpinClient({ url: 'ws://test/ws', createSocket: server.createSocket, createPeer, timers })
    client.join('alice')
    server.admit()
    const stream = fakeStream('audio', 'video')
    const call = client.call('bob', stream)
    await settle()
    server.answer()
    await settle()
    FakePeer.last.connection('connected')
    const remote = fakeStream('audio')
    FakePeer.last.ontrack?.({ track: remote.tracks[0], streams: [remote] })
    const enabled = () => [...stream.tracks, ...remote.tracks].map((track) => track.enabled)
    call.setCameraOff(true)
    call.setHeld(true)
    expect(enabled()).toEqual([false, false, false])
    expect(server.last.sent.at(-1)).toEqual({ type: 'hold', target: null, held: true })
    call.setHeld(false)
    expect(enabled()).toEqual([true, false, true])
    server.last.receive({ type: 'hold', callId: 'c1', name: 'bob', held: true })
    expect(call.remoteHeld).toBe(true)
  })
})
