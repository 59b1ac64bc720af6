import { describe, expect, it } from 'vitest'
import type { Client } from './support/client.ts'
import { joinAs, twoApps } from './support/identity.ts'
import { startServer } from './support/server.ts'

const offer = { type: 'offer', sdp: 'v=0 offer' }

async function enter(client: Client, room = 'lobby') {
  client.send({ type: 'room-join', room })
  return client.next('room-joined')
}

describe('a room', () => {
  it('tells the newcomer who is there, and them that somebody came and went', async () => {
    const server = await startServer()
    const [ann, bob] = [await server.join('ann'), await server.join('bob')]
    const first = await enter(ann)
    expect(first).toMatchObject({ room: 'lobby', members: [] })
    const second = await enter(bob)
    expect(second.members).toEqual([{ id: first.you, name: 'ann' }])
    expect(await ann.next('room-entered')).toMatchObject({ room: 'lobby', id: second.you, name: 'bob' })
    expect(await server.metric('hairpin_room_members')).toBe(2)
    bob.send({ type: 'room-leave', room: 'another' })
    bob.send({ type: 'room-leave', room: 'lobby' })
    expect(await ann.next('room-left')).toMatchObject({ id: second.you, name: 'bob' })
    ann.socket.terminate()
    while ((await server.metric('hairpin_rooms')) > 0) await bob.settled()
  })

  it('carries signals to the one member they are for, in the true name, and texts to all', async () => {
    const server = await startServer()
    const [ann, bob, carol] = [await server.join('ann'), await server.join('bob'), await server.join('carol')]
    const dave = await server.join('dave')
    const { you: annId } = await enter(ann)
    const { you: bobId } = await enter(bob)
    await enter(carol)
    bob.send({ type: 'room-signal', id: annId, name: 'carol', sdp: offer, mute: { audio: true, video: false } })
    const signal = await ann.next('room-signal')
    expect(signal).toMatchObject({ room: 'lobby', id: bobId, name: 'bob', sdp: offer, mute: { audio: true } })
    bob.send({ type: 'message', text: 'hello', room: 'lobby' })
    for (const one of [ann, bob, carol]) expect(await one.next('message')).toMatchObject({ name: 'bob', room: 'lobby' })
    expect(await carol.settled()).not.toContain('room-signal')
    expect(await dave.settled()).not.toContain('message')
  })

  it('is closed to those outside, and nothing of theirs gets in', async () => {
    const server = await startServer()
    const [ann, bob] = [await server.join('ann'), await server.join('bob')]
    const { you } = await enter(ann)
    bob.send({ type: 'room-signal', id: you, sdp: offer })
    expect(await bob.next('error')).toMatchObject({ code: 'SIG_NO_ROOM', about: 'room-signal' })
    bob.send({ type: 'message', text: 'hello', room: 'lobby' })
    expect(await bob.next('error')).toMatchObject({ code: 'SIG_NO_ROOM', about: 'message' })
    await enter(bob, 'other')
    bob.send({ type: 'room-signal', id: you, sdp: offer })
    expect(await bob.settled()).not.toContain('room-entered')
    expect(await ann.settled()).not.toContain('room-signal')
  })

  it('has eight places, and leaves a full room’s visitor where it was', async () => {
    const server = await startServer()
    for (let i = 0; i < 8; i++) await enter(await server.join(`guest${i}`))
    const late = await server.join('late')
    const { you } = await enter(late, 'other')
    late.send({ type: 'room-join', room: 'lobby' })
    expect(await late.next('error')).toMatchObject({ code: 'SIG_ROOM_FULL', about: 'room-join' })
    const eve = await server.join('eve')
    expect((await enter(eve, 'other')).members).toEqual([{ id: you, name: 'late' }])
  })

  it('of one app has nothing to do with that of another', async () => {
    const server = await startServer({ identity: twoApps })
    const [shop, clinic] = [await joinAs(server, { user: 'u1' }), await joinAs(server, { app: 'clinic', user: 'u1' })]
    await enter(shop)
    expect((await enter(clinic)).members).toEqual([])
    expect((await enter(await server.join('guest'))).members).toEqual([])
    expect(await server.metric('hairpin_rooms')).toBe(3)
  })

  it('may be entered again: the former stay is over', async () => {
    const server = await startServer()
    const [ann, bob] = [await server.join('ann'), await server.join('bob')]
    await enter(ann)
    const { you } = await enter(bob)
    const again = await enter(bob)
    expect(again.you).not.toBe(you)
    expect(await ann.next('room-entered')).toMatchObject({ id: you })
    expect(await ann.next('room-left')).toMatchObject({ id: you })
    expect(await ann.next('room-entered')).toMatchObject({ id: again.you })
  })

  it('and a call shut each other out', async () => {
    const server = await startServer()
    const [ann, bob, carol] = [await server.join('ann'), await server.join('bob'), await server.join('carol')]
    await enter(ann)
    ann.send({ type: 'video-offer', target: 'bob', sdp: offer })
    expect(await ann.next('error')).toMatchObject({ code: 'SIG_IN_ROOM', about: 'video-offer' })
    ann.send({ type: 'username', name: 'another' })
    expect(await ann.next('error')).toMatchObject({ code: 'SIG_IN_ROOM', about: 'username' })
    bob.send({ type: 'video-offer', target: 'ann', sdp: offer })
    expect(await bob.next('call-ended')).toMatchObject({ name: 'ann', reason: 'busy' })
    bob.send({ type: 'video-offer', target: 'carol', sdp: offer })
    await carol.next('video-offer')
    for (const one of [bob, carol]) {
      one.send({ type: 'room-join', room: 'lobby' })
      expect(await one.next('error')).toMatchObject({ code: 'SIG_IN_CALL', about: 'room-join' })
    }
  })
})
