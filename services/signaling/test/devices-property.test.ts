import type { ServerMessage } from '@hairpin/protocol'
import type { Identity } from '@hairpin/tokens'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { frameOf } from '../src/core/encoder.ts'
import { Hub } from '../src/core/hub.ts'
import { defaultSessionLimits } from '../src/core/limits.ts'

/** Two of the users can be woken by a push. */
const endpoints = ['b', 'c'].map((user) => ({
  user: `x/${user}`,
  endpoint: { kind: 'fcm' as const, address: user },
}))

const limits = { ...defaultSessionLimits, messageBurst: 1e9, strikes: 1e9, outboxMessages: 40 }

/** What a client knows of calls, from its messages alone. */
class Device {
  readonly user: string
  connection: string | undefined
  session = ''
  token = ''
  seq = 0
  call: string | undefined
  readonly over = new Set<string>()

  constructor(user: string) {
    this.user = user
  }

  reset(): void {
    this.connection = undefined
    this.token = ''
    this.seq = 0
    this.call = undefined
    this.over.clear()
  }

  read(message: ServerMessage): void {
    if (message.type === 'id' && this.token !== '') return
    if (message.type === 'resumed') {
      this.token = message.token
      expect(message.seq).toBe(this.seq)
      return
    }
    expect(message.seq).toBe(++this.seq)
    if (message.type === 'session') this.token = message.token
    if (message.type === 'video-offer' || message.type === 'ringing' || message.type === 'waking') {
      // A call that it knows of is over before another one begins.
      if (this.call !== message.callId) expect(this.call).toBeUndefined()
      expect(this.over.has(message.callId)).toBe(false)
      this.call = message.callId
    }
    if (message.type === 'call-ended' || message.type === 'answered-elsewhere') {
      expect(this.over.has(message.callId)).toBe(false)
      this.over.add(message.callId)
      if (this.call === message.callId) this.call = undefined
    }
  }
}

it('whatever three users with six devices do, every device knows its call or its end, once, through any loss of sockets', () => {
  const names = ['a', 'a', 'b', 'b', 'b', 'c']
  const sdp = (type: string) => ({ type, sdp: 'v=0' })
  const target = fc.constantFrom('a', 'b', 'c', 'nobody')
  const message = fc.oneof(
    { weight: 5, arbitrary: target.map((target) => ({ type: 'video-offer', target, sdp: sdp('offer') })) },
    { weight: 4, arbitrary: target.map((target) => ({ type: 'video-answer', target, sdp: sdp('answer') })) },
    { weight: 2, arbitrary: target.map((target) => ({ type: 'call-reject', target })) },
    { weight: 2, arbitrary: fc.option(target).map((target) => ({ type: 'hang-up', target })) },
    { weight: 2, arbitrary: target.map((target) => ({ type: 'new-ice-candidate', target, candidate: null })) },
    { weight: 1, arbitrary: target.map((target) => ({ type: 'mute', target, audio: true, video: false })) },
    { weight: 1, arbitrary: target.map((target) => ({ type: 'message', text: 'x', target })) },
  )
  const who = fc.nat(names.length - 1)
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant('say' as const), who, message }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), who, code: fc.constantFrom(1000, 1006) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('return' as const), who, reload: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('ack' as const), who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(40_000) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      let n = 0
      let now = 0
      const newId = () => `s${++n}`
      const hub = new Hub({
        limits,
        guests: false,
        guestApp: '',
        push: { fcm: true, apns: false, allows: () => true },
        pushRecords: { endpoints, missed: [] },
        newId,
        newToken: newId,
        date: () => now,
      })
      const devices = names.map((user) => new Device(user))
      const perform = () => {
        for (let outputs = hub.drain(); outputs.length > 0; outputs = hub.drain()) {
          for (const output of outputs) {
            if (output.do === 'verify-token') {
              const identity: Identity = { app: 'x', user: output.token, expiresAt: 1e15, mayCall: 'everyone' }
              hub.verified(output.session, { identity }, now)
            }
            if (output.do === 'fetch-ice-servers') hub.iceServers(output.session, undefined, now)
            if (output.do === 'close') devices.find(({ connection }) => connection === output.connection)?.reset()
            if (output.do !== 'send') continue
            const frame = JSON.parse(frameOf(output.text, output.seq)) as ServerMessage
            devices.find(({ connection }) => connection === output.connection)?.read(frame)
          }
        }
      }
      const arrive = (device: Device, reload = false) => {
        const { connection: old, token, seq, user } = device
        device.connection = hub.open(now)
        const resumes = token !== '' && old === undefined
        if (!resumes) device.session = device.connection
        const first = resumes
          ? { type: 'resume', token, seq, reload }
          : { type: 'username', name: user, token: user, resume: true }
        hub.receive(device.connection, JSON.stringify(first), now)
      }
      for (const device of devices) {
        arrive(device)
        perform()
      }
      for (const one of steps) {
        if (one.do === 'wait') {
          now += one.ms
          hub.tick(now)
          perform()
          // Whose time of grace is over comes back as somebody new.
          for (const device of devices)
            if (device.connection === undefined && !hub.registry.byId(device.session)) device.reset()
        } else {
          const device = devices[one.who] as Device
          const { connection } = device
          if (one.do === 'say' && connection !== undefined) hub.receive(connection, JSON.stringify(one.message), now)
          if (one.do === 'ack' && connection !== undefined)
            hub.receive(connection, JSON.stringify({ type: 'ack', seq: device.seq }), now)
          if (one.do === 'lose' && connection !== undefined) {
            hub.closed(connection, now, one.code)
            device.connection = undefined
            if (one.code === 1000) device.reset()
          }
          if (one.do === 'return' && connection === undefined) {
            if (!hub.registry.byId(device.session)) device.reset()
            arrive(device, one.reload)
          }
          perform()
        }
        for (const device of devices)
          if (device.connection !== undefined) expect(hub.calls.of(device.session)?.id).toBe(device.call)
      }
      for (const device of devices) if (device.connection !== undefined) hub.closed(device.connection, now, 1000)
      hub.tick(now + 1e6)
      perform()
      expect(hub.size).toBe(0)
      expect(hub.directory.userCount).toBe(0)
      expect(hub.calls.count()).toEqual({ ringing: 0, connected: 0 })
      expect(hub.awaited.size).toBe(0)
      expect(hub.resumable.detachedCount).toBe(0)
      expect(hub.expiries.size).toBe(0)
      expect(hub.nextDeadline()).toBeUndefined()
    }),
    { numRuns: 300 },
  )
})
