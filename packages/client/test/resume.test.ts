import type { ServerMessage } from '@hairpin/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import type { HairpinClient } from '../src/client.ts'
import { SignalingConnection } from '../src/signaling.ts'
import { fakeClient } from './fakes/client.ts'
import { FakePeer, fakeStream } from './fakes/peer.ts'
import { FakeServer, type FakeSocket } from './fakes/socket.ts'
import { FakeTimers, settle } from './fakes/timers.ts'

const text = (words: string) => ({ type: 'message', text: words }) as const
const said = (words: string) => ({ type: 'message', name: 'bob', text: words, date: 0 }) as const

describe('a session that can be resumed', () => {
  let timers: FakeTimers
  let server: FakeServer
  let connection: SignalingConnection
  let heard: string[]
  let messages: ServerMessage[]

  beforeEach(() => {
    timers = new FakeTimers()
    server = new FakeServer()
    connection = new SignalingConnection({
      url: 'ws://test/ws',
      createSocket: server.createSocket,
      timers,
      reconnect: () => 100,
    })
    heard = []
    messages = []
    connection.on('state', (state) => heard.push(state))
    connection.on('lost', () => heard.push('lost'))
    connection.on('joined', ({ resumed }) => heard.push(resumed ? 'resumed' : 'new session'))
    connection.on('message', (message) => messages.push(message))
    connection.join('alice')
    // id, session and ice-servers: 1 to 3.
    server.admit(undefined, 30)
    heard.length = 0
    messages.length = 0
  })

  const frames = (socket: FakeSocket) =>
    socket.sent.map((frame) =>
      frame.type === 'message' ? frame.text : 'seq' in frame ? `${frame.type} ${frame.seq}` : frame.type,
    )
  const texts = () => messages.flatMap((message) => (message.type === 'message' ? [message.text] : []))

  function reconnect(): FakeSocket {
    server.last.drop()
    timers.advance(100)
    server.last.receive({ type: 'id', id: 's2' })
    return server.last
  }

  it('sends again what the server does not have, once and in order, before what is new', () => {
    for (const words of ['one', 'two', 'three']) connection.send(text(words))
    server.last.drop()
    expect(connection.send(text('four'))).toBe(true)
    timers.advance(100)
    const socket = server.last
    socket.receive({ type: 'id', id: 's2' })
    expect(connection.send(text('five'))).toBe(true)
    expect(socket.sent).toEqual([{ type: 'resume', token: 'token-1', seq: 3 }])
    socket.resumed(3, 1)
    connection.send(text('six'))
    expect(frames(socket)).toEqual(['resume 3', 'two', 'three', 'four', 'five', 'six'])
    expect(heard).toEqual(['reconnecting', 'joined', 'resumed'])
  })

  it('counts acknowledgements among its frames and repeats old ones', () => {
    connection.send(text('one'))
    timers.advance(5_000)
    expect(frames(server.last)).toEqual(['username', 'one', 'ack 3'])
    connection.send(text('two'))
    const socket = reconnect()
    socket.resumed(3, 1)
    expect(frames(socket)).toEqual(['resume 3', 'ack 3', 'two'])
  })

  it('drops the copies that the server confirms and goes on with the newest token', () => {
    for (const words of ['one', 'two', 'three']) connection.send(text(words))
    server.last.receive({ type: 'ack', received: 2 })
    const second = reconnect()
    second.resumed(4, 2)
    expect(frames(second)).toEqual(['resume 4', 'three'])
    const third = reconnect()
    expect(third.sent).toEqual([{ type: 'resume', token: 'token-2', seq: 4 }])
    third.resumed(4, 3, 'token-3')
    expect(frames(third)).toEqual(['resume 4'])
  })

  it('hears every message once when a resume is answered and lost again', () => {
    server.last.receive(said('a'))
    server.last.receive(said('b'))
    const second = reconnect()
    second.resumed(5, 0)
    second.receive(said('c'))
    second.receiveText(JSON.stringify({ ...said('c'), seq: 6 }))
    const third = reconnect()
    expect(third.sent.at(-1)).toEqual({ type: 'resume', token: 'token-2', seq: 6 })
    third.drop()
    timers.advance(100)
    const fourth = server.last
    fourth.receive({ type: 'id', id: 's4' })
    expect(fourth.sent).toEqual([{ type: 'resume', token: 'token-2', seq: 6 }])
    fourth.resumed(6, 0)
    fourth.receive(said('d'))
    expect(texts()).toEqual(['a', 'b', 'c', 'd'])
    expect(heard).not.toContain('lost')
  })

  it('acknowledges after 50 messages at once, else after 5 s, and nothing twice', () => {
    for (let count = 0; count < 47; count++) server.last.receive(said('x'))
    expect(frames(server.last)).toEqual(['username', 'ack 50'])
    timers.advance(20_000)
    expect(frames(server.last)).toEqual(['username', 'ack 50'])
    server.last.receive(said('x'))
    timers.advance(4_999)
    expect(server.last.sent).toHaveLength(2)
    timers.advance(1)
    expect(frames(server.last).at(-1)).toBe('ack 51')
  })

  it.each(['SIG_RESUME_GAP', 'SIG_RESUME_UNKNOWN'])('joins anew over the same socket at %s', (code) => {
    connection.send(text('old'))
    const socket = reconnect()
    socket.receive({ type: 'error', code, message: '', about: 'resume' })
    expect(heard).toEqual(['reconnecting', 'lost'])
    expect(connection.send(text('between'))).toBe(false)
    expect(frames(socket)).toEqual(['resume 3', 'username'])
    socket.receive({ type: 'session', id: 's2', token: 'fresh', grace: 30 })
    socket.receive({ type: 'ice-servers', iceServers: [], ttl: 0, expiresAt: '' })
    expect(heard.slice(2)).toEqual(['joined', 'new session'])
    connection.send(text('new'))
    const next = reconnect()
    expect(next.sent).toEqual([{ type: 'resume', token: 'fresh', seq: 4 }])
    next.resumed(4, 0)
    expect(frames(next)).toEqual(['resume 4', 'new'])
  })

  it('ends with its socket where the server offered no session', () => {
    connection.join('alice')
    server.admit()
    heard.length = 0
    for (let count = 0; count < 60; count++) server.last.receive(said('x'))
    timers.advance(5_000)
    expect(frames(server.last)).toEqual(['username'])
    const socket = reconnect()
    expect(heard).toEqual(['reconnecting', 'lost'])
    expect(frames(socket)).toEqual(['username'])
  })

  it('says goodbye with 1000 on leaving and never otherwise', () => {
    const [first] = server.sockets
    timers.advance(40_000)
    expect(first?.closed).toBe(true)
    expect(first?.closeCode).toBeUndefined()
    timers.advance(100)
    connection.close()
    expect(server.last.closeCode).toBe(1000)
    expect(timers.pending).toBe(0)
  })

  it('is over at once when the server says so by its close code, and in the end without a server', () => {
    server.last.drop(4413)
    expect(heard).toEqual(['reconnecting', 'lost'])
    timers.advance(100)
    server.admit(undefined, 30)
    heard.length = 0
    server.last.drop()
    timers.advance(89_000)
    expect(heard).toEqual(['reconnecting'])
    timers.advance(1_000)
    expect(heard).toEqual(['reconnecting', 'lost'])
    expect(connection.send(text('late'))).toBe(false)
  })
})

