import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { until } from '@hairpin/whatsapp-simulator'
import { afterEach, expect, it } from 'vitest'
import { turnService } from '../../turn/test/support/turn-service.ts'
import { nativeIceServers } from '../src/media/ice-servers.ts'
import type { MediaLeg } from '../src/media/leg.ts'
import { type NativeLegOptions, nativeLegs } from '../src/media/native-leg.ts'
import { Browser, type BrowserOptions } from './support/browser.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const bindAddress = '127.0.0.1'
const heard: Buffer[] = []

function legMaker(options: NativeLegOptions): (side: 'agent' | 'whatsapp') => MediaLeg {
  const newLeg = nativeLegs({ bindAddress, ...options })
  return (side) => {
    heard.length = 0
    const onPacket = (packet: Buffer) => heard.push(packet)
    const leg = newLeg({ onPacket, onConnected: () => {}, onLost: () => {} }, side)
    closing.push(() => leg.close())
    return leg
  }
}

const newLeg = (options: NativeLegOptions, side: 'agent' | 'whatsapp' = 'agent') => legMaker(options)(side)

function newBrowser(options: BrowserOptions = {}): Browser {
  const browser = new Browser(options)
  closing.push(() => browser.close())
  return browser
}

/** address, port and type of each. */
const candidates = (sdp: string) =>
  [...sdp.matchAll(/^a=candidate:\S+ 1 UDP \d+ (\S+) (\d+) typ (\w+)/gim)].map(([, address, port, type]) => ({
    address,
    port: Number(port),
    type,
  }))

async function expectSpeech(browser: Browser, leg: MediaLeg): Promise<void> {
  await until(() => browser.connected, 'they are connected')
  const word = Buffer.from('a word that is said')
  await until(() => {
    void browser.say(word)
    return heard.some((packet) => packet.subarray(12).equals(word))
  }, 'the browser is heard')
  const reply = Buffer.concat([Buffer.from([0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]), word])
  reply.writeUInt32BE(leg.ssrc, 8)
  await until(() => {
    leg.send(reply)
    return browser.heard.length > 0
  }, 'the leg is heard')
  expect(browser.heard[0]).toEqual(word)
}

it('takes its ports from the range it was given but those of others, and says so when they are used up', async () => {
  const foreign = createSocket('udp4')
  closing.push(() => foreign.close())
  foreign.bind(21_901, bindAddress)
  await once(foreign, 'listening')
  const newLeg = legMaker({ ports: [21_900, 21_903] })
  const legs = [newLeg('whatsapp'), newLeg('whatsapp'), newLeg('whatsapp')]
  const used = (await Promise.all(legs.map((leg) => leg.offer()))).flatMap((sdp) => candidates(sdp))
  expect(used.map(({ port }) => port).sort()).toEqual([21_900, 21_902, 21_903])
  expect(new Set(used.map(({ address }) => address))).toEqual(new Set([bindAddress]))
  await expect(newLeg('whatsapp').offer()).rejects.toMatchObject({ code: 'MEDIA_NO_PORT' })
  await expect(newLeg('agent').answer(await newBrowser().offer())).rejects.toMatchObject({ code: 'MEDIA_NO_PORT' })
  const [leg] = legs
  leg?.close()
  // The library closes its socket in another thread.
  const again = () =>
    newLeg('whatsapp')
      .offer()
      .catch(() => '')
  let sdp = ''
  for (let n = 0; n < 500 && sdp === ''; n++) sdp = await again()
  expect(candidates(sdp)).toHaveLength(1)
})

it('says so when its address is not of this machine', async () => {
  const leg = legMaker({ bindAddress: '203.0.113.1' })('whatsapp')
  await expect(leg.offer()).rejects.toMatchObject({ code: 'MEDIA_NO_PORT' })
})

