import { expect, it } from 'vitest'
import { businessSdp } from '../../../packages/whatsapp-simulator/test/support/business.ts'
import { directSdp, forBrowser } from '../src/core/sdp.ts'
import { Desk } from './support/desk.ts'

const number = '491701234567'
const key = 'out-1'
const host = 'a=candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host'
const relay = 'a=candidate:4 1 udp 41885439 198.51.100.1 49200 typ relay raddr 0.0.0.0 rport 0'
const mdns = 'a=candidate:2 1 udp 2122194687 0f6b1c2d-1111-4222-8333-444455556666.local 50001 typ host'
const tcp = 'a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active'
const bare = (setup: 'active' | 'actpass') => businessSdp(setup).replace(/a=candidate.*\r\n/, '')
const withLines = (sdp: string, ...lines: string[]) => `${sdp}${lines.join('\r\n')}\r\n`
const answer = withLines(bare('active'), host)
const candidatesOf = (checked: ReturnType<typeof directSdp>) =>
  typeof checked === 'string' ? checked : checked.sdp.split('\r\n').filter((line) => line.startsWith('a=candidate:'))

function desk(...agents: string[]): Desk {
  const made = new Desk({ mode: 'direct' })
  for (const agent of agents) made.do((calls) => calls.arrive(agent))
  return made
}

/** A customer's call that Anna's browser has answered and Meta has taken. */
function talking(): Desk {
  const made = desk('Anna', 'Ben').connect('c', 'v=0\r\na=extmap:1 urn:x\r\na=mid:0\r\n')
  made.do((calls) => expect(calls.directAnswer('Anna', 'c', answer)).toBe('won'))
  return made.reply('c').reply('c')
}

function expectClean(made: Desk): void {
  expect([made.calls.size, made.wakes.size, made.pending.size, made.alive.size]).toEqual([0, 0, 0, 0])
  expect(made.legs.size).toBe(0)
}

it("rings with the customer's offer, and sends Meta the winner's answer, twice the same, after it is known", () => {
  const made = desk('Anna', 'Ben').connect('c', 'v=0\r\na=extmap:1 urn:x\r\na=mid:0\r\n')
  expect(made.told.map(({ event }) => event)).toMatchObject([
    { type: 'call-is-coming', sdp: 'v=0\r\na=mid:0\r\n' },
    { type: 'call-is-coming', sdp: 'v=0\r\na=mid:0\r\n' },
  ])
  expect(made.actions('c')).toEqual([])
  made.do((calls) => expect(calls.directAnswer('Anna', 'c', answer)).toBe('won'))
  made.do((calls) => expect(calls.directAnswer('Ben', 'c', 'another')).toBe('lost'))
  made.do((calls) => expect(calls.directAnswer('Anna', 'c', 'once more')).toBe('lost'))
  made.reply('c').reply('c')
  expect(made.requests.get('c')).toEqual([
    { action: 'pre_accept', id: 'c', sdp: answer },
    { action: 'accept', id: 'c', sdp: answer },
  ])
  expect(made.heardBy('Anna', 'c')).toEqual(['call-is-coming', 'connected'])
  expect(made.heardBy('Ben', 'c')).toEqual(['call-is-coming', 'answered-elsewhere'])
  made.do((calls, now) => calls.hangUp('Anna', 'c', now)).reply('c')
  expect(made.actions('c').at(-1)).toBe('terminate')
  expectClean(made)
})

it('leaves silence to Meta, and ends a while after its agent is lost', () => {
  const made = talking().pass(3_600_000)
  expect(made.records).toEqual([])
  made.do((calls, now) => calls.leave('Anna', now)).pass(10_000)
  made.do((calls) => calls.arrive('Anna')).pass(60_000)
  expect(made.heardBy('Anna', 'c').at(-1)).toBe('call-resumed')
  // Its page alone may be gone: the agent has another one.
  made
    .do((calls) => calls.arrive('Anna'))
    .do((calls, now) => calls.lose('Anna', now))
    .pass(600_000)
  expect(made.records).toEqual([])
  made.do((calls, now) => calls.leave('Anna', now)).pass(20_000)
  expect(made.records.map(({ ending }) => ending.reason)).toEqual(['agent-lost'])
  expect(made.actions('c').at(-1)).toBe('terminate')
  expectClean(made.reply('c'))
})

it('cannot be handed over or held here: its media is in the browser of its agent', () => {
  talking()
    .do((calls) => expect(calls.transfer('Anna', 'c', 'Ben')).toBe(false))
    .do((calls, now) => expect(calls.hold('Anna', 'c', true, now)).toBe(false))
})

