import { brokenRules, Phone, type PhoneOptions, until } from '@hairpin/whatsapp-simulator'
import { afterEach, expect, it } from 'vitest'
import { Bridge } from '../src/media/bridge.ts'
import { LegError } from '../src/media/leg.ts'
import { nativeLegs } from '../src/media/native-leg.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const seen = { heard: 0, agentHeard: 0 }
function newBridge(): Bridge {
  Object.assign(seen, { heard: 0, agentHeard: 0 })
  const onHeard = () => seen.heard++
  const onAgentHeard = () => seen.agentHeard++
  const bridge = new Bridge({ newLeg: nativeLegs(), onHeard, onAgentHeard, onLost: () => {}, now: Date.now })
  closing.push(() => bridge.close())
  return bridge
}

function newPhone(options: PhoneOptions = {}): Phone {
  const phone = new Phone(options)
  closing.push(() => phone.close())
  return phone
}

/** The customer's phone and the agent's browser, both connected. */
async function bridged(agentOptions: PhoneOptions = {}) {
  const bridge = newBridge()
  const [customer, agent] = [newPhone(), newPhone({ lite: false, ...agentOptions })]
  const answer = await bridge.describe(await customer.offer())
  await customer.join(answer)
  bridge.start()
  await agent.join(await bridge.connectAgent('Anna', await agent.offer()))
  await until(() => customer.connected && agent.connected, 'both sides are connected')
  return { bridge, customer, agent, answer }
}

/** A packet's worth of bytes that no other packet has. */
const opus = (n: number, length = 80) => Buffer.from(Array.from({ length }, (_, at) => (n * 31 + at * 7) & 0xff))
const heard = (phone: Phone) =>
  phone.received.map(({ header, payload }) => [header.payloadType, payload.toString('hex')])

it("answers an ICE-lite customer as Meta's rules want it, controlling, as DTLS client", async () => {
  const { customer, answer } = await bridged()
  expect(brokenRules(answer, 'answer')).toEqual([])
  expect([customer.isControlled, customer.dtlsRole]).toEqual([true, 'server'])
})

it('offers media to a customer, who is ICE-lite and takes the client role', async () => {
  const bridge = newBridge()
  const customer = newPhone()
  const offer = await bridge.describe(undefined)
  expect(brokenRules(offer, 'offer')).toEqual([])
  bridge.join(await customer.answer(offer))
  await until(() => customer.connected, 'the customer is connected')
  expect([customer.isControlled, customer.dtlsRole]).toEqual([true, 'client'])
})

it('passes speech and digits byte by byte both ways, as one stream, without header extensions', async () => {
  const { bridge, customer, agent } = await bridged({ opus: 96 })
  bridge.open('Anna')
  const digit = Buffer.from([5, 0x8a, 3, 0x20])
  for (const [from, to] of [
    [customer, agent],
    [agent, customer],
  ] as const) {
    for (let n = 0; n < 20; n++) await from.say(opus(n), { extension: n % 2 === 1 })
    await from.say(digit, { type: 126 })
    await until(() => to.received.length === 21, 'all packets came')
    expect(heard(to).sort()).toEqual(
      [
        ...Array.from({ length: 20 }, (_, n) => [to.opus, opus(n).toString('hex')]),
        [126, digit.toString('hex')],
      ].sort(),
    )
    const headers = to.received.map(({ header }) => header)
    expect(new Set(headers.map(({ ssrc }) => ssrc)).size).toBe(1)
    expect(headers.some(({ extension }) => extension)).toBe(false)
    const times = headers.map(({ timestamp }) => timestamp).sort((a, b) => a - b)
    expect(new Set(times.slice(1).map((time, n) => time - times[n]!))).toEqual(new Set([960]))
  }
  expect([bridge.toAgent.packets, bridge.toWhatsapp.packets]).toEqual([21, 21])
  expect(seen.heard).toBe(1)
})

it('sends WhatsApp nothing before the call is open, and then a report at once, also without an agent', async () => {
  const { bridge, customer, agent } = await bridged()
  for (let n = 0; n < 5; n++) await agent.say(opus(n))
  // What the customer says arrives after what the agent said before it.
  for (let n = 0; seen.heard === 0; n++) {
    await customer.say(opus(n))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect([customer.received, customer.reports, agent.received]).toEqual([[], [], []])
  bridge.open(undefined)
  await until(() => customer.reports.length > 0, 'a report came')
  expect(customer.received).toEqual([])
})

it('goes on with one stream when the page of the agent comes back, or another agent takes over', async () => {
  const { bridge, customer, agent } = await bridged()
  bridge.open('Anna')
  await agent.say(opus(1))
  await until(() => customer.received.length === 1, 'the first page is heard')
  const other = newPhone({ lite: false })
  await other.join(await bridge.connectAgent('Ben', await other.offer()))
  bridge.open('Ben')
  await until(() => other.connected, 'the second page is connected')
  await agent.say(opus(2))
  await other.say(opus(3))
  await until(() => customer.received.length === 2, 'the second page is heard')
  const [first, second] = customer.received.map(({ header }) => header)
  expect(heard(customer)[1]).toEqual([111, opus(3).toString('hex')])
  expect([second?.ssrc, second?.sequenceNumber]).toEqual([first?.ssrc, first!.sequenceNumber + 1])
})

it('crosses no two calls', async () => {
  const calls = await Promise.all(Array.from({ length: 5 }, () => bridged()))
  for (const [n, { bridge, customer, agent }] of calls.entries()) {
    bridge.open('Anna')
    for (let time = 0; time < 3; time++) {
      await customer.say(opus(n))
      await agent.say(opus(n + 100))
    }
  }
  for (const [n, { customer, agent }] of calls.entries()) {
    await until(() => customer.received.length === 3 && agent.received.length === 3, 'all packets came')
    expect(new Set(agent.received.map(({ payload }) => payload.toString('hex')))).toEqual(
      new Set([opus(n).toString('hex')]),
    )
    expect(new Set(customer.received.map(({ payload }) => payload.toString('hex')))).toEqual(
      new Set([opus(n + 100).toString('hex')]),
    )
  }
})

it('refuses an SDP that cannot carry a call', async () => {
  await expect(newBridge().describe('v=0\r\n')).rejects.toMatchObject({ code: 'SDP_NOT_AUDIO' })
  const offer = await newPhone().offer()
  const broken = offer.replace(/a=fingerprint:sha-256 .*/, 'a=fingerprint:sha-256 12:34')
  await expect(newBridge().describe(broken)).rejects.toBeInstanceOf(LegError)
})
