import { beforeEach, describe, expect, it } from 'vitest'
import type { HairpinClient } from '../src/client.ts'
import type { Room } from '../src/room.ts'
import { fakeClient } from './fakes/client.ts'
import { FakePeer, fakeStream } from './fakes/peer.ts'
import type { FakeServer } from './fakes/socket.ts'
import { type FakeTimers, settle } from './fakes/timers.ts'

const sdp = <T extends 'offer' | 'answer'>(type: T) => ({ type, sdp: `their-${type}` }) as const

describe('a room', () => {
  let timers: FakeTimers
  let server: FakeServer
  let client: HairpinClient
  let room: Room
  let stream: ReturnType<typeof fakeStream>

  beforeEach(() => {
    ;({ client, server, timers } = fakeClient({ relayOnly: true }))
    client.join('alice')
    server.admit()
    stream = fakeStream('audio', 'video')
    room = client.enterRoom('lobby', stream)
  })

  const signals = () => server.last.sent.filter((message) => message.type === 'room-signal')
  const joined = (...members: string[]) =>
    server.last.receive({
      type: 'room-joined',
      room: 'lobby',
      you: 'm9',
      members: members.map((id) => ({ id, name: `name of ${id}` })),
    })
  const from = (id: string) => ({ type: 'room-signal', room: 'lobby', id, name: 'x' }) as const

  it('offers to everyone who was there, over a relayed peer connection each', async () => {
    expect(server.last.sent.at(-1)).toEqual({ type: 'room-join', room: 'lobby' })
    joined('m1', 'm2')
    await settle()
    expect(room.state).toBe('joined')
    expect(room.members.map(({ name }) => name)).toEqual(['name of m1', 'name of m2'])
    expect(FakePeer.made.map(({ configuration }) => configuration.iceTransportPolicy)).toEqual(['relay', 'relay'])
    expect(
      signals()
        .filter(({ sdp }) => sdp?.type === 'offer')
        .map(({ id }) => id),
    ).toEqual(['m1', 'm2'])
    server.last.receive({ ...from('m1'), sdp: sdp('answer') })
    server.last.receive({ ...from('m1'), candidate: { candidate: 'c' } })
    await settle()
    expect(FakePeer.made[0]?.candidates).toHaveLength(1)
    FakePeer.made[0]?.connection('connected')
    expect(room.members.map(({ state }) => state)).toEqual(['connected', 'connecting'])
  })

  it('waits for the offer of who comes later, and answers with its own tracks', async () => {
    joined()
    server.last.receive({ type: 'room-entered', room: 'lobby', id: 'm1', name: 'bob' })
    await settle()
    expect(signals().filter(({ sdp }) => sdp)).toEqual([])
    server.last.receive({ ...from('m1'), sdp: sdp('offer') })
    await settle()
    expect(signals().at(-1)).toMatchObject({ id: 'm1', sdp: { type: 'answer' } })
    expect(FakePeer.last.tracks).toHaveLength(2)
  })

  it('tells each member what it does not send, and hears the same', async () => {
    joined('m1')
    room.setMuted(true)
    expect(signals().flatMap(({ mute }) => mute ?? [])).toEqual([
      { audio: false, video: false },
      { audio: true, video: false },
    ])
    server.last.receive({ ...from('m1'), mute: { audio: false, video: true } })
    expect(room.members.map(({ muted, cameraOff }) => [muted, cameraOff])).toEqual([[false, true]])
  })

  it('closes the connection to who leaves, and everything when it is left', async () => {
    joined('m1', 'm2')
    server.last.receive({ type: 'room-left', room: 'lobby', id: 'm1', name: 'x' })
    expect(FakePeer.made.map(({ closed }) => closed)).toEqual([true, false])
    expect(() => client.enterRoom('other')).toThrowError(expect.objectContaining({ code: 'ALREADY_IN_CALL' }))
    expect(() => client.call('bob')).toThrowError(expect.objectContaining({ code: 'ALREADY_IN_CALL' }))
    room.leave()
    expect(FakePeer.made.map(({ closed }) => closed)).toEqual([true, true])
    expect(stream.tracks.every(({ stopped }) => stopped)).toBe(true)
    expect(server.last.sent.at(-1)).toEqual({ type: 'room-leave', room: 'lobby' })
    expect(client.room).toBeUndefined()
    client.leave()
    expect(timers.pending).toBe(0)
  })

  it('is over when the server has no place', () => {
    const codes: string[] = []
    room.on('left', ({ code }) => codes.push(code))
    server.last.receive({ type: 'error', code: 'SIG_ROOM_FULL', message: '', about: 'room-join' })
    expect([codes, room.state, client.room]).toEqual([['SIG_ROOM_FULL'], 'left', undefined])
  })

  it('is entered again with fresh connections when the session was lost', async () => {
    joined('m1')
    server.last.drop()
    timers.advance(1_000)
    server.admit()
    expect(server.last.types()).toContain('room-join')
    expect(FakePeer.made[0]?.closed).toBe(true)
    joined('m4')
    expect(room.members.map(({ id }) => id)).toEqual(['m4'])
  })

  it('looks for another path when one is lost, and says so when there is none', async () => {
    joined('m1')
    await settle()
    server.last.receive({ ...from('m1'), sdp: sdp('answer') })
    await settle()
    FakePeer.last.connection('connected')
    FakePeer.last.connection('disconnected')
    expect(room.members[0]?.state).toBe('reconnecting')
    timers.advance(2_500)
    expect(FakePeer.last.restarts).toBe(1)
    FakePeer.last.connection('failed')
    timers.advance(0)
    timers.advance(30_000)
    expect(room.members[0]?.state).toBe('failed')
  })

  it('carries texts', () => {
    joined()
    const texts: unknown[] = []
    client.on('text', ({ text, room: where }) => texts.push([text, where]))
    client.sendText('hello', room)
    expect(server.last.sent.at(-1)).toEqual({ type: 'message', text: 'hello', room: 'lobby' })
    server.last.receive({ type: 'message', name: 'bob', text: 'hi', date: 0, room: 'lobby' })
    expect(texts).toEqual([['hi', 'lobby']])
  })
})
