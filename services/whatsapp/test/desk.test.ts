/** The agents' side over the real machine of calls; Meta and media are made up. */
import type { DeskBody, DeskRequest, Recipients } from '@hairpin/desk'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { businessSdp } from '../../../packages/whatsapp-simulator/test/support/business.ts'
import { CallDesk } from '../src/desk/desk.ts'
import { digitsOf } from '../src/desk/number.ts'
import type { CallPermission } from '../src/graph/client.ts'
import type { MediaLeg, NewLeg } from '../src/media/leg.ts'
import { LegError } from '../src/media/leg.ts'
import { CallService } from '../src/service.ts'

const offer = businessSdp('actpass')
const number = '491701234567'
const done = async () => ({ ok: true, value: undefined }) as const
const failure = { code: 138009, status: 400, message: 'no', trace: undefined, uncertain: false } as const

interface Said {
  readonly agent: string
  readonly devices: Recipients
  readonly body: DeskBody
}

/** Legs to agents, whose answers a test gives when it likes. */
let answers: { resolve(sdp: string): void; reject(error: Error): void }[]
/** A packet from the customer. */
let customerSpeaks: () => void
let said: Said[]
let faults: object[]
let service: CallService
let desk: CallDesk

function open(mode: 'bridge' | 'direct' = 'bridge') {
  answers = []
  said = []
  faults = []
  const permission: CallPermission = {
    status: 'permanent',
    expiresAt: undefined,
    mayCall: true,
    mayAsk: false,
    mayCallAt: undefined,
    mayAskAt: undefined,
  }
  const newLeg: NewLeg = (events, side): MediaLeg => {
    if (side === 'whatsapp') customerSpeaks = () => events.onPacket(Buffer.alloc(12))
    return leg(side)
  }
  const leg = (side: 'whatsapp' | 'agent'): MediaLeg => ({
    ssrc: 1,
    audio: undefined,
    answer: () =>
      side === 'whatsapp'
        ? Promise.resolve('our answer')
        : new Promise((resolve, reject) => answers.push({ resolve, reject })),
    start() {},
    offer: async () => 'our offer',
    join() {},
    send: () => true,
    close() {},
  })
  service = new CallService({
    graph: {
      preAccept: done,
      accept: done,
      reject: done,
      terminate: done,
      connect: async () => ({ ok: true, value: 'wacid.out' }),
      permission: async () => ({ ok: true, value: permission }),
      requestPermission: async () => ({ ok: false, reason: 'permission-requests-limited', ...failure }),
    },
    mode,
    newLeg,
    tell: (agent, callId, event) => desk.told(agent, callId, event),
    onRecord: (record) => desk.over(record),
    onPermission: (update) => desk.replied(update),
    log: { warn() {} },
    newKey: () => 'out-1',
  })
  desk = new CallDesk({ mode, service, log: { error: (fields) => faults.push(fields) } })
  desk.attach({
    tell: (agent, devices, body) => said.push({ agent, devices, body }),
    up() {},
    down() {},
  })
}

const customerCalls = (id: string) =>
  service.update({
    kind: 'connect',
    id,
    at: Date.now(),
    direction: 'user',
    number,
    name: 'Maria',
    sdpType: 'offer',
    sdp: offer,
  })
const hangsUp = (id: string) =>
  service.update({ kind: 'terminate', id, at: Date.now(), completed: true, duration: undefined, code: undefined })
const ask = async (agent: string, device: string, request: DeskRequest) => {
  desk.request(agent, device, request)
  await vi.advanceTimersByTimeAsync(1)
}
const takes = (agent: string, device: string, callId: string) =>
  ask(agent, device, { type: 'browser-offer', callId, sdp: offer })

/** What was said since the last time, `agent` messages aside: agent, devices, message. */
function news(): string[] {
  const fresh = said.splice(0).filter(({ body }) => body.type !== 'agent')
  return fresh.map(({ agent, devices, body }) => {
    const to = devices === 'all' ? 'all' : 'only' in devices ? devices.only : `not ${devices.except}`
    const what = 'code' in body ? body.code : 'state' in body ? body.state : 'reason' in body ? body.reason : ''
    return `${agent}/${to}: ${body.type}${what === '' ? '' : ` ${what}`}`
  })
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'Date'] })
  open()
})
afterEach(async () => {
  desk.close()
  await service.close()
  vi.useRealTimers()
})

