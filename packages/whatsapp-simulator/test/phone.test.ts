import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { classes, Message, methods, parseMessage } from 'werift'
import { Phone, type PhoneOptions, type Rules, type SimulatedCall, type SimulatorOptions, until } from '../src/index.ts'
import { Business, customer } from './support/business.ts'

let closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

function newPhone(options: PhoneOptions = {}): Phone {
  const phone = new Phone({ hosts: ['127.0.0.1'], ...options })
  closing.push(() => phone.close())
  return phone
}

const speech = Buffer.alloc(60, 1)

describe('the media of a customer', () => {
  it.each([[['127.0.0.1']], [['127.0.0.1', '::1']]])('offers ICE-lite, actpass and the addresses %j', async (hosts) => {
    const [phone, business] = [newPhone({ hosts }), newPhone({ lite: false })]
    const sdp = await phone.offer()
    expect(sdp).toMatch(/^a=ice-lite/m)
    expect(sdp).toContain('a=setup:actpass')
    expect([...sdp.matchAll(/^a=candidate:.* (\S+) \d+ typ/gm)].map(([, address]) => address)).toEqual(hosts)
    await phone.join(await business.answer(sdp))
    await until(() => phone.connected && business.connected, 'both are connected')
  })

  it.each([
    ['active', 'client'],
    ['passive', 'server'],
  ] as const)("answers a business's offer as %s, and connects in that role", async (setup, role) => {
    const [phone, business] = [newPhone({ setup }), newPhone({ lite: false })]
    const answer = await phone.answer(await business.offer())
    expect(answer).toContain(`a=setup:${setup}`)
    await business.join(answer)
    await until(() => phone.connected && business.connected, 'both are connected')
    expect([phone.dtlsRole, phone.isControlled]).toEqual([role, true])
    await business.say(speech)
    await until(() => phone.received.length === 1, 'it is heard')
  })

  it('sends no checks, whatever candidates it is given', async () => {
    const socket: Socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    closing.push(() => socket.close())
    let checks = 0
    socket.on('message', () => checks++)
    const port = (socket.address() as AddressInfo).port
    const connected = async (lite: boolean) => {
      const [phone, business] = [newPhone({ lite }), newPhone({ lite: false })]
      const answer = await business.answer(await phone.offer())
      const candidate = `a=candidate:9 1 udp 2130706431 127.0.0.1 ${port} typ host`
      await phone.join(answer.replace('a=ice-ufrag', `${candidate}\r\na=ice-ufrag`))
      await until(() => phone.connected && business.connected, 'both are connected')
      return phone
    }
    await connected(true)
    expect(checks).toBe(0)
    // That the socket hears what there is: a phone with full ICE checks it.
    await connected(false)
    await until(() => checks > 0, 'a full agent checks the candidate')
  })

  it('answers 487 to an agent that does not control, and tells', async () => {
    const phone = newPhone()
    let conflicts = 0
    phone.on({ onRoleConflict: () => conflicts++ })
    const offer = await phone.offer()
    const reply = await check(offer, 'ICE-CONTROLLED')
    expect([reply, conflicts]).toEqual([{ error: 487 }, 1])
    expect([await check(offer, 'ICE-CONTROLLING'), conflicts]).toEqual([{ error: undefined }, 1])
  })
})

