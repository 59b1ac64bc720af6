import type { Clock, Driver, LoopLink, LoopPlan, Place } from '../src/index.ts'
import { runChecks, stepsFor } from '../src/index.ts'

export const credential = 'c2VjcmV0LW9mLW5vYm9keQ=='
export const apiKey = 'hk_the-key-of-a-test'
export const start = Date.parse('2030-01-01T00:00:00Z')

export const answer = {
  iceServers: [
    { urls: ['stun:turn.example.com:3478'] },
    {
      urls: [
        'turn:turn.example.com:3478?transport=udp',
        'turn:turn.example.com:3478?transport=tcp',
        'turns:turn.example.com:5349?transport=tcp',
      ],
      username: '1893459600:demo/ada',
      credential,
    },
  ],
  ttl: 3600,
  expiresAt: '2030-01-01T01:00:00.000Z',
}

export const goodCertificate = {
  host: 'turn.example.com',
  names: ['turn.example.com'],
  issuer: 'An authority',
  validTo: start + 60 * 86_400_000,
}

/** A machine on which all is well, but for what is given. */
export function driverWith(changes: Partial<Driver> = {}, place: Place = 'node'): Driver {
  return {
    place,
    origin: 'https://calls.example.com',
    by: 'a test',
    secrets: [apiKey],
    page: async () => ({ secure: true, microphone: 'available' }),
    server: async () => ({ state: 'answered', status: 200, ms: 3, certificate: goodCertificate }),
    socket: async () => ({ state: 'open', openMs: 4, idMs: 6, protocol: 'json' }),
    guestCredentials: async () => ({ state: 'given', ms: 2, answer }),
    apiCredentials: async () => ({ state: 'given', ms: 2, answer }),
    date: async () => ({ state: 'told', server: start, before: start + 400, after: start + 600 }),
    bindings: async (targets) => ({
      answers: targets.map(({ url, host, port }) => ({
        url,
        server: `${host}:${port}`,
        local: '192.168.1.2:40000',
        mapped: '203.0.113.9:61000',
      })),
    }),
    addressesOf: async () => ({ 4: ['198.51.100.7'], 6: [] }),
    allocate: async ({ transport }) => ({
      state: 'allocated',
      ms: 20,
      transport,
      relayed: '198.51.100.7:50000',
      server: '198.51.100.7:3478',
      ...(transport === 'tls' ? { certificate: goodCertificate } : {}),
    }),
    loop: async ({ transport }) => ({ state: 'open', transport, link: straight() }),
    ports: async () => ({ state: 'heard', ms: 12, relayed: '198.51.100.7:50001' }),
    close: () => {},
    ...changes,
  }
}

/** Both ways without loss or delay. @param lost whether a packet of this number of the first way is */
export function straight(lost: (count: number) => boolean = () => false): LoopLink {
  let count = 0
  const link: LoopLink = {
    forward(packet) {
      if (!lost(count++)) link.onForward?.(packet)
    },
    back: (packet) => link.onBack?.(packet),
    onForward: undefined,
    onBack: undefined,
    close: () => {},
  }
  return link
}

/** Time that passes in sleep alone. */
export function testClock(): Clock {
  let now = 0
  return {
    now: () => now,
    date: () => start + now,
    async sleep(ms) {
      now += ms
    },
  }
}

export const shortLoop: LoopPlan = { bitsPerSecond: 800_000, milliseconds: 1_000 }

export async function reportOf(changes: Partial<Driver> = {}, place: Place = 'node', source: 'guest' | 'api' = 'api') {
  const driver = driverWith(changes, place)
  const report = await runChecks(stepsFor(place, source), driver, { clock: testClock(), loop: shortLoop })
  const step = (id: string) => report.steps.find((candidate) => candidate.id === id)
  return { report, step, stateOf: (id: string) => step(id)?.state, outcomeOf: (id: string) => step(id)?.outcome }
}
