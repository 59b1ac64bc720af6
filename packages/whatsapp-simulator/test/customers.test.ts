import { afterEach, expect, it } from 'vitest'
import {
  type Behaviour,
  Customers,
  controlPlugin,
  digitPayloads,
  Phone,
  until,
  type VoiceOptions,
} from '../src/index.ts'
import { Business, businessSdp, customer } from './support/business.ts'

const token = 'the control token'
let closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

async function start(behaviour: Partial<Behaviour> = {}, voice: Partial<VoiceOptions> = {}) {
  const pressed: string[] = []
  const errors: unknown[] = []
  let customers: Customers | undefined
  const business = await Business.start({ now: Date.now }, (simulator) => {
    customers = new Customers({
      simulator,
      host: '127.0.0.1',
      behaviour: { ringFor: 1, ...behaviour },
      voice,
      thinkFor: 1,
      onDigit: (_call, digit) => pressed.push(digit),
      onError: (error) => errors.push(error),
    })
    return simulator.app.register(controlPlugin, { simulator, customers, token })
  })
  closing.push(
    () => business.simulator.close(),
    () => expect(errors).toEqual([]),
    () => customers?.close(),
  )
  return { business, simulator: business.simulator, customers: customers!, pressed }
}

function newLeg(): Phone {
  const leg = new Phone({ lite: false, hosts: ['127.0.0.1'] })
  closing.push(() => leg.close())
  return leg
}

/** What this stack's SDP lacks for Meta, and the simulator would refuse. */
function repaired(sdp: string, setup: 'active' | 'actpass'): string {
  const value = (name: string) => new RegExp(`^a=${name}.*$`, 'm').exec(sdp)?.[0] ?? ''
  let own = businessSdp(setup)
  for (const name of ['ice-ufrag:', 'ice-pwd:', 'fingerprint:', 'candidate:'])
    own = own.replace(new RegExp(`^a=${name}.*$`, 'm'), value(name).trimEnd())
  return own.replace(/a=ssrc:\d+/, value('ssrc:').split(' ')[0] ?? '')
}

async function talking(voice: Partial<VoiceOptions> = {}) {
  const made = await start({}, voice)
  const { business, customers } = made
  const call = await customers.call('María', customer)
  const leg = newLeg()
  const answer = repaired(await leg.answer(business.sdp), 'active')
  for (const action of ['pre_accept', 'accept'])
    expect((await business.answer(action, call.id, answer)).status).toBe(200)
  await until(() => leg.connected, 'the leg is connected')
  return { ...made, call, leg }
}

it('plays to the business once it is answered, takes its keys, presses its own, and hangs up', async () => {
  const { business, customers, pressed, call, leg } = await talking()
  await until(() => leg.received.length > 10, 'the melody is heard')
  const times = leg.received.map(({ header }) => header.timestamp)
  expect(new Set(times.slice(1).map((time, n) => (time - times[n]!) % 960))).toEqual(new Set([0]))
  for (const digit of '7*')
    for (const payload of digitPayloads(digit))
      await leg.send(payload, { payloadType: 126, timestamp: digit.charCodeAt(0) * 1000 })
  await until(() => pressed.length === 2, 'the keys are heard')
  expect(pressed).toEqual(['7', '*'])
  expect(customers.press(call, '3')).toBe(true)
  await until(() => leg.received.filter(({ header }) => header.payloadType === 126).length === 8, 'the key is heard')
  customers.hangUp(call)
  expect([business.events, customers.live]).toEqual([['connect', 'terminate'], []])
  expect(business.rules()).toEqual([])
})

it('says back what it hears, byte by byte, as a stream of its own', async () => {
  const { leg } = await talking({ melody: [], delay: 40 })
  const words = Array.from({ length: 10 }, (_, n) => Buffer.from([0x78, n, n * 3, 7]))
  for (const word of words) await leg.say(word, { extension: true })
  await until(() => leg.received.length === words.length, 'all is said back')
  const heard = leg.received.map(({ payload }) => payload.toString('hex'))
  expect(heard).toEqual(words.map((word) => word.toString('hex')))
  expect(leg.received.some(({ header }) => header.ssrc === leg.ssrc || header.extension)).toBe(false)
})