describe('a call over a session that is resumed', () => {
  let timers: FakeTimers
  let server: FakeServer
  let client: HairpinClient

  beforeEach(async () => {
    ;({ client, server, timers } = fakeClient({ reconnect: () => 100 }))
    client.join('alice')
    server.admit(undefined, 30)
    client.call('bob', fakeStream('audio', 'video'))
    await settle()
    server.answer()
    await settle()
    FakePeer.last.connection('connected')
  })

  function resume(): FakeSocket {
    timers.advance(100)
    server.last.receive({ type: 'id', id: 's2' })
    server.last.resumed(4, 1)
    return server.last
  }

  it('ends when the other side hung up meanwhile', () => {
    const call = client.currentCall
    server.last.drop()
    expect([call?.state, call?.detached]).toEqual(['connected', false])
    resume().receive({ type: 'call-ended', callId: 'c1', name: 'bob', reason: 'hang-up' })
    expect(call?.end).toEqual({ reason: 'hang-up', by: 'remote' })
  })

  it('tells the other side of a hang-up made meanwhile', () => {
    server.last.drop()
    client.currentCall?.hangUp()
    expect(resume().types()).toEqual(['resume', 'hang-up'])
  })

  it('looks for a path anew if the old one is lost, by one offer', async () => {
    server.last.drop()
    FakePeer.last.connection('disconnected')
    const socket = resume()
    await settle()
    expect(socket.types()).toEqual(['resume', 'video-offer'])
    client.checkNow()
    await settle()
    expect(FakePeer.last.restarts).toBe(1)
  })

  it('runs on by its media alone when the session is gone', async () => {
    const call = client.currentCall
    server.last.drop()
    FakePeer.last.connection('disconnected')
    FakePeer.last.connection('connected')
    timers.advance(100)
    server.last.receive({ type: 'id', id: 's2' })
    server.last.receive({ type: 'error', code: 'SIG_RESUME_UNKNOWN', message: '', about: 'resume' })
    server.last.receive({ type: 'ice-servers', iceServers: [], ttl: 0, expiresAt: '' })
    expect([call?.state, call?.detached, client.connection.state]).toEqual(['connected', true, 'joined'])
    call?.hangUp()
    expect(server.last.types()).toEqual(['resume', 'username'])
  })

  it('leaves a path alone that stands', async () => {
    server.last.drop()
    const socket = resume()
    await settle()
    expect(socket.types()).toEqual(['resume'])
  })
})
