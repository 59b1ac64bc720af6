import type { ServerMessage } from '@hairpin/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { frameOf } from '../src/core/encoder.ts'
import { Hub } from '../src/core/hub.ts'
import { defaultSessionLimits } from '../src/core/limits.ts'

const limits = { ...defaultSessionLimits, messageBurst: 1e9, strikes: 1e9, roomMembers: 3 }

/** What a client knows of its room, from its messages alone. */
class Guest {
  connection: string | undefined
  session = ''
  token = ''
  seq = 0
  room: string | undefined
  you = ''
  readonly others = new Set<string>()

  read(message: ServerMessage): void {
    if (message.type === 'id' && this.token !== '') return
    if (message.type === 'resumed') {
      this.token = message.token
      return
    }
    expect(message.seq).toBe(++this.seq)
    if (message.type === 'session') this.token = message.token
    if (message.type === 'room-joined') {
      this.room = message.room
      this.you = message.you
      this.others.clear()
      for (const { id } of message.members) this.others.add(id)
    } else if (message.type === 'room-entered') {
      expect([message.room, this.others.has(message.id)]).toEqual([this.room, false])
      this.others.add(message.id)
    } else if (message.type === 'room-left') expect(this.others.delete(message.id)).toBe(true)
    else if (message.type === 'room-signal') expect(this.others.has(message.id)).toBe(true)
  }
}

it('whatever five guests do, each knows exactly who is in its room, through any loss of sockets', () => {
  const room = fc.constantFrom('r1', 'r2')
  const who = fc.nat(4)
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('join' as const), who, room }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), who, room }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('signal' as const), who, nth: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), who, code: fc.constantFrom(1000, 1006) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('return' as const), who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(40_000) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      let n = 0
      let now = 0
      const newId = () => `s${++n}`
      const hub = new Hub({ limits, guests: true, guestApp: '', newId, newToken: newId, date: () => now })
      const guests = Array.from({ length: 5 }, () => new Guest())
      const perform = () => {
        for (const output of hub.drain())
          if (output.do === 'send')
            guests
              .find(({ connection }) => connection === output.connection)
              ?.read(JSON.parse(frameOf(output.text, output.seq)))
      }
      const arrive = (guest: Guest) => {
        const { token, seq } = guest
        const resumes = hub.registry.byId(guest.session) !== undefined
        if (!resumes) Object.assign(guest, { token: '', seq: 0, room: undefined })
        guest.connection = hub.open(now)
        if (!resumes) guest.session = guest.connection
        const first = resumes ? { type: 'resume', token, seq } : { type: 'username', name: 'g', resume: true }
        hub.receive(guest.connection, JSON.stringify(first), now)
        perform()
      }
      for (const guest of guests) arrive(guest)
      for (const one of steps) {
        if (one.do === 'wait') {
          now += one.ms
          hub.tick(now)
        } else {
          const guest = guests[one.who] as Guest
          const say = (message: object) =>
            guest.connection && hub.receive(guest.connection, JSON.stringify(message), now)
          if (one.do === 'join') say({ type: 'room-join', room: one.room })
          if (one.do === 'leave') {
            say({ type: 'room-leave', room: one.room })
            if (guest.connection && guest.room === one.room) guest.room = undefined
          }
          if (one.do === 'signal')
            say({ type: 'room-signal', id: [...guest.others][one.nth] ?? 'nobody', candidate: null })
          if (one.do === 'lose' && guest.connection) {
            hub.closed(guest.connection, now, one.code)
            guest.connection = undefined
          }
          if (one.do === 'return' && !guest.connection) arrive(guest)
        }
        perform()
        for (const { connection, session, room, you, others } of guests) {
          if (connection === undefined) continue
          const stay = hub.rooms.of(session)
          expect(stay?.room.name).toBe(room)
          if (stay !== undefined) expect(new Set(stay.room.members.keys())).toEqual(new Set([you, ...others]))
          expect(stay?.room.members.size ?? 0).toBeLessThanOrEqual(3)
        }
      }
      for (const { connection } of guests) if (connection) hub.closed(connection, now, 1000)
      hub.tick(now + 1e6)
      expect(hub.rooms.count()).toEqual({ rooms: 0, members: 0 })
    }),
    { numRuns: 300 },
  )
})
