import { describe, expect, it } from 'vitest'
import {
  closingText,
  type Driver,
  type Report,
  reportJson,
  reportText,
  runChecks,
  stepsFor,
  stepText,
} from '../src/index.ts'
import {
  answer,
  apiKey,
  credential,
  driverWith,
  goodCertificate,
  reportOf,
  shortLoop,
  straight,
  testClock,
} from './fake-driver.ts'

const timeout = { state: 'trouble', trouble: { kind: 'timeout', text: 'no answer' } } as const

describe('the order and what depends on what', () => {
  it('passes every step where all is well', async () => {
    const { report } = await reportOf()
    expect(report.steps.map(({ id, state }) => `${id} ${state}`)).toEqual([
      'server passed',
      'certificate passed',
      'websocket passed',
      'credentials passed',
      'clock passed',
      'stun passed',
      'nat skipped',
      'turn-udp passed',
      'turn-tcp passed',
      'turn-tls passed',
      'turns-certificate passed',
      'ipv6 skipped',
      'loop passed',
      'ports passed',
    ])
    expect(report.verdict).toBe('passed')
    expect(closingText(report)).toBe('12 passed, 2 skipped.')
  })

  it('has other steps in a browser, which is no program that has to find the server', async () => {
    const { report } = await reportOf({}, 'browser', 'guest')
    expect(report.steps.slice(0, 5).map(({ id }) => id)).toEqual([
      'page',
      'microphone',
      'websocket',
      'credentials',
      'clock',
    ])
    expect(report.steps.map(({ id }) => id)).not.toContain('certificate')
    expect(report.verdict).toBe('passed')
  })

  it('skips what stands on a step that failed, and names that step', async () => {
    const { report, step } = await reportOf({ server: async () => timeout })
    expect(report.steps.filter(({ state }) => state !== 'skipped').map(({ id }) => id)).toEqual(['server'])
    expect(step('ports')?.means).toBe('Not tried, because “Server” failed.')
    expect(report.verdict).toBe('failed')
  })

  it('needs the socket for a guest, and not for a key', async () => {
    const socket = async () => ({ state: 'refused', status: 502 }) as const
    expect((await reportOf({ socket }, 'node', 'guest')).stateOf('credentials')).toBe('skipped')
    expect((await reportOf({ socket }, 'node', 'api')).stateOf('loop')).toBe('passed')
  })

  it('is content with one way to the relay for the loop, and takes the best', async () => {
    const allocate: Driver['allocate'] = async (target, log) =>
      target.transport === 'udp' ? timeout : await driverWith().allocate(target, log)
    const { stateOf, step, report } = await reportOf({ allocate })
    expect([stateOf('turn-udp'), stateOf('turn-tcp'), stateOf('loop')]).toEqual(['failed', 'passed', 'passed'])
    expect(step('loop')?.facts).toMatchObject({ transport: 'tcp' })
    expect(step('turn-udp')?.todo).toContain('open UDP')
    expect(report.verdict).toBe('failed')
    expect((await reportOf({ allocate: async () => timeout })).stateOf('loop')).toBe('skipped')
  })

  it('goes on after a step that stumbled, without its stack', async () => {
    const { step, stateOf } = await reportOf({
      async date() {
        throw new Error('oh')
      },
    })
    expect(step('clock')).toMatchObject({ state: 'failed', outcome: 'unexpected', log: [{ text: 'unexpected: oh' }] })
    expect(stateOf('loop')).toBe('passed')
  })

  it('tells of every change, of waiting and running too', async () => {
    const seen: Report[] = []
    const onChange = (report: Report) => seen.push(report)
    await runChecks(stepsFor('node', 'api'), driverWith(), { clock: testClock(), loop: shortLoop, onChange })
    expect(seen[0]?.steps.every(({ state }) => state === 'waiting')).toBe(true)
    expect(seen.filter(({ steps }) => steps[0]?.state === 'running').length).toBeGreaterThan(0)
    expect(seen.filter(({ verdict }) => verdict !== undefined)).toHaveLength(1)
  })
})

