import { type Phone, until, userIdOf } from '@hairpin/whatsapp-simulator'
import { afterEach, expect, it } from 'vitest'
import { Station } from './support/station.ts'

let station: Station
afterEach(() => station.close())

async function start(...options: Parameters<typeof Station.start>): Promise<Station> {
  station = await Station.start(...options)
  for (const agent of ['Anna', 'Ben']) station.service.arrive(agent)
  return station
}

const tone = (n: number) => Buffer.alloc(60, n)

/** Says it until it is heard: the other side may still be connecting. */
async function expectHeard(from: Phone, to: Phone, payload: Buffer): Promise<void> {
  const end = Date.now() + 15_000
  while (!to.received.some((packet) => packet.payload.equals(payload))) {
    if (Date.now() > end) throw new Error('nothing was heard')
    await from.say(payload)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A customer and Anna, who hear each other. */
async function talking() {
  const { call, customer } = await station.incoming()
  const browser = (await station.connect('Anna', call.id))!
  await until(() => call.answeredAt !== undefined, 'the call is accepted')
  await until(() => customer.connected && browser.connected, 'both sides are connected')
  await expectHeard(customer, browser, tone(1))
  await expectHeard(browser, customer, tone(2))
  return { call, customer, browser }
}

async function expectClean(): Promise<void> {
  await until(() => station.service.calls === 0, 'all calls are over')
  expect(station.service.held).toEqual({ bridges: 0, timers: 0, requests: 0 })
  expect(station.alive.size).toBe(0)
  expect(station.simulator.violations).toEqual([])
}

it('brings a customer and an agent together: all ring, one wins, both hear, the agent hangs up', async () => {
  await start()
  const { call, customer } = await station.incoming()
  const offers = await Promise.all(['Anna', 'Ben'].map((agent) => station.connect(agent, call.id)))
  expect(offers.filter((browser) => browser !== undefined)).toHaveLength(1)
  const [winner, loser] = offers[0] ? ['Anna', 'Ben'] : ['Ben', 'Anna']
  const browser = (offers[0] ?? offers[1])!
  await until(() => call.answeredAt !== undefined, 'the call is accepted')
  await expectHeard(customer, browser, tone(1))
  await expectHeard(browser, customer, tone(2))
  station.service.hangUp(winner!, call.id)
  await until(() => call.ended, 'Meta knows')
  expect(call.actions).toEqual(['pre_accept', 'accept', 'terminate'])
  expect(station.heardBy(loser!)).toEqual(['call-is-coming', 'answered-elsewhere'])
  expect(station.heardBy(winner!)).toEqual(['call-is-coming', 'connected', 'call-ended agent-hung-up'])
  await expectClean()
  expect(station.records).toMatchObject([{ id: call.id, agent: winner, name: 'Maria', number: '491701234567' }])
  expect(station.records[0]?.toWhatsapp.packets).toBeGreaterThan(0)
  expect(new Set(station.statuses)).toEqual(new Set([200]))
})

it('ends cleanly when the customer hangs up', async () => {
  await start()
  const { call } = await talking()
  station.simulator.ends(call)
  await expectClean()
  expect([call.actions, station.heardBy('Anna').at(-1)]).toEqual([
    ['pre_accept', 'accept'],
    'call-ended customer-hung-up',
  ])
})

it('sends the customer no media while Meta has not taken the accept', async () => {
  await start()
  station.simulator.failNext('accept', [500])
  const { call, customer } = await station.incoming()
  const browser = (await station.connect('Anna', call.id))!
  await until(() => call.ended, 'Meta knows')
  expect(call.actions).toEqual(['pre_accept', 'terminate'])
  await browser.say(tone(1))
  await expectClean()
  expect([customer.received, customer.reports]).toEqual([[], []])
  expect(station.told.at(-1)?.event).toEqual({ type: 'call-ended', reason: 'failed', cause: 'connection-error' })
  expect(station.warnings).toMatchObject([{ code: 'WHATSAPP_REQUEST_FAILED', action: 'accept', status: 500 }])
  expect(JSON.stringify(station.warnings)).not.toContain('EAAB')
})

it('cuts no media when signaling is lost, and takes the page back after its reload', async () => {
  await start()
  const { call, customer, browser } = await talking()
  station.service.leave('Anna')
  await expectHeard(customer, browser, tone(3))
  await expectHeard(browser, customer, tone(4))
  await browser.close()
  station.service.arrive('Anna')
  expect(station.heardBy('Anna').at(-1)).toBe('call-resumed')
  const again = (await station.connect('Anna', call.id))!
  await expectHeard(customer, again, tone(5))
  await expectHeard(again, customer, tone(6))
  expect(new Set(customer.received.map(({ header }) => header.ssrc)).size).toBe(1)
})

it('lets nobody hear anything on hold, and WhatsApp a report', async () => {
  await start()
  const { call, customer, browser } = await talking()
  expect(station.service.hold('Anna', call.id, true)).toBe(true)
  const reports = customer.reports.length
  await browser.say(tone(3))
  await customer.say(tone(4))
  await until(() => customer.reports.length > reports, 'WhatsApp hears a report')
  expect(station.service.hold('Anna', call.id, false)).toBe(true)
  await expectHeard(browser, customer, tone(5))
  await expectHeard(customer, browser, tone(6))
  const heard = [...customer.received, ...browser.received].map(({ payload }) => payload[0])
  expect(heard).not.toContain(3)
  expect(heard).not.toContain(4)
  const sequence = customer.received.map(({ header }) => header.sequenceNumber)
  expect(sequence.at(-1)! - sequence[0]!).toBe(sequence.length - 1)
})

it('tells whether a customer may be called, asks, and passes on the reply', async () => {
  await start()
  const number = '491701234567'
  expect(await station.service.permission(number)).toMatchObject({ ok: true, mayCall: false, mayAsk: true })
  expect(await station.service.requestPermission(number)).toEqual({ ok: true })
  const again = await station.service.requestPermission(number)
  expect(again).toEqual({ ok: false, reason: 'permission-requests-limited' })
  expect(await station.service.permission(number)).toMatchObject({ mayCall: false, mayAsk: false })
  station.simulator.permissions.grant(number)
  expect(await station.service.permission(number)).toMatchObject({ ok: true, status: 'temporary', mayCall: true })
})

it('ends what a killed service left behind: the answered, the unanswered, and what is over', async () => {
  await start()
  const [{ call }, ringing, over] = [await talking(), await station.incoming('491'), await station.incoming('492')]
  const left = [...station.alive]
  expect(left).toEqual([call.id, ringing.call.id, over.call.id])
  station.simulator.ends(over.call)
  await until(() => station.service.calls === 2, 'it is over')
  await station.service.endLeftovers(left)
  expect([call.ended, ringing.call.ended, station.alive.size]).toEqual([true, true, 0])
})

it('keeps what Meta could not be told of for the next start', async () => {
  await start()
  station.simulator.failNext('terminate', [500], [500])
  const { call } = await station.incoming()
  await station.service.endLeftovers([call.id])
  expect([...station.alive]).toEqual([call.id])
})

it('does without the numbers of customers with usernames, and misses no reply of theirs', async () => {
  station = await Station.start({}, { forms: { users: 'user-id' } })
  const number = '491701234567'
  station.simulator.answersRequest(number, { granted: true })
  await until(() => station.nameless.length === 1, 'the reply came')
  expect([station.nameless, station.permissions]).toEqual([[userIdOf(number)], []])
  const { call } = await station.incoming(number)
  station.service.arrive('Anna')
  expect(await station.connect('Anna', call.id)).toBeDefined()
})

it('hands a call over to another agent, without the customer noticing a break', async () => {
  await start()
  const { call, customer } = await talking()
  expect(station.service.transfer('Anna', call.id, 'Ben')).toBe(true)
  const other = (await station.connect('Ben', call.id))!
  await expectHeard(other, customer, tone(3))
  await expectHeard(customer, other, tone(4))
  expect([station.heardBy('Anna').at(-1), call.actions]).toEqual(['transferred', ['pre_accept', 'accept']])
  expect(new Set(customer.received.map(({ header }) => header.ssrc)).size).toBe(1)
})

it('ends when nobody answers, when the agent is gone for good, and when the customer is not heard', async () => {
  await start({ ring: 100 })
  const unanswered = station.simulator.userCalls('491701234567', 'Maria', await station.phone().offer())
  await until(() => unanswered.ended, 'the call is rejected')
  expect(unanswered.actions.at(-1)).toBe('reject')
  await expectClean()
  await station.close()

  await start({ agentGrace: 50 })
  const left = await talking()
  station.service.leave('Anna')
  await until(() => left.call.ended, 'the call is terminated')
  await expectClean()
  await station.close()

  await start({ firstSilence: 100 })
  const { call } = await station.incoming()
  await station.connect('Anna', call.id)
  await until(() => call.ended, 'the call is terminated')
  await expectClean()
  expect(station.records[0]?.ending.reason).toBe('no-media')
})

it('refuses an offer of an agent that cannot carry a call, which goes on ringing', async () => {
  await start()
  const { call } = await station.incoming()
  await expect(station.service.offer('Anna', call.id, 'v=0\r\n')).rejects.toMatchObject({ code: 'SDP_NOT_AUDIO' })
  expect(await station.connect('Anna', call.id)).toBeDefined()
})

it('rejects a call whose SDP carries no call, and says so in the log', async () => {
  await start()
  const call = station.simulator.userCalls('491701234567', 'Maria', 'v=0\r\n')
  await until(() => call.ended, 'the call is rejected')
  expect([call.actions, station.warnings]).toMatchObject([['reject'], [{ code: 'WHATSAPP_MEDIA_FAILED' }]])
  await expectClean()
})

it('calls a customer who allows it, and shows ringing and answered when they are', async () => {
  await start()
  station.simulator.permissions.grant('491701234567')
  const callId = station.service.dial('Anna', '491701234567')!
  const browser = (await station.connect('Anna', callId))!
  await until(() => station.simulator.calls.size === 1, 'Meta has the call')
  const [call] = [...station.simulator.calls.values()]
  const customer = station.phone()
  station.simulator.phoneConnects(call!, await customer.answer(call!.sdp!))
  station.simulator.status(call!, 'RINGING')
  await expectHeard(browser, customer, tone(1))
  await until(() => station.heardBy('Anna').includes('ringing'), 'it rings')
  expect(station.heardBy('Anna')).toEqual(['calling', 'ringing'])
  station.simulator.status(call!, 'ACCEPTED')
  await until(() => station.heardBy('Anna').includes('answered'), 'it is answered')
  await expectHeard(customer, browser, tone(2))
  station.service.hangUp('Anna', callId)
  await until(() => call!.ended, 'Meta knows')
  await expectClean()
  expect(station.records).toMatchObject([{ key: callId, id: call!.id, direction: 'business', agent: 'Anna' }])
})

it('calls nobody without permission, and says why', async () => {
  await start()
  station.service.dial('Anna', '491701234567')
  await expectClean()
  expect(station.told.at(-1)?.event).toEqual({ type: 'call-ended', reason: 'failed', cause: 'no-permission' })
  expect(station.simulator.requests).toEqual(['call_permissions'])
})

it('tells Meta of every call when it stops', async () => {
  await start()
  const [{ call }, ringing] = [await talking(), await station.incoming('491700000000')]
  await station.service.close()
  expect([call.actions.at(-1), ringing.call.actions.at(-1)]).toEqual(['terminate', 'reject'])
  await expectClean()
})

it('is direct: the browser of the winner answers the customer itself, and media is not here', async () => {
  await start({}, { mode: 'direct' })
  const customer = station.phone()
  const call = station.simulator.userCalls('491701234567', 'Maria', await customer.offer())
  station.simulator.watch(call, customer)
  await until(() => station.told.length === 2, 'it rings')
  const [coming] = station.told.flatMap(({ event }) => (event.type === 'call-is-coming' ? [event] : []))
  const browser = station.phone(false)
  const answer = await browser.answer(coming!.sdp!)
  expect(station.service.directAnswer('Anna', call.id, answer)).toBe(true)
  expect(station.service.directAnswer('Ben', call.id, answer)).toBe(false)
  await expect(station.service.offer('Anna', call.id, answer)).rejects.toMatchObject({ code: 'MEDIA_OTHER_MODE' })
  await until(() => call.preAccepted, 'Meta has the answer')
  await customer.join(call.sdp!)
  await until(() => station.heardBy('Anna').includes('connected'), 'the call is accepted')
  await expectHeard(browser, customer, tone(1))
  await expectHeard(customer, browser, tone(2))
  expect(station.service.held).toEqual({ bridges: 0, timers: 0, requests: 0 })
  station.simulator.ends(call)
  await expectClean()
  expect(station.heardBy('Anna').at(-1)).toBe('call-ended customer-hung-up')
})

it('is direct the other way: the browser offers, and is told the answer of the customer', async () => {
  await start({}, { mode: 'direct' })
  station.simulator.permissions.grant('491701234567')
  const callId = station.service.dial('Anna', '491701234567')!
  const [browser, customer] = [station.phone(false), station.phone()]
  expect(station.service.directOffer('Anna', callId, await browser.offer())).toBe(true)
  await until(() => station.simulator.calls.size === 1, 'Meta has the call')
  const [call] = [...station.simulator.calls.values()]
  const told = () => station.told.flatMap(({ event }) => (event.type === 'browser-answer' ? [event.sdp] : []))
  station.simulator.phoneConnects(call!, await customer.answer(call!.sdp!))
  station.simulator.watch(call!, customer)
  await until(() => told().length === 1, 'the browser has the answer')
  await browser.join(told()[0]!)
  await expectHeard(browser, customer, tone(1))
  station.simulator.status(call!, 'ACCEPTED')
  await until(() => station.heardBy('Anna').includes('answered'), 'it is answered')
  station.service.hangUp('Anna', callId)
  await until(() => call!.ended, 'Meta knows')
  await expectClean()
})