describe('a device that takes a call', () => {
  beforeEach(() => {
    desk.arrive('anna', 'a1')
    desk.arrive('ben', 'b1')
    customerCalls('a')
    news()
  })

  it('stops the ringing of the agent’s other devices and of all other agents', async () => {
    await takes('anna', 'a1', 'a')
    answers[0]!.resolve('answer')
    await vi.advanceTimersByTimeAsync(1)
    expect(news()).toEqual([
      'ben/all: answered-elsewhere',
      'anna/not a1: answered-elsewhere',
      'anna/all: call-state connected',
      'anna/a1: browser-answer',
    ])
    await takes('ben', 'b1', 'a')
    expect(news()).toEqual(['ben/b1: answered-elsewhere'])
  })

  it('loses it to another one of the agent that offers later, whichever answer is ready first', async () => {
    await takes('anna', 'a1', 'a')
    await takes('anna', 'a2', 'a')
    news()
    answers[1]!.resolve('for a2')
    answers[0]!.resolve('for a1')
    await vi.advanceTimersByTimeAsync(1)
    expect(news()).toEqual(['anna/a2: browser-answer'])
  })

  it('hears nothing of the failure of an offer that another has replaced', async () => {
    await takes('anna', 'a1', 'a')
    await takes('anna', 'a2', 'a')
    news()
    answers[0]!.reject(new LegError('MEDIA_FAILED', 'closed'))
    await vi.advanceTimersByTimeAsync(1)
    expect(news()).toEqual([])
  })

  it('keeps it when another device’s offer cannot carry it', async () => {
    await takes('anna', 'a1', 'a')
    answers[0]!.resolve('answer')
    news()
    await ask('anna', 'a2', { type: 'browser-offer', callId: 'a', sdp: 'v=0' })
    expect(news()).toEqual(['anna/a1: browser-answer', 'anna/a2: error SIG_BAD_SDP'])
  })

  it('is told when its media fails', async () => {
    await takes('anna', 'a1', 'a')
    news()
    answers[0]!.reject(new LegError('MEDIA_NO_PORT', 'no port is free'))
    await vi.advanceTimersByTimeAsync(1)
    expect(said.at(-1)?.body).toMatchObject({
      code: 'SIG_BAD_SDP',
      message: 'MEDIA_NO_PORT: no port is free',
      about: 'browser-offer',
      callId: 'a',
    })
  })

  it('is told something when the fault is ours, which is logged', async () => {
    await takes('anna', 'a1', 'a')
    news()
    answers[0]!.reject(new TypeError('oh'))
    await vi.advanceTimersByTimeAsync(1)
    expect(news()).toEqual(['anna/a1: error SIG_CALL_REFUSED'])
    expect(faults).toMatchObject([{ code: 'WHATSAPP_REQUEST_BROKEN', err: { message: 'oh' } }])
  })

  it('hears once that the call ended while its answer was made', async () => {
    await takes('anna', 'a1', 'a')
    news()
    hangsUp('a')
    answers[0]!.reject(new LegError('MEDIA_FAILED', 'closed'))
    await vi.advanceTimersByTimeAsync(1)
    expect(news()).toEqual(['anna/all: call-ended customer-hung-up'])
  })
})

describe('an agent who was away', () => {
  beforeEach(() => {
    desk.arrive('anna', 'a1')
    desk.arrive('ben', 'b1')
    customerCalls('a')
    news()
  })

  it('hears again what still rings', () => {
    desk.leave('anna')
    desk.arrive('anna', 'a1')
    expect(news()).toEqual(['anna/all: call-is-coming'])
  })

  it('is told while away that a call is over, for when its devices are back', () => {
    desk.leave('anna')
    hangsUp('a')
    expect(news()).toEqual(['ben/all: call-ended customer-hung-up', 'anna/all: call-ended customer-hung-up'])
    desk.arrive('anna', 'a1')
    expect(news()).toEqual([])
  })

  it('hears that another one has taken it', async () => {
    desk.leave('anna')
    await takes('ben', 'b1', 'a')
    news()
    desk.arrive('anna', 'a1')
    expect(news()).toEqual(['anna/all: answered-elsewhere'])
  })

  it('finds its own call as it stands, and hears of its end though it never came back', async () => {
    await takes('anna', 'a1', 'a')
    news()
    desk.leave('anna')
    desk.arrive('anna', 'a1')
    expect(said.find(({ body }) => body.type === 'call-state')?.body).toMatchObject({
      resumed: true,
      answeredAt: expect.any(Number),
    })
    desk.leave('anna')
    news()
    hangsUp('a')
    expect(news()).toEqual(['anna/all: call-ended customer-hung-up'])
  })

  it('hears everything anew when signaling has forgotten it without a word', () => {
    desk.arrive('anna', 'a1')
    expect(news()).toEqual(['anna/all: call-is-coming'])
  })
})

