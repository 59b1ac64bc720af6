/** The signaling bench drives real servers and counts right. Speed is never asserted. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Measurement } from '../../bench/scenarios/measurement.ts'

describe.runIf(process.platform === 'linux')('npm run bench -- signaling', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hairpin-bench-test-'))
  const json = join(folder, 'result.json')
  const servers = ['hairpin']
  let output = ''
  let measurements: Measurement[] = []

  beforeAll(async () => {
    const main = join(import.meta.dirname, '..', '..', 'bench', 'main.ts')
    const load = '--clients 20 --pairs 4 --seconds 0.3 --rounds 1 --rate 200 --megabytes 1 --patience 0'
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
