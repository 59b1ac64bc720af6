import type { ServerMessage } from '@hairpin/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { frameOf } from '../src/core/encoder.ts'
import { Hub } from '../src/core/hub.ts'
import { defaultSessionLimits } from '../src/core/limits.ts'

const limits = { ...defaultSessionLimits, messageBurst: 1e9, strikes: 1e9, framesPerAck: 3 }

/** A client whose network delivers frames when it likes, and loses what was under way when the socket dies. */
class Traveller {
  readonly hub: Hub
  connection: string
  token = ''
  /** What the server sent on the present socket and has not arrived yet. */
  arriving: string[] = []
  leaving: string[] = []
  seq = 0
  readonly texts: string[] = []
  /** Its own frames after the `username`, and how many of them the server is known to have. */
  readonly sent: string[] = []
  resuming = false

  constructor(hub: Hub, name: string) {
    this.hub = hub
    this.connection = hub.open(0)
    hub.receive(this.connection, JSON.stringify({ type: 'username', name, resume: true }), 0)
  }

  say(message: object): void {
    const frame = JSON.stringify(message)
    this.sent.push(frame)
    if (!this.resuming) this.leaving.push(frame)
  }

  /** The next few frames arrive, in both directions. */
  travel(count: number): void {
    for (const frame of this.leaving.splice(0, count)) this.hub.receive(this.connection, frame, 0)
    for (const frame of this.arriving.splice(0, count)) this.#read(JSON.parse(frame))
  }

  #read(message: ServerMessage): void {
    if (this.resuming) {
      if (message.type !== 'resumed') return
      this.resuming = false
      this.token = message.token
      expect(message.seq).toBe(this.seq)
      this.leaving = this.sent.slice(message.received)
      return
    }
    expect(message.seq).toBe(++this.seq)
    if (message.type === 'session') this.token = message.token
    if (message.type === 'message') this.texts.push(message.text)
  }

  reconnect(serverKnows: boolean): void {
    if (this.token === '') return
    if (serverKnows) this.hub.closed(this.connection, 0, 1006)
    this.arriving = []
    this.resuming = true
    this.connection = this.hub.open(0)
    this.leaving = [JSON.stringify({ type: 'resume', token: this.token, seq: this.seq })]
  }
}

it('whatever the network loses, texts arrive exactly once and in order, in both directions', () => {
  const who = fc.nat(2)
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('say' as const), who }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('travel' as const), who, count: fc.nat(6) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('reconnect' as const), who, known: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('ack' as const), who }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      let n = 0
      const hub = new Hub({
        limits,
        guests: true,
        guestApp: 'demo',
        newId: () => `s${++n}`,
        newToken: () => `t${++n}`,
        date: () => 0,
      })
      const travellers = ['a', 'b', 'c'].map((name) => new Traveller(hub, name))
      const perform = () => {
        for (const output of hub.drain()) {
          if (output.do !== 'send') continue
          const to = travellers.find(({ connection }) => connection === output.connection)
          to?.arriving.push(frameOf(output.text, output.seq))
        }
      }
      perform()
      const said: string[][] = [[], [], []]
      for (const one of steps) {
        const traveller = travellers[one.who] as Traveller
        if (one.do === 'say') {
          const text = `${one.who}:${said[one.who]?.push('')}`
          traveller.say({ type: 'message', text })
        }
        if (one.do === 'travel') traveller.travel(one.count)
        if (one.do === 'reconnect') traveller.reconnect(one.known)
        if (one.do === 'ack' && traveller.seq > 0) traveller.say({ type: 'ack', seq: traveller.seq })
        perform()
      }
      for (let round = 0; round < 4; round++) {
        for (const traveller of travellers) {
          traveller.travel(1e9)
          perform()
        }
      }
      for (const traveller of travellers) {
        expect(traveller.texts).toEqual(travellers[0]?.texts)
        for (const [index, texts] of said.entries()) {
          const heard = traveller.texts.filter((text) => text.startsWith(`${index}:`))
          expect(heard).toEqual(texts.map((_, i) => `${index}:${i + 1}`))
        }
      }
    }),
    { numRuns: 300 },
  )
})