describe('a further device', () => {
  it('is told alone what rings, who is here, and the agent’s call', async () => {
    desk.arrive('anna', 'a1')
    customerCalls('a')
    news()
    desk.appear('anna', 'a2')
    expect(said[0]).toMatchObject({
      devices: { only: 'a2' },
      body: { type: 'agent', agents: [{ name: 'anna', free: true }] },
    })
    expect(news()).toEqual(['anna/a2: call-is-coming'])
    await takes('anna', 'a1', 'a')
    news()
    desk.appear('anna', 'a3')
    expect(news()).toEqual(['anna/a3: call-state connected'])
  })

  it('rings no more when another one has declined', async () => {
    desk.arrive('anna', 'a1')
    desk.arrive('ben', 'b1')
    customerCalls('a')
    news()
    await ask('anna', 'a1', { type: 'call-decline', callId: 'a' })
    expect(news()).toEqual(['anna/not a1: ring-stopped'])
    await ask('anna', 'a2', { type: 'call-decline', callId: 'a' })
    expect(news()).toEqual(['anna/a2: error SIG_NO_CALL'])
    desk.appear('anna', 'a3')
    expect(news()).toEqual([])
  })
})

describe('the device that carries the call', () => {
  const seconds = async (n: number) => {
    for (let second = 0; second < n; second++) {
      customerSpeaks()
      await vi.advanceTimersByTimeAsync(1000)
    }
  }
  const isOver = () => service.agentOf('a') === undefined

  beforeEach(async () => {
    desk.arrive('anna', 'a1')
    desk.appear('anna', 'a2')
    customerCalls('a')
    await takes('anna', 'a1', 'a')
    answers[0]!.resolve('answer')
    await vi.advanceTimersByTimeAsync(1)
    news()
  })

  it('disappears: the others can go on with it, and the call ends after 20 s when none does', async () => {
    desk.disappear('anna', 'a1')
    expect(said).toMatchObject([{ devices: { except: 'a1' }, body: { type: 'call-state', resumed: true } }])
    await seconds(19)
    expect(isOver()).toBe(false)
    await seconds(1)
    expect(isOver()).toBe(true)
    expect(news()).toContain('anna/all: call-ended agent-lost')
  })

  it('disappears, and is replaced by another one, which carries it from then on', async () => {
    desk.disappear('anna', 'a1')
    await takes('anna', 'a2', 'a')
    answers[1]!.resolve('another answer')
    await seconds(21)
    expect(isOver()).toBe(false)
    expect(news().slice(1)).toEqual(['anna/not a2: answered-elsewhere', 'anna/a2: browser-answer'])
    desk.appear('anna', 'a1')
    desk.disappear('anna', 'a1')
    expect(news()).toEqual(['anna/a1: call-state connected'])
    await seconds(1)
    expect(isOver()).toBe(false)
  })

  it('disappears and is back', async () => {
    desk.disappear('anna', 'a1')
    await seconds(15)
    desk.appear('anna', 'a1')
    await seconds(6)
    expect(isOver()).toBe(false)
  })

  it('stays away while its agent leaves and comes back with another one', async () => {
    desk.leave('anna')
    await seconds(15)
    desk.arrive('anna', 'a2')
    await seconds(6)
    expect(isOver()).toBe(false)
    expect(news()).toContain('anna/all: call-state connected')
    desk.appear('anna', 'a1')
    await seconds(8)
    expect(isOver()).toBe(false)
  })

  it('and the agent’s other devices: these may come and go', async () => {
    desk.disappear('anna', 'a2')
    await seconds(21)
    expect([isOver(), news()]).toEqual([false, []])
  })
})

it('whose device carries a direct call, and disappears, is left to Meta', async () => {
  open('direct')
  desk.arrive('anna', 'a1')
  desk.appear('anna', 'a2')
  customerCalls('a')
  await ask('anna', 'a1', { type: 'browser-answer', callId: 'a', sdp: businessSdp('active') })
  news()
  desk.disappear('anna', 'a1')
  await vi.advanceTimersByTimeAsync(120_000)
  expect([service.agentOf('a'), news()]).toEqual(['anna', []])
})

