import { type ServerMessage, type ServerType, serverSchemas } from '@hairpin/protocol'
import fc from 'fast-check'
import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { frameOf } from '../src/core/encoder.ts'
import { Hub } from '../src/core/hub.ts'
import { defaultSessionLimits } from '../src/core/limits.ts'
import type { Output } from '../src/core/output.ts'

const limits = { ...defaultSessionLimits, messageBurst: 1e9, strikes: 1e9 }
const sdp = { type: 'offer', sdp: 'o' }

function newHub() {
  let n = 0
  return new Hub({
    limits,
    guests: true,
    guestApp: 'demo',
    newId: () => `s${++n}`,
    newToken: () => `t${++n}`,
    date: () => 1_700_000_000_000,
  })
}

/** All outputs, with credentials given as soon as they are asked for. */
function untilQuiet(hub: Hub): Output[] {
  const outputs = hub.drain()
  for (const output of outputs) {
    if (output.do === 'fetch-ice-servers') hub.iceServers(output.session, { iceServers: [], ttl: 1, expiresAt: '' }, 0)
    else if (output.do === 'verify-token') hub.verified(output.session, { code: 'SIG_TOKEN_INVALID', message: '' }, 0)
    else continue
    outputs.push(...hub.drain())
  }
  return outputs
}

describe('the hub, driven by hand', () => {
  it('works through its deadlines without a clock of its own', () => {
    const hub = newHub()
    hub.open(0)
    expect(hub.nextDeadline()).toBe(10_000)
    hub.tick(9_999)
    expect(hub.size).toBe(1)
    hub.tick(10_000)
    expect(hub.size).toBe(0)
    expect(hub.drain().map((output) => output.do)).toContain('close')
    expect(hub.nextDeadline()).toBeUndefined()
  })

  it('does not give the servers of a finished session to anyone', () => {
    const hub = newHub()
    const id = hub.open(0)
    hub.receive(id, '{"type":"username","name":"a"}', 0)
    hub.closed(id, 0)
    hub.drain()
    hub.iceServers(id, { iceServers: [], ttl: 1, expiresAt: '' }, 0)
    expect(hub.drain()).toEqual([])
  })
})

describe('whatever clients send, in whatever order', () => {
  const who = fc.nat(4)
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'nobody')
  const message = fc.oneof(
    name.map((name) => ({ type: 'username', name })),
    name.map((target) => ({ type: 'video-offer', target, sdp })),
    name.map((target) => ({ type: 'video-answer', target, sdp: { type: 'answer', sdp: 'a' } })),
    name.map((target) => ({ type: 'new-ice-candidate', target, candidate: null })),
    fc.option(name).map((target) => ({ type: 'hang-up', target })),
    name.map((target) => ({ type: 'call-reject', target })),
    fc.option(name).map((target) => ({ type: 'message', target, text: 't' })),
    name.map((target) => ({ type: 'mute', target, audio: true, video: false })),
    name.map((target) => ({ type: 'hold', target, held: true })),
    name.map((token) => ({ type: 'token', token })),
    name.map((token) => ({ type: 'resume', token, seq: 1 })),
    fc.nat().map((seq) => ({ type: 'ack', seq: seq + 1 })),
    { weight: 1, arbitrary: name.map((name) => ({ type: 'username', name, token: 't' })) },
    name.map((target) => ({ type: 'x-custom', target, deep: { seq: 0 } })),
    fc.json().map((text) => ({ type: 'x-json', target: 'a', text })),
    fc.object({ key: fc.constantFrom('type', 'target', 'name', 'sdp', 'candidate', '__proto__', 'x') }),
  )
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant('send' as const), who, message }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(70_000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('raw' as const), who, text: fc.string() }) },
  )

  it('every message is valid and numbered without gaps, and each side hears of each call’s end exactly once', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const hub = newHub()
        const open = new Map<string, { seq: number; calls: Set<string>; ended: Set<string> }>()
        const clients: string[] = []
        let now = 0
        const perform = () => {
          for (const output of untilQuiet(hub)) {
            if (output.do === 'close') open.delete(output.connection)
            if (output.do !== 'send') continue
            const client = open.get(output.connection)
            if (client === undefined) throw new Error(`a message to ${output.connection}, which is gone`)
            const body = JSON.parse(frameOf(output.text, output.seq)) as ServerMessage
            expect(output.seq).toBe(++client.seq)
            const schema = serverSchemas[body.type as ServerType]
            if (schema !== undefined) expect(Value.Check(schema, body)).toBe(true)
            if (body.type === 'video-offer' || body.type === 'ringing') client.calls.add(body.callId)
            if (body.type === 'call-ended') {
              expect(client.ended.has(body.callId)).toBe(false)
              client.ended.add(body.callId)
            }
          }
        }
        const connect = (index: number) => {
          const id = hub.open(now)
          open.set(id, { seq: 0, calls: new Set(), ended: new Set() })
          clients[index] = id
          if (index < 4) hub.receive(id, JSON.stringify({ type: 'username', name: 'abcd'[index] }), now)
        }
        for (let i = 0; i < 5; i++) connect(i)
        perform()
        for (const one of steps) {
          if (one.do === 'send') hub.receive(clients[one.who]!, JSON.stringify(one.message), now)
          if (one.do === 'raw') hub.receive(clients[one.who]!, one.text, now)
          if (one.do === 'reconnect') {
            open.delete(clients[one.who]!)
            hub.closed(clients[one.who]!, now)
            connect(one.who)
          }
          if (one.do === 'wait') {
            now += one.ms
            hub.tick(now)
          }
          perform()
          // Who is in a call heard of it and of no end; who is in none heard the end of each.
          for (const [id, { calls, ended }] of open) {
            const present = hub.calls.of(id)?.id
            for (const call of calls) expect(ended.has(call)).toBe(call !== present)
            if (present !== undefined) expect(calls.has(present)).toBe(true)
          }
        }
      }),
      { numRuns: 1000 },
    )
  })
})