describe('verdicts', () => {
  it.each<[string, Partial<Driver>, string, string]>([
    ['a plain origin', { origin: 'http://calls.example.com' }, 'server', 'plain'],
    ['another web server', { server: async () => ({ state: 'answered', status: 404, ms: 1 }) }, 'server', 'stranger'],
    [
      'a proxy without its service',
      { server: async () => ({ state: 'answered', status: 502, ms: 1 }) },
      'server',
      'draining',
    ],
    [
      'a refused origin',
      { socket: async () => ({ state: 'refused', status: 403, code: 'SIG_ORIGIN_DENIED' }) },
      'websocket',
      'origin',
    ],
    [
      'a full server',
      { socket: async () => ({ state: 'refused', status: 503, code: 'SIG_FULL' }) },
      'websocket',
      'full',
    ],
    [
      'an upgrade that a proxy eats',
      { socket: async () => ({ state: 'refused', plainStatus: 426 }) },
      'websocket',
      'no-upgrade',
    ],
    ['no signaling there', { socket: async () => ({ state: 'refused', status: 404 }) }, 'websocket', 'missing'],
    [
      'no signaling behind the proxy',
      { socket: async () => ({ state: 'refused', status: 502 }) },
      'websocket',
      'gateway',
    ],
    ['a firewall in between', { socket: async () => ({ state: 'refused', status: 407 }) }, 'websocket', 'denied'],
    ['no greeting', { socket: async () => ({ state: 'open', openMs: 1, protocol: 'json' }) }, 'websocket', 'mute'],
    [
      'no subprotocol',
      { socket: async () => ({ state: 'open', openMs: 1, idMs: 2, protocol: '' }) },
      'websocket',
      'subprotocol',
    ],
    [
      'a wrong key',
      { apiCredentials: async () => ({ state: 'refused', status: 401, code: 'TURN_UNAUTHORIZED', message: '' }) },
      'credentials',
      'unauthorized',
    ],
    [
      'no guests',
      { apiCredentials: async () => ({ state: 'refused', code: 'SIG_GUESTS_OFF', message: '' }) },
      'credentials',
      'guests',
    ],
    [
      'no relay',
      { apiCredentials: async () => ({ state: 'given', ms: 1, answer: { ...answer, iceServers: [] } }) },
      'credentials',
      'no-relay',
    ],
    [
      'credentials of minutes',
      { apiCredentials: async () => ({ state: 'given', ms: 1, answer: { ...answer, ttl: 60 } }) },
      'credentials',
      'short',
    ],
    [
      'credentials of the past',
      {
        apiCredentials: async () => ({
          state: 'given',
          ms: 1,
          answer: { ...answer, expiresAt: '2029-12-31T23:59:00Z' },
        }),
      },
      'credentials',
      'expired',
    ],
    [
      'a clock that is wrong',
      { date: async () => ({ state: 'told', server: 90_000, before: 0, after: 10 }) },
      'clock',
      'differ',
    ],
    [
      'a relay of its own network',
      { allocate: async ({ transport }) => ({ state: 'allocated', ms: 1, transport, relayed: '10.0.0.5:50000' }) },
      'turn-udp',
      'local',
    ],
    [
      'another transport than asked for',
      { allocate: async () => ({ state: 'allocated', ms: 1, transport: 'tcp' }) },
      'turn-udp',
      'other',
    ],
    [
      'credentials that do not count',
      { allocate: async () => ({ state: 'refused', code: 401, reason: '' }) },
      'turn-udp',
      'unauthorized',
    ],
    ['a quota', { allocate: async () => ({ state: 'refused', code: 486, reason: '' }) }, 'turn-tcp', 'quota'],
    [
      'a certificate that signs itself',
      {
        server: async () => ({
          state: 'answered',
          status: 200,
          ms: 1,
          certificate: { ...goodCertificate, problem: 'self-signed' },
        }),
      },
      'certificate',
      'self-signed',
    ],
    [
      'a certificate that ends',
      {
        server: async () => ({
          state: 'answered',
          status: 200,
          ms: 1,
          certificate: { ...goodCertificate, validTo: Date.parse('2030-01-09') },
        }),
      },
      'certificate',
      'soon',
    ],
    [
      'a certificate that has ended',
      {
        server: async () => ({
          state: 'answered',
          status: 200,
          ms: 1,
          certificate: { ...goodCertificate, validTo: Date.parse('2029-12-30') },
        }),
      },
      'certificate',
      'expired',
    ],
    [
      'a loop that loses',
      { loop: async () => ({ state: 'open', transport: 'udp', link: straight((n) => n % 20 === 3) }) },
      'loop',
      'lossy',
    ],
    [
      'a loop that swallows',
      { loop: async () => ({ state: 'open', transport: 'udp', link: straight(() => true) }) },
      'loop',
      'nothing',
    ],
    ['relayed ports that are shut', { ports: async () => ({ state: 'silent' }) }, 'ports', 'silent'],
    [
      'a client without a public address',
      { ports: async () => ({ state: 'denied', address: '10.1.1.1' }) },
      'ports',
      'denied',
    ],
  ])('%s', async (_, changes, id, outcome) => {
    const { outcomeOf, step } = await reportOf(changes)
    expect(outcomeOf(id)).toBe(outcome)
    expect(step(id)?.state).not.toBe('passed')
    expect(step(id)?.means).not.toBe('')
  })

  it('says what to do for whatever is not well', () => {
    for (const place of ['browser', 'node'] as const)
      for (const source of ['guest', 'api'] as const)
        for (const { id, outcomes } of stepsFor(place, source))
          for (const [name, { verdict, todo }] of Object.entries(outcomes))
            expect(verdict === 'passed' || verdict === 'skipped' || todo, `${id} ${name}`).toBeTruthy()
  })

  it('looks at a relay over IPv6 where there is one, each way by itself', async () => {
    const addressesOf = async () => ({ 4: ['198.51.100.7'], 6: ['2001:db8::7'] })
    const { step } = await reportOf({ addressesOf })
    expect(step('ipv6')).toMatchObject({ state: 'passed', detail: 'udp: reached; tcp: reached; tls: reached' })
    const allocate: Driver['allocate'] = async (target, log) =>
      target.family === 6 ? timeout : await driverWith().allocate(target, log)
    expect((await reportOf({ addressesOf, allocate })).outcomeOf('ipv6')).toBe('failed')
    const unroutable = { state: 'trouble', trouble: { kind: 'unreachable', text: 'ENETUNREACH' } } as const
    const noWay: Driver['allocate'] = async (target, log) =>
      target.family === 6 ? unroutable : await driverWith().allocate(target, log)
    expect((await reportOf({ addressesOf, allocate: noWay })).outcomeOf('ipv6')).toBe('here')
    expect((await reportOf({ addressesOf: async () => undefined }, 'browser')).outcomeOf('ipv6')).toBe('hidden')
  })
})