describe('requests', () => {
  it('about a call of somebody else, or of nobody, have no effect', async () => {
    desk.arrive('anna', 'a1')
    desk.arrive('ben', 'b1')
    customerCalls('a')
    await takes('anna', 'a1', 'a')
    news()
    const requests: DeskRequest[] = [
      { type: 'call-over', callId: 'a' },
      { type: 'call-hold', callId: 'a', held: true },
      { type: 'call-keep', callId: 'a' },
      { type: 'call-transfer', callId: 'a', to: 'ben' },
      { type: 'call-decline', callId: 'a' },
      { type: 'browser-offer', callId: 'b', sdp: offer },
      { type: 'browser-answer', callId: 'b', sdp: offer },
    ]
    for (const request of requests) {
      await ask('ben', 'b1', request)
      expect(news()).toEqual(['ben/b1: error SIG_NO_CALL'])
    }
    expect(service.agentOf('a')).toBe('anna')
  })

  it('of the other mode are refused', async () => {
    desk.arrive('anna', 'a1')
    customerCalls('a')
    news()
    await ask('anna', 'a1', { type: 'browser-answer', callId: 'a', sdp: offer })
    expect(said.at(-1)?.body).toMatchObject({
      code: 'SIG_BAD_SDP',
      message: expect.stringContaining('MEDIA_OTHER_MODE'),
    })
    expect(service.agentOf('a')).toBeUndefined()
  })

  it('to call what is no number are refused', async () => {
    desk.arrive('anna', 'a1')
    await ask('anna', 'a1', { type: 'call-dial', number: '12-34' })
    expect(news()).toEqual(['anna/a1: error SIG_BAD_MESSAGE'])
    await ask('anna', 'a1', { type: 'call-permission', number: '+0 00000000' })
    expect(news()).toEqual(['anna/a1: error SIG_BAD_MESSAGE'])
  })

  it('to ask a customer too often are refused in words', async () => {
    desk.arrive('anna', 'a1')
    await ask('anna', 'a1', { type: 'call-permission', number, request: true })
    expect(said.at(-1)?.body).toMatchObject({
      code: 'SIG_CALL_REFUSED',
      about: 'call-permission',
      message: expect.stringContaining('too often'),
    })
  })

  it('take numbers as people write them', () => {
    expect(['+49 170 1234567', '0049 (170) 123-4567', '491701234567'].map(digitsOf)).toEqual([number, number, number])
    expect(['0170 1234567', '1234', '1234567890123456', '++'].map(digitsOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('the roster', () => {
  const roster = () =>
    said
      .splice(0)
      .flatMap(({ agent, body }) =>
        body.type === 'agent'
          ? [`${agent}: ${body.agents.map(({ name, free }) => name + (free ? '' : '*')).join(' ')}`]
          : [],
      )

  it('is told at once to who comes, and to the others when things are quiet, once', () => {
    desk.arrive('anna', 'a1')
    desk.arrive('ben', 'b1')
    desk.arrive('cleo', 'c1')
    expect(roster()).toEqual(['anna: anna', 'ben: anna ben', 'cleo: anna ben cleo'])
    vi.advanceTimersByTime(100)
    expect(roster()).toEqual(['anna: anna ben cleo', 'ben: anna ben cleo'])
    vi.advanceTimersByTime(1000)
    expect(roster()).toEqual([])
  })

  it('says who is in a call, and counts', async () => {
    desk.arrive('anna', 'a1')
    desk.arrive('ben', 'b1')
    vi.advanceTimersByTime(100)
    said.length = 0
    customerCalls('a')
    await takes('anna', 'a1', 'a')
    vi.advanceTimersByTime(100)
    expect(roster()).toEqual(['anna: anna* ben', 'ben: anna* ben'])
    expect(desk.agents).toEqual({ here: 2, free: 1 })
    hangsUp('a')
    desk.leave('ben')
    vi.advanceTimersByTime(100)
    expect(roster()).toEqual(['anna: anna'])
  })
})

describe('direct mode', () => {
  beforeEach(() => {
    open('direct')
    desk.arrive('anna', 'a1')
    news()
  })

  it('brings the customer’s offer, and the winner’s answer to Meta', async () => {
    customerCalls('a')
    expect(said[0]?.body).toMatchObject({ type: 'call-is-coming', sdp: offer })
    const answer = `${businessSdp('active')}a=candidate:1 1 UDP 1 192.0.2.1 5000 typ host\r\n`
    news()
    await ask('anna', 'a1', { type: 'browser-answer', callId: 'a', sdp: answer })
    expect(news()).toEqual(['anna/not a1: answered-elsewhere', 'anna/all: call-state connected'])
    await ask('anna', 'a1', { type: 'call-hold', callId: 'a', held: true })
    expect(news()).toEqual(['anna/a1: error SIG_CALL_REFUSED'])
  })

  it('wants the browser’s offer with the number, and brings the answer to that device', async () => {
    await ask('anna', 'a1', { type: 'call-dial', number })
    expect(news()).toEqual(['anna/a1: error SIG_BAD_SDP'])
    await ask('anna', 'a1', { type: 'call-dial', number, sdp: 'v=0' })
    expect(news()).toEqual([
      'anna/all: call-state calling',
      'anna/all: call-ended agent-hung-up',
      'anna/a1: error SIG_BAD_SDP',
    ])
    const sdp = `${offer}a=candidate:1 1 UDP 1 192.0.2.1 5000 typ host\r\n`
    await ask('anna', 'a1', { type: 'call-dial', number, sdp })
    await vi.advanceTimersByTimeAsync(1)
    news()
    service.update({
      kind: 'connect',
      id: 'wacid.out',
      at: Date.now(),
      direction: 'business',
      number,
      name: undefined,
      sdpType: 'answer',
      sdp: 'theirs',
    })
    expect(news()).toEqual(['anna/a1: browser-answer'])
  })
})