it('meets a browser that may use relays alone on a relay of its own, by the same relay', async () => {
  const relay = await turnService({ HAIRPIN_RELAY_PORTS: '21920-21939' })
  closing.push(() => relay.close())
  const asked: string[] = []
  const mint = async (user: string) => {
    asked.push(user)
    return relay.turn.iceServersFor({ app: 'demo', user })
  }
  const [entry] = (await mint('agent')).iceServers.filter(({ username }) => username !== undefined)
  const url = [entry!.urls].flat().find((one) => /^turn:.*transport=udp$/.test(one))!
  const browser = newBrowser({
    relayOnly: true,
    turn: { url, username: entry!.username!, credential: entry!.credential! },
  })
  const leg = newLeg({ iceServers: async () => (await mint('bridge')).iceServers })
  const answer = await leg.answer(await browser.offer())
  expect(candidates(answer).map(({ type }) => type)).toContain('relay')
  leg.start()
  await browser.join(answer)
  await expectSpeech(browser, leg)
  expect(browser.pair).toEqual(['relay', 'relay'])
  expect(asked).toEqual(['agent', 'bridge'])
})

it('goes without a relay whose credentials cannot be had, and says so', async () => {
  for (const iceServers of [() => Promise.reject(new Error('no')), () => new Promise<never>(() => {})]) {
    const faults: unknown[] = []
    const leg = newLeg({ iceServers, onFault: (error) => faults.push(error) })
    const browser = newBrowser()
    const answer = await leg.answer(await browser.offer())
    expect(candidates(answer).map(({ type }) => type)).toEqual(['host'])
    expect(faults).toHaveLength(1)
  }
})

it('does not wait for a relay that does not answer for longer than two seconds', async () => {
  const silent: Socket = createSocket('udp4')
  closing.push(() => silent.close())
  silent.bind(0, '127.0.0.1')
  await once(silent, 'listening')
  const urls = [`turn:127.0.0.1:${silent.address().port}?transport=udp`]
  const leg = newLeg({ iceServers: () => [{ urls, username: 'u', credential: 'c' }] })
  const browser = newBrowser()
  const answer = await leg.answer(await browser.offer())
  leg.start()
  await browser.join(answer)
  await expectSpeech(browser, leg)
})

it('names its address outside of a 1:1 NAT beside the local one', async () => {
  const sdp = await newLeg({ publicAddress: '203.0.113.9' }, 'whatsapp').offer()
  const [host, outside] = candidates(sdp)
  expect(outside).toEqual({ address: '203.0.113.9', port: host?.port, type: 'srflx' })
  expect(sdp).toMatch(new RegExp(`typ srflx raddr 127.0.0.1 rport ${host?.port}\r\n`))
})

it('is not held up by candidates of mDNS or TCP, and finds a browser that has no others', async () => {
  const browser = newBrowser()
  const offer = (await browser.offer()).replace(
    /(a=candidate:\S+ 1 udp \d+) 127\.0\.0\.1 (\d+) (typ host.*)\r\n/g,
    '$1 0f6b1c2d-1111-4222-8333-444455556666.local $2 $3\r\n' +
      'a=candidate:9 1 tcp 1518280447 0f6b1c2d-1111-4222-8333-444455556666.local 9 typ host tcptype active\r\n',
  )
  expect(offer).toContain('.local')
  const leg = newLeg({})
  const answer = await leg.answer(offer)
  leg.start()
  await browser.join(answer)
  await expectSpeech(browser, leg)
})

it('reads the ICE servers that browsers are given: STUN, and one TURN over UDP', () => {
  const login = { username: '1:demo/a', credential: 'secret' }
  const urls = ['turns:a.example:5349?transport=tcp', 'turn:a.example?transport=tcp', 'turn:a.example:3479']
  expect(
    nativeIceServers([
      { urls: 'stun:[2001:db8::1]:3470' },
      { urls, ...login },
      { urls: ['turn:b.example?transport=udp'], ...login },
      { urls: 'turn:no-login.example' },
      { urls: 'nonsense' },
    ]),
  ).toEqual([
    { hostname: '2001:db8::1', port: 3470 },
    { hostname: 'a.example', port: 3479, username: '1:demo/a', password: 'secret', relayType: 'TurnUdp' },
  ])
})