describe('a call that is watched', () => {
  async function connected(options: Partial<SimulatorOptions> = {}) {
    const business = await Business.start(options)
    closing.push(() => business.simulator.close())
    const [phone, leg] = [newPhone(), newPhone({ lite: false })]
    const call = business.simulator.userCalls(customer, 'María', await phone.offer())
    business.simulator.watch(call, phone)
    const offered = JSON.parse(business.deliveries[0]!.body.toString()).entry[0].changes[0].value.calls[0].session.sdp
    await phone.join(await leg.answer(offered))
    await until(() => phone.connected && leg.connected, 'both are connected')
    return { business, phone, leg, call }
  }
  const accept = async (business: Business, call: SimulatedCall) => {
    for (const action of ['pre_accept', 'accept']) await business.answer(action, call.id)
  }

  it('takes speech after accept, and finds what is wrong with it', async () => {
    const { business, phone, leg, call } = await connected()
    await accept(business, call)
    for (let n = 0; n < 5; n++) await leg.say(speech)
    await until(() => phone.received.length === 5, 'it is heard')
    expect([business.rules(), call.media?.packets]).toEqual([[], 5])
    await leg.say(speech, { extension: true })
    await leg.send(speech, { ssrc: 1234 })
    await until(() => phone.received.length === 7, 'it is heard')
    expect(business.rules().sort()).toEqual(['header-extension', 'ssrc', 'step'])
  })

  const variants: [Partial<Rules>, { answered: boolean; ended: boolean; code: number | undefined }][] = [
    [{}, { answered: false, ended: false, code: undefined }],
    [{ answeredBy: 'accept-or-media' }, { answered: true, ended: false, code: undefined }],
    [{ earlyMedia: 'end' }, { answered: false, ended: true, code: 138019 }],
  ]
  it.each(variants)('catches speech before accept; with %j', async (rules, expected) => {
    const { business, phone, leg, call } = await connected({ rules })
    await business.answer('pre_accept', call.id)
    await leg.say(speech)
    await until(() => phone.received.length === 1, 'it is heard')
    const { answeredAt, ended, endCode: code } = call
    expect({ answered: answeredAt !== undefined, ended, code }).toEqual(expected)
    expect(business.rules()).toEqual(['media-before-accept'])
  })

  it('catches speech after an accept whose 200 never came', async () => {
    const { business, phone, leg, call } = await connected()
    await business.answer('pre_accept', call.id)
    business.simulator.failNext('accept', 'drop-after')
    await expect(business.answer('accept', call.id)).rejects.toThrow()
    expect(call.accepted).toBe(true)
    await leg.say(speech)
    await until(() => phone.received.length === 1, 'it is heard')
    expect(business.rules()).toEqual(['media-before-accept'])
  })

  it.each([
    ['nothing ever came', 138023, 20_000, async () => {}],
    [
      'speech stopped',
      138021,
      30_000,
      async ({ phone, leg }: Awaited<ReturnType<typeof connected>>) => {
        await leg.say(speech)
        await until(() => phone.received.length === 1, 'it is heard')
      },
    ],
  ])('ends when %s, with code %i after %i ms', async (_what, code, after, act) => {
    const made = await connected()
    const { business, call } = made
    await accept(business, call)
    await act(made)
    business.now += after - 1
    business.simulator.check()
    expect(call.ended).toBe(false)
    business.now++
    business.simulator.check()
    expect(business.news.at(-1)).toMatchObject({
      calls: [{ event: 'terminate', status: 'FAILED' }],
      errors: [{ code }],
    })
  })

  it('ends with code 138022 when the connection is none, as with the fingerprint of another certificate', async () => {
    const business = await Business.start()
    closing.push(() => business.simulator.close())
    const [phone, leg] = [newPhone(), newPhone({ lite: false })]
    const offer = await phone.offer()
    const call = business.simulator.userCalls(customer, 'María', offer)
    business.simulator.watch(call, phone)
    const answer = await leg.answer(offer)
    await phone.join(answer.replace(/(a=fingerprint:sha-256 ).*/g, `$1${Array(32).fill('AB').join(':')}`))
    await accept(business, call)
    await until(() => call.mediaLost, 'the phone knows')
    business.now += 20_000
    business.simulator.check()
    expect(call.endCode).toBe(138022)
  })

  it('goes on while reports come', async () => {
    const { business, call } = await connected()
    await accept(business, call)
    for (let n = 0; n < 10; n++) {
      business.now += 19_000
      call.media?.rtcp(business.now)
      business.simulator.check()
    }
    expect(call.ended).toBe(false)
  })

  it('ends by itself where the clock is the machine’s', async () => {
    const { business, call } = await connected({ now: Date.now, times: { firstMedia: 20 } })
    await accept(business, call)
    await until(() => call.ended, 'the call is over')
    expect(call.endCode).toBe(138023)
  })
})

/** One ICE check of the offer's candidate, in this role (RFC 8445 section 7.1). */
async function check(
  offer: string,
  role: 'ICE-CONTROLLED' | 'ICE-CONTROLLING',
): Promise<{ error: number | undefined }> {
  const value = (pattern: RegExp) => pattern.exec(offer)?.[1] ?? ''
  const [ufrag, password] = [value(/a=ice-ufrag:(\S+)/), value(/a=ice-pwd:(\S+)/)]
  const port = Number(value(/a=candidate:.* (\d+) typ/))
  const request = new Message(methods.BINDING, classes.REQUEST)
  request
    .setAttribute('USERNAME', `${ufrag}:abcd`)
    .setAttribute('PRIORITY', 1)
    .setAttribute(role, 1n)
    .addMessageIntegrity(Buffer.from(password))
    .addFingerprint()
  const socket = createSocket('udp4')
  socket.send(request.bytes, port, '127.0.0.1')
  const [bytes] = (await once(socket, 'message')) as [Buffer]
  socket.close()
  return { error: parseMessage(bytes)?.getAttributeValue('ERROR-CODE')?.[0] }
}
