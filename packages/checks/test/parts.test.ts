import { describe, expect, it } from 'vitest'
import {
  type BindingAnswer,
  credentialsIn,
  isLocalHost,
  LoopMeter,
  measureLoop,
  natOf,
  relayTargets,
  SignalingProbe,
  stunTargets,
} from '../src/index.ts'
import { answer, straight, testClock } from './fake-driver.ts'

describe('ICE servers', () => {
  it('are taken apart into single URLs with their transport', () => {
    expect(relayTargets(answer).map(({ host, port, transport }) => `${transport} ${host} ${port}`)).toEqual([
      'udp turn.example.com 3478',
      'tcp turn.example.com 3478',
      'tls turn.example.com 5349',
    ])
    const urls = ['turn:[2001:db8::1]', 'turns:a.example', 'turns:a.example?transport=udp', 'http://x', 'turn:a:99999']
    const odd = { ...answer, iceServers: [{ urls, username: 'u', credential: 'c' }] }
    expect(relayTargets(odd).map(({ host, port }) => `${host} ${port}`)).toEqual(['2001:db8::1 3478', 'a.example 5349'])
    expect(stunTargets(odd)).toEqual([{ url: 'stun:[2001:db8::1]:3478', host: '2001:db8::1', port: 3478 }])
  })

  it('are looked at before they are believed', () => {
    expect(credentialsIn(201, JSON.stringify(answer), 1)).toMatchObject({ state: 'given' })
    expect(credentialsIn(200, '<html>', 1)).toMatchObject({ state: 'odd' })
    expect(credentialsIn(200, '{"iceServers":[{}],"ttl":1,"expiresAt":"2030-01-01"}', 1)).toMatchObject({
      state: 'odd',
    })
    expect(credentialsIn(404, 'no', 1)).toMatchObject({ state: 'odd' })
    expect(credentialsIn(401, '{"error":{"code":"TURN_UNAUTHORIZED","message":"no"}}', 1)).toMatchObject({
      state: 'refused',
      code: 'TURN_UNAUTHORIZED',
    })
  })
})

it.each([
  ['localhost', true],
  ['[::1]', true],
  ['10.1.2.3', true],
  ['172.31.0.1', true],
  ['172.32.0.1', false],
  ['100.64.0.1', true],
  ['fe80::1', true],
  ['fd00::1', true],
  ['2001:db8::1', false],
  ['198.51.100.7', false],
  ['calls.example.com', false],
])('%s is of its own network: %s', (host, local) => expect(isLocalHost(host)).toBe(local))

describe('NAT', () => {
  const seen = (server: string, mapped: string, local = '192.168.1.2:4000'): BindingAnswer => ({
    url: 'stun:x',
    server,
    local,
    mapped,
  })
  const [a1, a2, b1] = ['198.51.100.1:3478', '198.51.100.1:3479', '198.51.100.2:3478'] as const

  it.each([
    ['none', [seen(a1, '203.0.113.1:4000', '203.0.113.1:4000')]],
    ['none', [{ url: 'stun:x' }]],
    ['unknown', []],
    ['unknown', [seen(a1, '203.0.113.1:4000')]],
    ['not-port-dependent', [seen(a1, '203.0.113.1:4000'), seen(a2, '203.0.113.1:4000')]],
    ['endpoint-independent', [seen(a1, '203.0.113.1:4000'), seen(b1, '203.0.113.1:4000')]],
    ['dependent', [seen(a1, '203.0.113.1:4000'), seen(b1, '203.0.113.1:4001')]],
    ['address-and-port-dependent', [seen(a1, '203.0.113.1:4000'), seen(a2, '203.0.113.1:4001')]],
    ['address-dependent', [seen(a1, '203.0.113.1:4000'), seen(a2, '203.0.113.1:4000'), seen(b1, '203.0.113.1:4001')]],
    // Two sockets of a browser that hides their ports.
    ['unknown', [a1, a1, b1].map((server, i) => ({ url: server, mapped: `203.0.113.1:${4000 + i}` }))],
  ] as const)('%s', (mapping, answers) => expect(natOf(answers).mapping).toBe(mapping))

  it('has filtering to tell only where there is a NAT', () => {
    const behind = [seen(a1, '203.0.113.1:4000'), seen(b1, '203.0.113.1:4000')]
    expect(natOf(behind, 'address-dependent').filtering).toBe('address-dependent')
    expect(natOf([{ url: 'stun:x' }], 'address-dependent')).not.toHaveProperty('filtering')
  })
})

