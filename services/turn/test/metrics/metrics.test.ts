import { readFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import type { Sample } from '../../src/engine.ts'
import { AppLabels } from '../../src/metrics/app-labels.ts'
import { relayMetrics } from '../../src/metrics/definitions.ts'
import { registerRelayMetrics } from '../../src/metrics/register.ts'

describe('the relay metrics', () => {
  it('are what the engine says at that moment, asked once for each scrape', async () => {
    let asked = 0
    const registry = new Registry()
    registerRelayMetrics(registry, async (): Promise<Sample[]> => {
      asked++
      return [
        {
          name: 'hairpin_relay_bytes_total',
          labels: { direction: 'client_to_peer', transport: 'udp', app: 'a' },
          value: 7,
        },
        { name: 'hairpin_allocation_seconds_bucket', labels: { le: '+Inf' }, value: 2 },
        { name: 'hairpin_allocation_seconds_sum', labels: {}, value: 1.5 },
        { name: 'hairpin_allocation_seconds_count', labels: {}, value: 2 },
      ]
    })
    const text = await registry.metrics()
    expect(asked).toBe(1)
    expect(text).toContain('# TYPE hairpin_relay_bytes_total counter\n')
    expect(text).toContain('hairpin_relay_bytes_total{direction="client_to_peer",transport="udp",app="a"} 7\n')
    expect(text).toContain('# TYPE hairpin_allocation_seconds histogram\n')
    expect(text).toContain('hairpin_allocation_seconds_bucket{le="+Inf"} 2\n')
    expect(text).toContain('hairpin_allocation_seconds_count 2\n')
    expect(text).toContain('hairpin_relay_worker_restarts_total 0\n')
  })

  it('are all described in docs/METRICS.md, with their labels', () => {
    const doc = readFileSync(new URL('../../../../docs/METRICS.md', import.meta.url), 'utf8')
    for (const { name, type, labels } of relayMetrics) {
      const row = doc.split('\n').find((line) => line.startsWith(`| \`${name}\``))
      expect(row, name).toBeDefined()
      for (const word of [type, ...labels.map((label) => `\`${label}\``)]) expect(row).toContain(word)
    }
  })
})

describe('app labels', () => {
  it('stop at the cap, and those known keep their names', () => {
    const labels = new AppLabels(2)
    expect(['a', 'b', 'c', 'a', 'd'].map((app) => labels.labelFor(app))).toEqual(['a', 'b', 'other', 'a', 'other'])
  })
})
