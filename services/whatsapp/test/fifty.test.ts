import { expect, it } from 'vitest'
import type { MediaLeg, NewLeg } from '../src/media/leg.ts'
import { nativeLegs } from '../src/media/native-leg.ts'
import { Station } from './support/station.ts'

const bindAddress = '127.0.0.1'
const CALLS = 50
/** Packets each way. */
const PACKETS = 10
const ssrcOf = (packet: Buffer) => packet.readUInt32BE(8)
const isRtp = (packet: Buffer) => (packet[1]! & 0x7f) === 111

/** Two hundred handshakes on a machine that may have other things to do. */
const until = (holds: () => boolean, what: string) =>
  expect.poll(holds, { timeout: 60_000, interval: 5, message: what }).toBe(true)

/**
 * Legs to agents leave the first check to the other end: libdatachannel, which is there too, fails as the offerer when a check
 * comes while it takes the answer (it begins DTLS before it knows the fingerprint). Browsers do not.
 */
const newLeg: NewLeg = (events, side) => {
  const leg = nativeLegs({ bindAddress })(events, side)
  if (side === 'agent') leg.start = () => {}
  return leg
}

/** Said until it is heard: whoever is connected first speaks to somebody who cannot decrypt yet. */
const greeting = Buffer.from('hello?')
const isGreeting = ({ payload }: { readonly payload: Buffer }) => payload.equals(greeting)

/** What is said in a call, and by whom; no two payloads are the same. */
const words = (who: string, n: number) =>
  Array.from({ length: PACKETS }, (_, at) => Buffer.from(`${who} of call ${n} says ${at}`.padEnd(80, '.')))

/** An agent's end of a call: a stack in other threads, so that fifty fit into one. */
class AgentEnd {
  /** RTP, greetings aside. */
  readonly heard: Buffer[] = []
  greeted = 0
  readonly leg: MediaLeg
  #sequence = 0

  constructor() {
    const onPacket = (packet: Buffer) => {
      if (!isRtp(packet)) return
      if (packet.subarray(12).equals(greeting)) this.greeted++
      else this.heard.push(packet)
    }
    this.leg = nativeLegs({ bindAddress })({ onPacket, onConnected: () => {}, onLost: () => {} }, 'agent')
  }

  say(payload: Buffer): boolean {
    const packet = Buffer.concat([Buffer.alloc(12), payload])
    packet[0] = 0x80
    packet[1] = 111
    packet.writeUInt16BE(++this.#sequence, 2)
    packet.writeUInt32BE(this.#sequence * 960, 4)
    packet.writeUInt32BE(this.leg.ssrc, 8)
    return this.leg.send(packet)
  }
}

it('carries fifty calls at once through the whole service, none crossed, byte by byte, and leaves nothing behind', async () => {
  const station = await Station.start({}, { newLeg })
  const talks = await Promise.all(
    Array.from({ length: CALLS }, async (_, n) => {
      const agent = `agent ${n}`
      station.service.arrive(agent)
      const { call, customer } = await station.incoming(`4917000${1000 + n}`)
      const end = new AgentEnd()
      const answer = await station.service.offer(agent, call.id, await end.leg.offer())
      end.leg.join(answer!)
      return { n, agent, call, customer, end, greetings: { agent: 0, customer: 0 } }
    }),
  )
  await until(() => talks.every(({ call, customer }) => call.mediaAllowed && customer.connected), 'all are accepted')
  await until(() => talks.every(({ agent }) => station.heardBy(agent).includes('connected')), 'all agents know')
  const late = Date.now() + 60_000
  await Promise.all(
    talks.map(async (talk) => {
      const { customer, end } = talk
      while (!customer.received.some(isGreeting) || end.greeted === 0) {
        if (Date.now() > late) throw new Error(`in call ${talk.n} the two do not hear each other`)
        if (end.say(greeting)) talk.greetings.agent++
        await customer.say(greeting)
        talk.greetings.customer++
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }),
  )
  const heardOf = ({ customer }: Pick<(typeof talks)[number], 'customer'>) =>
    customer.received.filter((packet) => !isGreeting(packet))
  for (let at = 0; at < PACKETS; at++)
    for (const { n, customer, end } of talks) {
      end.say(words('agent', n)[at]!)
      await customer.say(words('customer', n)[at]!)
    }
  await until(
    () => talks.every((talk) => heardOf(talk).length >= PACKETS && talk.end.heard.length >= PACKETS),
    'everything is heard',
  )
  for (const talk of talks) {
    const { n, customer, end } = talk
    expect(heardOf(talk).map(({ payload }) => payload.toString())).toEqual(words('agent', n).map(String))
    expect(end.heard.map((packet) => packet.subarray(12).toString())).toEqual(words('customer', n).map(String))
    expect(new Set(customer.received.map(({ header }) => header.ssrc)).size).toBe(1)
    expect(new Set(end.heard.map(ssrcOf)).size).toBe(1)
  }
  expect(station.service.calls).toBe(CALLS)
  for (const { n, agent, call } of talks) {
    if (n % 2) station.simulator.ends(call)
    else station.service.hangUp(agent, call.id)
  }
  await until(() => station.service.calls === 0, 'all calls are over')
  expect(station.service.held).toEqual({ bridges: 0, timers: 0, requests: 0 })
  expect([station.alive.size, station.simulator.violations]).toEqual([0, []])
  for (const { call, end, greetings, customer } of talks) {
    const { toAgent, toWhatsapp } = station.records.find(({ id }) => id === call.id)!
    const between = (count: number, heard: number, said: number) => {
      expect(count).toBeGreaterThanOrEqual(PACKETS + heard)
      expect(count).toBeLessThanOrEqual(PACKETS + said)
    }
    between(toAgent.packets, end.greeted, greetings.customer)
    between(toWhatsapp.packets, customer.received.filter(isGreeting).length, greetings.agent)
  }
  for (const { end } of talks) end.leg.close()
  await station.close()
}, 180_000)