describe('the loop', () => {
  it('sends at the planned rate and counts what comes', async () => {
    const figures = await measureLoop(straight(), { bitsPerSecond: 800_000, milliseconds: 2_000 }, testClock())
    expect(figures).toMatchObject({ sent: 200, received: 200, loss: 0, jitter: 0, rtt: { least: 0, most: 0 } })
    expect(Math.abs(figures.bitsPerSecond - 800_000)).toBeLessThan(10_000)
  })

  it('counts losses, and a packet that came twice once', async () => {
    const figures = await measureLoop(
      straight((n) => n % 4 === 0),
      { bitsPerSecond: 800_000, milliseconds: 2_000 },
      testClock(),
    )
    expect(figures).toMatchObject({ sent: 200, received: 150, loss: 0.25 })
    const meter = new LoopMeter()
    meter.sent()
    meter.arrived(0, 0, 5, 1000)
    meter.arrived(0, 0, 6, 1000)
    expect(meter.figures({ bitsPerSecond: 1, milliseconds: 1 })).toMatchObject({
      received: 1,
      loss: 0,
      bitsPerSecond: 0,
    })
  })

  it('has the jitter of RFC 3550', () => {
    const meter = new LoopMeter()
    for (const [n, transit] of [10, 26, 10].entries()) meter.arrived(n, n * 20, n * 20 + transit, 1000)
    // 16/16 = 1, then 1 + (16 - 1)/16.
    expect(meter.figures({ bitsPerSecond: 1, milliseconds: 1 }).jitter).toBeCloseTo(1.9375)
  })
})

describe('the signaling probe', () => {
  const socket = () => {
    const sent: string[] = []
    const handlers = { onopen: null, onmessage: null, onclose: null, onerror: null } as Record<string, unknown>
    const fire = (name: string, event: unknown = {}) => (handlers[name] as (event: unknown) => void)?.(event)
    const made = Object.assign(handlers, { protocol: 'json', send: (text: string) => sent.push(text), close: () => {} })
    return { made: made as never, fire, sent }
  }
  const quiet = () => {}
  const never = () => Promise.reject(new Error('was open'))

  it('waits for the greeting, joins, and takes the servers', async () => {
    const { made, fire, sent } = socket()
    const probe = new SignalingProbe()
    const opened = probe.open(made, never, () => 0, quiet)
    fire('onopen')
    fire('onmessage', { data: 'not JSON' })
    fire('onmessage', { data: '{"type":"id","id":"1","seq":1}' })
    expect(await opened).toMatchObject({ state: 'open', protocol: 'json', idMs: 0 })
    const given = probe.guestCredentials(() => 0, quiet)
    expect(JSON.parse(sent[0]!)).toMatchObject({ type: 'username', name: expect.stringMatching(/^check-/) })
    fire('onmessage', { data: '{"type":"userlist","users":[],"seq":2}' })
    fire('onmessage', { data: JSON.stringify({ type: 'ice-servers', ...answer, seq: 3 }) })
    expect(await given).toMatchObject({ state: 'given', answer: { ttl: 3600 } })
  })

  it('tells a refusal from a close, and why it did not open', async () => {
    const refused = socket()
    const probe = new SignalingProbe()
    const first = probe.open(
      refused.made,
      async () => ({ state: 'refused', status: 403 }),
      () => 0,
      quiet,
    )
    refused.fire('onclose', { code: 1006, reason: '' })
    expect(await first).toEqual({ state: 'refused', status: 403 })

    const cut = socket()
    const second = new SignalingProbe().open(cut.made, never, () => 0, quiet)
    cut.fire('onopen')
    cut.fire('onclose', { code: 4408, reason: 'join timeout' })
    expect(await second).toEqual({ state: 'closed', code: 4408, reason: 'join timeout' })

    const guests = socket()
    const third = new SignalingProbe()
    void third.open(guests.made, never, () => 0, quiet)
    guests.fire('onopen')
    guests.fire('onmessage', { data: '{"type":"id","id":"1","seq":1}' })
    const given = third.guestCredentials(() => 0, quiet)
    guests.fire('onmessage', { data: '{"type":"error","code":"SIG_GUESTS_OFF","message":"no","seq":2}' })
    expect(await given).toEqual({ state: 'refused', code: 'SIG_GUESTS_OFF', message: 'no' })
  })
})