it('rejects a customer whom nobody answers, and one whose answer Meta refuses', () => {
  const missed = desk('Anna').connect('c').pass(45_000)
  expect(missed.actions('c')).toEqual(['reject'])
  expectClean(missed.reply('c'))
  const refused = desk('Anna').connect('c')
  refused.do((calls) => calls.directAnswer('Anna', 'c', answer))
  refused.reply('c', { ok: false, reason: 'bad-request', uncertain: false })
  expect(refused.actions('c')).toEqual(['pre_accept', 'reject'])
  expectClean(refused.reply('c'))
})

it('calls with the offer of the browser, whether it or the permission comes first, and tells it the answer', () => {
  for (const early of [true, false]) {
    const made = desk('Anna').do((calls, now) => calls.dial('Anna', number, now))
    const offers = () => made.do((calls) => expect(calls.directOffer('Anna', key, 'an offer')).toBe(true))
    if (early) offers()
    made.reply(key)
    if (!early) offers()
    made.do((calls) => expect(calls.directOffer('Anna', key, 'another')).toBe(false))
    expect(made.requests.get(key)?.at(-1)).toEqual({ action: 'connect', number, sdp: 'an offer' })
    made.reply(key, { ok: true, id: 'm' }).joins('m')
    expect(made.told.at(-1)?.event).toEqual({ type: 'browser-answer', sdp: 'answer of m\r\n' })
    made.do((calls, now) => calls.leave('Anna', now)).do((calls) => calls.arrive('Anna'))
    expect(made.heardBy('Anna', key)).toEqual(['calling', 'browser-answer', 'call-resumed', 'browser-answer'])
    made.status('m', 'ACCEPTED').pass(600_000).terminate('m')
    expect(made.records).toMatchObject([{ ending: { reason: 'customer-hung-up' } }])
    expectClean(made)
  }
})

it('gives up a call of the business that nobody answers, or whose browser makes no offer', () => {
  const unanswered = desk('Anna').do((calls, now) => calls.dial('Anna', number, now))
  unanswered
    .do((calls) => calls.directOffer('Anna', key, 'an offer'))
    .reply(key)
    .reply(key, { ok: true, id: 'm' })
  expect(unanswered.joins('m').pass(60_000).actions(key).at(-1)).toBe('terminate')
  expectClean(unanswered.reply(key))
  const silent = desk('Anna')
    .do((calls, now) => calls.dial('Anna', number, now))
    .reply(key)
  expectClean(silent.pass(60_000))
})

it('takes neither an answer nor an offer of a browser in bridge mode', () => {
  const made = new Desk().do((calls) => calls.arrive('Anna')).connect('c')
  made.do((calls) => expect(calls.directAnswer('Anna', 'c', answer)).toBe('lost'))
  made.do((calls, now) => calls.dial('Anna', number, now))
  made.do((calls) => expect(calls.directOffer('Anna', key, 'an offer')).toBe(false))
})

it('brings the SDP of a browser into the form that Meta takes: 20 ms, no header extensions, candidates that it can use', () => {
  const sdp = withLines(bare('actpass'), 'a=extmap:1 urn:x', host, mdns, tcp, relay)
  const checked = directSdp(sdp, 'offer')
  expect(candidatesOf(checked)).toEqual([host, relay])
  expect(checked).toMatchObject({ sdp: expect.stringMatching(/^((?!extmap).)*a=ptime:20\r\n$/s) })
  expect(candidatesOf(directSdp(withLines(bare('active'), relay), 'answer'))).toEqual([relay])
  expect(forBrowser('v=0\na=extmap:1 urn:x\na=mid:0\n')).toBe('v=0\r\na=mid:0\r\n')
  // Browsers, too, look for it in the session only, and take the wrong role without it.
  expect(forBrowser('v=0\nm=audio\na=ice-lite\n')).toBe('v=0\r\na=ice-lite\r\nm=audio\r\n')
})

it.each([
  ['SDP_NOT_AUDIO', 'v=0\r\n'],
  ['SDP_NOT_ACTIVE', withLines(bare('actpass'), host)],
  ['SDP_NO_CANDIDATES', bare('active')],
  ['SDP_NO_CANDIDATES', withLines(bare('active'), mdns, tcp)],
  ['SDP_EXTENSIONS', withLines(bare('active'), host, 'a=extmap:1 urn:x')],
  ['SDP_NO_OPUS', withLines(bare('active').replace('opus', 'PCMU'), host)],
  ['SDP_NO_FINGERPRINT', withLines(bare('active').replace('sha-256', 'sha-1'), host)],
])('refuses an answer of a browser that Meta would not take: %s', (fault, sdp) => {
  expect(directSdp(sdp, 'answer')).toBe(fault)
})
