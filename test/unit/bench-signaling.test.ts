/** The signaling bench drives real servers and counts right. Speed is never asserted. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Measurement } from '../../bench/scenarios/measurement.ts'
import { STAMP, seqAt, stampAt, Template, timeAt } from '../../bench/signaling/load/frame.ts'

describe('a stamped message', () => {
  test.each([10, 200, 70_000])('of about %i bytes is a masked frame with its number and its time', (size) => {
    const message = JSON.stringify({ padding: 'ä'.repeat(size / 2), stamp: STAMP })
    const frames = new Template(message).stamped(2, 41, 1_234_567)
    const header = size < 126 - STAMP.length ? 6 : size < 65_536 ? 8 : 14
    const length = Buffer.byteLength(message)
    expect(frames.length).toBe(2 * (header + length))
    for (const [i, frame] of [frames.subarray(0, header + length), frames.subarray(header + length)].entries()) {
      expect(frame[0]).toBe(0x81)
      expect(frame[1]! & 0x80).toBe(0x80)
      const key = frame.subarray(header - 4, header)
      const payload = Buffer.from(frame.subarray(header).map((byte, at) => byte ^ key[at & 3]!))
      const stamp = stampAt(payload, 0, payload.length)
      expect(seqAt(payload, stamp)).toBe(41 + i)
      expect(timeAt(payload, stamp)).toBe(1_234_567)
      expect(JSON.parse(payload.toString())).toMatchObject({ padding: 'ä'.repeat(size / 2) })
    }
  })
})

describe.runIf(process.platform === 'linux')('npm run bench -- signaling', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hairpin-bench-test-'))
  const json = join(folder, 'result.json')
  const servers = ['ws', 'hairpin']
  let output = ''
  let measurements: Measurement[] = []

  beforeAll(async () => {
    const main = join(import.meta.dirname, '..', '..', 'bench', 'main.ts')
    const load = '--clients 20 --pairs 4 --seconds 0.2 --rounds 1 --rate 200 --megabytes 1 --patience 0'
    const argv = [main, 'signaling', ...load.split(' '), '--contender', servers.join(','), '--json', json]
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    output = said
    expect(code).toBe(0)
    measurements = (JSON.parse(readFileSync(json, 'utf8')) as { measurements: Measurement[] }).measurements
  }, 120_000)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const valuesOf = (scenario: string, server: string) =>
    measurements.find((one) => one.scenario === scenario && one.contender === server)!.values

  test.each(servers)('%s holds the connections and passes every message, once and in order', (server) => {
    expect(valuesOf('idle', server)).toMatchObject({ held: 20 })
    for (const scenario of ['messages', 'delivery', 'slow', 'flood']) {
      expect(valuesOf(scenario, server)).toMatchObject({ lost: 0, wrong: 0 })
      expect(valuesOf(scenario, server).arrived).toBeGreaterThan(0)
    }
    expect(valuesOf('slow', server).offeredMB).toBeGreaterThan(0)
    expect(valuesOf('flood', server).flooded).toBeGreaterThan(0)
    expect(output).toContain(`| ${server} `)
  })

  test('a list for everyone reaches everyone', () => {
    // Twenty lists of twenty names each.
    expect(valuesOf('crowd', 'hairpin').listBytes).toBeGreaterThan(20 * 20 * 4)
  })
})
