import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RelayPorts } from '../../src/core/index.ts'
import { createPorts, START, seededBytes } from './world.ts'

const later = (seconds: number) => START + seconds * 1000

test('ports are random, in range and given once', () => {
  const ports = createPorts(50_000, 50_099)
  const given = Array.from({ length: 100 }, () => ports.acquire('any', 4, 'udp', START)!.port)
  expect(new Set(given).size).toBe(100)
  expect(Math.min(...given)).toBe(50_000)
  expect(Math.max(...given)).toBe(50_099)
  expect(given.filter((port, i) => i > 0 && port === given[i - 1]! + 1).length).toBeLessThan(10)
  expect(ports.acquire('any', 4, 'udp', START)).toBeUndefined()
  expect(ports.liveCount).toBe(100)
})

test('workers share the pool through its words', () => {
  const words = new Int32Array(new SharedArrayBuffer(4 * 10))
  const first = createPorts(50_000, 50_009, words)
  const second = createPorts(50_000, 50_009, words)
  const { port } = first.acquire('any', 4, 'udp', START)!
  expect(second.isLive(port, 4, 'udp')).toBe(true)
  for (let i = 0; i < 9; i++) second.acquire('any', 4, 'udp', START)
  expect(first.acquire('any', 4, 'udp', START)).toBeUndefined()
  first.release(port, START)
  expect(second.isLive(port, 4, 'udp')).toBe(false)
})

test('a released port rests while others are free, is taken when none is, and never within the same second', () => {
  const ports = createPorts(50_000, 50_001)
  const a = ports.acquire('any', 4, 'udp', START)!.port
  ports.release(a, START)
  const b = ports.acquire('any', 4, 'udp', START)!.port
  expect(b).not.toBe(a)
  expect(ports.acquire('any', 4, 'udp', START)).toBeUndefined()
  expect(ports.acquire('any', 4, 'udp', later(1))?.port).toBe(a)
  ports.release(a, later(10))
  ports.release(b, later(20))
  expect(ports.acquire('any', 4, 'udp', later(30))?.port).toBe(a)
})

test('a rested port is as good as new', () => {
  const ports = createPorts(50_000, 50_000)
  ports.release(ports.acquire('any', 4, 'udp', START)!.port, START)
  expect(ports.acquire('any', 4, 'udp', later(60))?.port).toBe(50_000)
})

test('even ports are even, and a pair needs both of its ports', () => {
  const ports = createPorts(50_001, 50_006)
  expect(ports.acquire('even-reserve-next', 4, 'udp', START)!.port % 2).toBe(0)
  expect(ports.acquire('even-reserve-next', 4, 'udp', START)!.port % 2).toBe(0)
  // 50 006 is even and free, but has no neighbour.
  expect(ports.acquire('even-reserve-next', 4, 'udp', START)).toBeUndefined()
  expect(ports.acquire('even', 4, 'udp', START)).toEqual({ port: 50_006, family: 4 })
  expect(ports.acquire('even', 4, 'udp', START)).toBeUndefined()
  expect(ports.acquire('any', 4, 'udp', START)?.port).toBe(50_001)
})

test('a port is live for the family and transport it was acquired for alone', () => {
  const ports = createPorts(50_000, 50_099)
  for (const family of [4, 6] as const)
    for (const transport of ['udp', 'tcp'] as const) {
      const { port } = ports.acquire('any', family, transport, START)!
      const live = [4, 6].flatMap((f) => (['udp', 'tcp'] as const).map((t) => ports.isLive(port, f as 4 | 6, t)))
      expect(live.filter(Boolean)).toHaveLength(1)
      expect(ports.isLive(port, family, transport)).toBe(true)
      ports.release(port, START)
      expect(ports.isLive(port, family, transport)).toBe(false)
    }
})

test('a reservation is redeemed once, by its token, by any worker, within 30 s', () => {
  const words = new Int32Array(new SharedArrayBuffer(4 * 100))
  const ports = createPorts(50_000, 50_099, words)
  const other = createPorts(50_000, 50_099, words)
  for (const family of [4, 6] as const) {
    const lease = ports.acquire('even-reserve-next', family, 'udp', START)!
    expect(ports.isLive(lease.port + 1, family, 'udp')).toBe(false)
    expect(other.claim(lease.token!, later(29))).toEqual({ port: lease.port + 1, family })
    expect(other.claim(lease.token!, later(29))).toBeUndefined()
    expect(ports.isLive(lease.port + 1, family, 'udp')).toBe(true)
  }
  const late = ports.acquire('even-reserve-next', 4, 'udp', START)!
  expect(ports.claim(late.token!, later(30))).toBeUndefined()
})

test('an expired reservation frees its port, and its token does not open the next reservation of it', () => {
  const ports = createPorts(50_000, 50_001)
  const first = ports.acquire('even-reserve-next', 4, 'udp', START)!
  ports.release(first.port, START)
  expect(ports.acquire('even-reserve-next', 4, 'udp', later(29))).toBeUndefined()
  const second = ports.acquire('even-reserve-next', 4, 'udp', later(61))!
  expect(ports.claim(first.token!, later(62))).toBeUndefined()
  expect(ports.claim(second.token!, later(62))).toBeDefined()
})

test('a cancelled reservation is gone', () => {
  const ports = createPorts(50_000, 50_001)
  const { token } = ports.acquire('even-reserve-next', 4, 'udp', START)!
  ports.cancel(token!, START)
  expect(ports.claim(token!, START)).toBeUndefined()
})

test('invented tokens open nothing', () => {
  const ports = createPorts(50_000, 50_099)
  const { token } = ports.acquire('even-reserve-next', 4, 'udp', START)!
  for (let at = 0; at < 8; at++) {
    const forged = token!.slice()
    forged[at]! ^= 1
    expect(ports.claim(forged, START)).toBeUndefined()
  }
  expect(ports.claim(token!.subarray(0, 7), START)).toBeUndefined()
})

test('releasing what is not live changes nothing', () => {
  const ports = createPorts(50_000, 50_001)
  const { token, port } = ports.acquire('even-reserve-next', 4, 'udp', START)!
  ports.release(port + 1, START)
  ports.release(1, START)
  expect(ports.claim(token!, START)).toBeDefined()
  expect(ports.isLive(1, 4, 'udp')).toBe(false)
})

test('whatever happens, no port is held twice', () => {
  const step = fc.record({
    action: fc.constantFrom('any', 'even', 'even-reserve-next', 'release', 'claim'),
    wait: fc.nat(40),
    pick: fc.nat(100),
  } as const)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const ports = new RelayPorts({
        min: 50_000,
        max: 50_009,
        words: new Int32Array(10),
        tokenKey: new Uint8Array(16),
        randomBytes: seededBytes('x'),
      })
      const held: number[] = []
      const tokens: Uint8Array[] = []
      let now = START
      for (const { action, wait, pick } of steps) {
        now += wait * 1000
        if (action === 'release') {
          const [port] = held.splice(pick % Math.max(1, held.length), 1)
          if (port) ports.release(port, now)
          continue
        }
        const token = tokens[pick % Math.max(1, tokens.length)]
        const lease = action === 'claim' ? token && ports.claim(token, now) : ports.acquire(action, 4, 'udp', now)
        if (!lease) continue
        expect(held).not.toContain(lease.port)
        held.push(lease.port)
        if (lease.token) tokens.push(lease.token)
      }
      expect(ports.liveCount).toBe(held.length)
    }),
  )
})

test('an array too small for the range is refused', () => {
  expect(() => createPorts(1, 10, new Int32Array(9))).toThrow(RangeError)
})