it('says nothing before it is answered', async () => {
  const { business, customers } = await start()
  const call = await customers.call('María', customer)
  const leg = newLeg()
  await business.answer('pre_accept', call.id, repaired(await leg.answer(business.sdp), 'active'))
  await until(() => leg.connected, 'the leg is connected')
  expect(customers.press(call, '1')).toBe(false)
  // Long enough for ten packets of a customer who speaks at once.
  for (let n = 1; n <= 10; n++) {
    await leg.say(Buffer.alloc(60))
    await new Promise((resolve) => setTimeout(resolve, 20))
    await until(() => call.media?.packets === n, 'the customer hears')
  }
  await business.act('reject', { call_id: call.id })
  expect([leg.received, customers.live]).toEqual([[], []])
})

it.each<[Behaviour['answer'], string[]]>([
  ['answer', ['connect', 'RINGING', 'ACCEPTED']],
  ['reject', ['connect', 'RINGING', 'REJECTED', 'terminate']],
  ['ignore', ['connect', 'RINGING']],
])('does with calls of the business what it was told: %s', async (answer, events) => {
  const { business, simulator } = await start({ answer })
  simulator.permissions.grant(customer)
  const leg = newLeg()
  await business.dial(customer, repaired(await leg.offer(), 'actpass'))
  await until(() => business.events.length === events.length, 'all is told')
  expect(business.events).toEqual(events)
  await leg.join(business.sdp)
  if (answer !== 'answer') return
  await until(() => leg.received.length > 0, 'the melody is heard')
})

it.each<[Behaviour['permission'], string | undefined]>([
  ['accept', 'temporary'],
  ['accept-permanently', 'permanent'],
  ['reject', 'no_permission'],
])('answers requests for permission as it was told: %s', async (permission, status) => {
  const { business } = await start({ permission })
  await business.ask()
  await until(() => business.events.length === 1, 'the answer is told')
  const reply = await business.request(`call_permissions?user_wa_id=${customer}`)
  expect(reply.json).toMatchObject({ permission: { status } })
})

it('hangs up for everybody when it ends', async () => {
  const { business, customers } = await start()
  for (let n = 0; n < 3; n++) await customers.call('María', `${customer}${n}`)
  await customers.close()
  expect(business.events.filter((event) => event === 'terminate')).toHaveLength(3)
})

it('is controlled over HTTP by who has the token', async () => {
  const { business } = await start()
  const control = `${new URL(business.url).origin}/control`
  const post = (path: string, body: unknown, bearer = token) => {
    const headers = { authorization: `Bearer ${bearer}` }
    return business.request(path, { method: 'POST', body: JSON.stringify(body), headers }, control)
  }
  const named = { name: 'Ada', number: customer }
  expect(await post('call', named, 'another')).toMatchObject({ status: 401, code: 'SIM_UNAUTHORIZED' })
  expect(await post('call', { ...named, number: 'x' })).toMatchObject({ status: 400 })
  const { json } = await post('call', named)
  expect(json).toMatchObject({ direction: 'USER_INITIATED', name: 'Ada', answered: false })
  expect(await post('dtmf', { digits: '1' })).toMatchObject({ status: 409, code: 'SIM_NOT_ANSWERED' })
  expect((await post('behaviour', { answer: 'reject' })).json).toMatchObject({ answer: 'reject', ringFor: 1 })
  const reply = { number: customer, granted: true, permanent: true }
  expect((await post('permission', reply)).json).toMatchObject({ permission: { status: 'permanent' } })
  const status = await business.request('status', { headers: { authorization: `Bearer ${token}` } }, control)
  expect(status.json).toMatchObject({ calls: [{ name: 'Ada' }], behaviour: { answer: 'reject' }, violations: [] })
  expect((await post('hangup', { id: json.id })).json).toMatchObject({ ended: true })
  expect(await post('hangup', {})).toMatchObject({ status: 404, code: 'SIM_NO_CALL' })
})
