import { beforeEach, describe, expect, it } from 'vitest'
import { type CloseInfo, SignalingConnection } from '../src/signaling.ts'
import { FakeServer } from './fakes/socket.ts'
import { FakeTimers } from './fakes/timers.ts'

describe('SignalingConnection', () => {
  let timers: FakeTimers
  let server: FakeServer
  let connection: SignalingConnection
  const heard: string[] = []

  beforeEach(() => {
    timers = new FakeTimers()
    server = new FakeServer()
    connection = new SignalingConnection({
      url: 'ws://test/ws',
      createSocket: server.createSocket,
      timers,
      reconnect: (attempt) => (attempt < 3 ? 100 * (attempt + 1) : undefined),
    })
    heard.length = 0
    connection.on('state', (state) => heard.push(state))
    connection.on('lost', () => heard.push('lost'))
  })

  it('speaks the json subprotocol and sends its name only after the id', () => {
    connection.join('alice')
    expect(server.last.subprotocol).toBe('json')
    expect(server.last.sent).toEqual([])
    server.admit()
    expect(server.last.sent).toEqual([{ type: 'username', name: 'alice', resume: true }])
    expect(heard).toEqual(['connecting', 'joined'])
  })

  it('goes by the name that the server chose', () => {
    const joined: unknown[] = []
    connection.on('joined', (info) => joined.push(info))
    connection.join('alice')
    server.admit('alice2')
    expect(joined).toEqual([{ name: 'alice2', wanted: 'alice', resumed: false, reloaded: false }])
    expect(connection.name).toBe('alice2')
  })

  it('is joined without a relay when the server has no credentials to give', () => {
    connection.join('alice')
    server.last.receive({ type: 'id', id: 's1' })
    server.last.receive({ type: 'error', code: 'SIG_ICE_SERVERS_UNAVAILABLE', message: 'later' })
    expect(connection.state).toBe('joined')
  })

  it('reconnects by the policy, counts attempts from the last session and joins again', () => {
    const retries: unknown[] = []
    connection.on('retry', (retry) => retries.push(retry))
    connection.join('alice')
    server.admit()
    server.last.drop()
    expect(heard.slice(2)).toEqual(['reconnecting', 'lost'])
    timers.advance(100)
    server.last.drop()
    timers.advance(199)
    expect(server.sockets).toHaveLength(2)
    timers.advance(1)
    server.admit()
    expect(connection.state).toBe('joined')
    server.last.drop()
    expect(retries).toEqual([
      { attempt: 1, delay: 100 },
      { attempt: 2, delay: 200 },
      { attempt: 1, delay: 100 },
    ])
  })

  it('gives up when the policy does', () => {
    const closed: CloseInfo[] = []
    connection.on('closed', (info) => closed.push(info))
    connection.join('alice')
    for (let attempt = 0; attempt < 4; attempt++) {
      server.last.drop()
      timers.advance(1000)
    }
    expect(connection.state).toBe('closed')
    expect(closed).toEqual([{ code: 1006 }])
    expect(timers.pending).toBe(0)
  })

  it('does not repeat what the server refused, and hands on its reason', () => {
    const closed: CloseInfo[] = []
    connection.on('closed', (info) => closed.push(info))
    connection.join('alice')
    server.last.receive({ type: 'id', id: 's1' })
    server.last.receive({ type: 'error', code: 'SIG_GUESTS_OFF', message: 'no guests' })
    server.last.drop(4401)
    timers.advance(60_000)
    expect(server.sockets).toHaveLength(1)
    expect(closed).toEqual([{ code: 4401, error: { code: 'SIG_GUESTS_OFF', message: 'no guests' } }])
  })

  it('asks a silent server for a sign of life and leaves a dead socket', () => {
    connection.join('alice')
    server.admit()
    const [socket] = server.sockets
    timers.advance(30_000)
    expect(socket?.types()).toEqual(['username', 'ice-servers'])
    socket?.receive({ type: 'userlist', users: ['alice'] })
    timers.advance(30_000)
    expect(connection.state).toBe('joined')
    timers.advance(8_000)
    expect(connection.state).toBe('reconnecting')
    expect(socket?.closed).toBe(true)
  })

  it('cuts the back-off short when told that the network changed', () => {
    connection.join('alice')
    server.admit()
    server.last.drop()
    connection.checkNow()
    expect(server.sockets).toHaveLength(2)
  })

  it('abandons an attempt that leads to no session', () => {
    connection.join('alice')
    timers.advance(10_000)
    expect(server.sockets[0]?.closed).toBe(true)
    timers.advance(100)
    expect(server.sockets).toHaveLength(2)
  })

  it('drops messages without a session and survives frames that are no messages', () => {
    connection.join('alice')
    expect(connection.send({ type: 'hang-up' })).toBe(false)
    for (const frame of ['', '{', 'null', '7', '[]', '{"type":1}', '{"type":"new-thing"}'])
      server.last.receiveText(frame)
    server.admit()
    expect(connection.send({ type: 'hang-up' })).toBe(true)
  })

  it('hears nothing more from a socket it has left', () => {
    connection.join('alice')
    server.admit()
    const [old] = server.sockets
    connection.join('bob')
    old?.receive({ type: 'id', id: 'x' })
    old?.drop()
    expect(connection.state).toBe('connecting')
    expect(server.sockets).toHaveLength(2)
  })
})