describe('the report', () => {
  it('has no secret in it, wherever one may come from', async () => {
    const leak = `the password is ${credential} and the key ${apiKey}`
    const { report } = await reportOf({
      async allocate(_, log) {
        log(leak)
        return { state: 'refused', code: 400, reason: leak }
      },
      async date(log) {
        log(leak)
        throw new Error(leak)
      },
    })
    const whole = `${reportText(report)}${reportJson(report)}`
    expect(whole).toContain('the password is (hidden) and the key (hidden)')
    expect(whole).not.toContain(credential)
    expect(whole).not.toContain(apiKey)
    expect(whole).toContain('turn:turn.example.com:3478?transport=udp')
  })

  it('is text with logs, and JSON of a known form', async () => {
    const { report, step } = await reportOf({ ports: async () => ({ state: 'silent' }) })
    expect(reportText(report)).toMatch(
      /^Connectivity check of https:\/\/calls\.example\.com\n2030-01-01T00:00:00\.000Z, by a test\n/,
    )
    expect(reportText(report)).toContain(
      '✗ failed   Relayed ports: nothing arrived at a relayed address\n    Packets to',
    )
    expect(reportText(report)).toMatch(/1 failed \(Relayed ports\), 2 skipped\.$/)
    expect(JSON.parse(reportJson(report))).toMatchObject({
      report: 'hairpin-connectivity',
      version: 1,
      verdict: 'failed',
    })
    expect(stepText(step('websocket')!, { logs: 'bad' })).toBe('✓ passed   WebSocket: open in 4 ms, greeted after 6 ms')
  })
})
