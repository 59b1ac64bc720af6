import type { DeskBody } from '@hairpin/desk'
import type { ServerMessage } from '@hairpin/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { frameOf } from '../src/core/encoder.ts'
import { Hub } from '../src/core/hub.ts'
import { defaultSessionLimits } from '../src/core/limits.ts'
import type { DeskOutput } from '../src/core/output.ts'

const limits = { ...defaultSessionLimits, messageBurst: 1e9, strikes: 1e9, graceMs: 50 }

/** What the service may believe of the agents, from what it was told; it refuses to be told nonsense. */
class Service {
  /** With the ids of their devices. */
  readonly here = new Map<string, Set<string>>()
  reachable = false

  hear(output: DeskOutput): void {
    expect(this.reachable).toBe(true)
    if (output.act === 'arrive') expect(this.here.has(output.agent)).toBe(false)
    else expect(this.here.has(output.agent)).toBe(true)
    const devices = this.here.get(output.agent)
    if (output.act === 'arrive') this.here.set(output.agent, new Set([output.device]))
    if (output.act === 'appear') devices?.add(output.device)
    if (output.act === 'disappear') {
      expect(devices?.delete(output.device)).toBe(true)
      expect(devices?.size).toBeGreaterThan(0)
    }
    if (output.act === 'leave') {
      expect(devices?.size).toBe(1)
      this.here.delete(output.agent)
    }
  }
}

/** A device of an agent, and what is true of it. */
class Device {
  readonly #hub: Hub
  readonly user: string
  id = ''
  mayBeAgent = true
  connection: string | undefined
  joined = false
  takesCalls = false
  resumeToken = ''
  seq = 0
  /** The calls that it heard of since its session began. */
  rings: string[] = []
  /** Those that it must have heard of, once it is connected. */
  due: string[] = []

  constructor(hub: Hub, user: string) {
    this.#hub = hub
    this.user = user
  }

  get isHere(): boolean {
    return this.joined && this.takesCalls && this.connection !== undefined
  }

  join(now: number): void {
    if (this.connection !== undefined) return
    this.end()
    this.connection = this.#hub.open(now)
    // Its `id`, which has no number of its own on a later socket.
    this.seq = 1
    this.#send({ type: 'username', name: '', token: 'any', resume: true }, now)
    this.verdict(true, now)
    this.joined = true
  }

  /** The token verifies, as an agent's or not. */
  verdict(agent: boolean, now: number): void {
    const identity = { app: 'shop', user: this.user, expiresAt: 1e9, mayCall: 'everyone' as const }
    this.#hub.verified(this.#session(), { identity: agent ? { ...identity, agent } : identity }, now)
  }

  renew(agent: boolean, now: number): void {
    if (!this.joined || this.connection === undefined) return
    this.#send({ type: 'token', token: 'any' }, now)
    this.verdict(agent, now)
    if (!agent) this.takesCalls = false
    this.mayBeAgent = agent
  }

  setAvailable(available: boolean, now: number): void {
    if (!this.joined || this.connection === undefined) return
    this.#send({ type: 'agent', available }, now)
    if (this.mayBeAgent) this.takesCalls = available
  }

  lose(code: number, now: number): void {
    if (this.connection === undefined) return
    this.#hub.closed(this.connection, now, code)
    this.connection = undefined
    if (code === 1000) this.end()
  }

  /** @param noticed the server knows that the former socket is lost */
  resume(noticed: boolean, reload: boolean, now: number): void {
    if (!this.joined) return
    if (noticed && this.connection !== undefined) this.lose(1006, now)
    this.connection = this.#hub.open(now)
    this.#send({ type: 'resume', token: this.resumeToken, seq: this.seq, reload }, now)
  }

  read(frame: string): void {
    const message = JSON.parse(frame) as ServerMessage
    if (message.type === 'id') return
    if (message.type === 'resumed') this.resumeToken = message.token
    else expect(message.seq).toBe(++this.seq)
    if (message.type === 'session') {
      this.resumeToken = message.token
      this.id = message.id
    }
    if (message.type === 'call-is-coming') this.rings.push(message.callId)
  }

  end(): void {
    this.joined = false
    this.takesCalls = false
    this.mayBeAgent = true
    this.seq = 0
    this.rings = []
    this.due = []
  }

  #session(): string {
    return this.joined ? this.id : (this.connection ?? '')
  }

  #send(message: object, now: number): void {
    if (this.connection !== undefined) this.#hub.receive(this.connection, JSON.stringify(message), now)
  }
}

it('after any interleaving the service’s view of who is here is the truth, and each device heard its calls once and in order', () => {
  const who = fc.nat(3)
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('join' as const), who }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('available' as const), who, on: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('lose' as const), who, code: fc.constantFrom(1006, 1000) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('resume' as const), who, noticed: fc.boolean(), reload: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), who, agent: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('ring' as const), user: fc.constantFrom('anna', 'ben') }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('link' as const), up: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 60) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      let [now, n] = [0, 0]
      const newId = () => `s${++n}`
      const hub = new Hub({
        limits,
        guests: false,
        guestApp: '',
        desk: { app: 'shop' },
        newId,
        newToken: newId,
        date: () => 0,
      })
      const service = new Service()
      // Two of Anna's, two of Ben's.
      const devices = ['anna', 'anna', 'ben', 'ben'].map((user) => new Device(hub, user))
      const perform = () => {
        for (const output of hub.drain()) {
          if (output.do === 'desk') service.hear(output)
          if (output.do === 'send')
            devices.find(({ connection }) => connection === output.connection)?.read(frameOf(output.text, output.seq))
        }
      }
      const linked = (up: boolean) => {
        if (up === service.reachable) return
        service.reachable = up
        service.here.clear()
        if (up) hub.deskUp(now)
        else hub.deskDown(now)
      }
      linked(true)
      for (const [at, one] of steps.entries()) {
        const device = 'who' in one ? (devices[one.who] as Device) : undefined
        if (one.do === 'join') device?.join(now)
        if (one.do === 'available') device?.setAvailable(one.on, now)
        if (one.do === 'lose') device?.lose(one.code, now)
        if (one.do === 'resume') device?.resume(one.noticed, one.reload, now)
        if (one.do === 'renew') device?.renew(one.agent, now)
        if (one.do === 'link') linked(one.up)
        if (one.do === 'wait') {
          now += one.ms
          hub.tick(now)
          for (const other of devices) if (other.connection === undefined && one.ms > limits.graceMs) other.end()
        }
        if (one.do === 'ring') {
          const body: DeskBody = { type: 'call-is-coming', callId: `c${at}` }
          hub.deskTold(one.user, 'all', body, now)
          for (const other of devices)
            if (service.reachable && other.user === one.user && other.takesCalls) other.due.push(body.callId)
        }
        perform()
        const truth = new Map<string, Set<string>>()
        for (const { isHere, user, id } of devices) if (isHere) truth.set(user, (truth.get(user) ?? new Set()).add(id))
        expect(service.here).toEqual(service.reachable ? truth : new Map())
        expect(hub.desk.size).toBe(truth.size)
        for (const other of devices) if (other.connection !== undefined) expect(other.rings).toEqual(other.due)
      }
      hub.shutdown()
      perform()
      expect(service.here.size).toBe(0)
    }),
    { numRuns: 300 },
  )
})
