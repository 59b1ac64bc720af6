/** The bench's generator counts right and drives real relays. Speed is never asserted. */
import { spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blast, type Generator, lossOf } from '../../bench/load/blast.ts'
import { nativeBlaster } from '../../bench/load/native.ts'
import type { Address, End } from '../../bench/load/plan.ts'
import type { Measurement } from '../../bench/scenarios/measurement.ts'
import { has } from '../helpers/capabilities.ts'

const generators: Generator[] = nativeBlaster() === undefined ? ['node'] : ['node', 'native']

describe.each(generators)('generator %s', (generator) => {
  test('tells lost, duplicated, misrouted and mangled packets apart', async () => {
    // Two pairs of ends; the middleman forwards within a pair, and does one of four wrongs to four packets of ten.
    const addresses = [await freeAddress(), await freeAddress(), await freeAddress(), await freeAddress()]
    const done = { forwarded: 0, dropped: 0, doubled: 0, misrouted: 0, mangled: 0 }
    let count = 0
    const middleman = createSocket('udp4', (bytes, from) => {
      const source = addresses.findIndex(({ port }) => port === from.port)
      const forward = (what: Uint8Array, end: number) =>
        middleman.send(what, addresses[end]!.port, addresses[end]!.address)
      const turn = count++ % 10
      if (turn === 0) done.dropped++
      else if (turn === 1) {
        done.misrouted++
        forward(bytes, source)
      } else if (turn === 2) {
        done.mangled++
        forward(bytes.subarray(1), source ^ 1)
      } else {
        done.forwarded++
        forward(bytes, source ^ 1)
        if (turn !== 3) return
        done.doubled++
        forward(bytes, source ^ 1)
      }
    })
    const to = await bound(middleman)
    const ends = addresses.map((bind, i): End => ({ bind, to, prefix: new Uint8Array(), expect: 'bare', sink: i ^ 1 }))
    const result = await blast({ payload: 64, rate: 1_000, warmMs: 0, seconds: 0.6, spin: false, ends }, generator)
    middleman.close()

    expect(result.sent).toBeGreaterThan(100)
    expect(result).toMatchObject({
      sent: count,
      received: done.forwarded,
      duplicates: done.doubled,
      misrouted: done.misrouted,
      corrupt: done.mangled,
      sendErrors: 0,
    })
    expect(lossOf(result)).toBeCloseTo(0.3, 1)
  })

  test('measures the time a packet spends on its way', async () => {
    const [a, b] = [await freeAddress(), await freeAddress()]
    const middleman = createSocket('udp4', (bytes, from) => {
      const to = from.port === a.port ? b : a
      setTimeout(() => middleman.send(bytes, to.port, to.address), 40)
    })
    const hub = await bound(middleman)
    const ends: End[] = [a, b].map((bind, i) => ({
      bind,
      to: hub,
      prefix: new Uint8Array(),
      expect: 'bare',
      sink: 1 - i,
    }))
    const result = await blast({ payload: 16, rate: 200, warmMs: 0, seconds: 0.5, spin: false, ends }, generator)
    middleman.close()
    expect(result).toMatchObject({ received: result.sent, duplicates: 0, misrouted: 0, corrupt: 0, sendErrors: 0 })
    expect(result.p50).toBeGreaterThan(35_000)
    expect(result.p99).toBeGreaterThanOrEqual(result.p50)
    expect(result.max).toBeGreaterThanOrEqual(result.p99)
  })
})

describe('npm run bench', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hairpin-bench-test-'))
  const json = join(folder, 'result.json')
  let output = ''
  let measurements: Measurement[] = []
  const relays = ['hairpin', 'node-turn', ...(has('coturn') ? ['coturn'] : [])]

  beforeAll(async () => {
    const main = join(import.meta.dirname, '..', '..', 'bench', 'main.ts')
    const load = '--scenario relay,setup --seconds 1 --rounds 1 --patience 0 --rate 1000 --allocations 4 --payload 100'
    const argv = [main, ...load.split(' '), '--contender', relays.join(','), '--json', json]
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    output = said
    expect(code).toBe(0)
    measurements = (JSON.parse(readFileSync(json, 'utf8')) as { measurements: Measurement[] }).measurements
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each(relays)('%s relays the load both ways, unchanged, and its CPU time is seen', (relay) => {
    const row = measurements.find(({ scenario, contender }) => scenario === 'relay' && contender === relay)!.values
    expect(row.sent).toBeGreaterThan(50)
    expect(row.received).toBeGreaterThan(0)
    expect(row.received).toBeLessThanOrEqual(row.sent!)
    expect(row).toMatchObject({ duplicates: 0, misrouted: 0, corrupt: 0 })
    expect(row.cpuUs).toBeGreaterThan(0)
    expect(row.p50).toBeGreaterThan(0)
    const setUp = measurements.find(({ scenario, contender }) => scenario === 'setup' && contender === relay)!.values
    expect(setUp.perSecond).toBeGreaterThan(0)
    expect(output).toContain(relay)
  })
})

async function bound(socket: Socket): Promise<Address> {
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket.address()
}

/** An address that was free a moment ago. */
async function freeAddress(): Promise<Address> {
  const socket = createSocket('udp4')
  const { address, port } = await bound(socket)
  socket.close()
  return { address, port }
}
