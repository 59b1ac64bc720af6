import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import type { EndReason } from '../src/core/call.ts'
import { WhatsappMetrics } from '../src/metrics.ts'
import type { FinishedCall } from '../src/service.ts'

function metrics() {
  const registry = new Registry()
  const counts = { taken: 5, duplicate: 2, stale: 1, nameless: 0, passedOver: 0 }
  const live = { calls: () => 3, agents: () => ({ here: 4, free: 1 }), updates: () => counts }
  return { registry, counts, metrics: new WhatsappMetrics(registry, live) }
}

const record = (reason: EndReason, answeredAt?: number): FinishedCall => ({
  key: 'k',
  id: 'k',
  direction: 'user',
  number: '491701234567',
  name: 'Maria',
  agent: 'ben',
  startedAt: 1000,
  answeredAt,
  endedAt: 60_000,
  ending: { reason, cause: undefined },
  toAgent: { packets: 0, bytes: 0 },
  toWhatsapp: { packets: 0, bytes: 0 },
})

it('every metric is described in docs/METRICS.md with its labels', async () => {
  const document = readFileSync(join(import.meta.dirname, '../../../docs/METRICS.md'), 'utf8').split('\n')
  const all = await metrics().registry.getMetricsAsJSON()
  expect(all.length).toBe(7)
  for (const { name, type } of all) {
    const row = document.find((line) => line.startsWith(`| \`${name}\``))
    expect(row, name).toContain(`| ${type} `.trimEnd())
  }
})

it('a call counts by its outcome, and its way to the answer when there was one', async () => {
  const { registry, metrics: counters } = metrics()
  counters.ended(record('customer-hung-up', 6000))
  counters.ended(record('customer-hung-up'))
  counters.ended(record('no-answer'))
  const text = await registry.metrics()
  for (const outcome of ['completed', 'abandoned', 'no-answer'])
    expect(text).toContain(`hairpin_whatsapp_calls_total{direction="user",outcome="${outcome}"} 1\n`)
  expect(text).toContain('hairpin_whatsapp_call_setup_seconds_sum{direction="user"} 5\n')
  expect(text).toContain('hairpin_whatsapp_call_setup_seconds_count{direction="user"} 1\n')
})

it('what is counted elsewhere is read at every scrape', async () => {
  const { registry, counts } = metrics()
  expect(await registry.metrics()).toContain('hairpin_whatsapp_updates_total{result="duplicate"} 2\n')
  counts.duplicate = 7
  const text = await registry.metrics()
  expect(text).toContain('hairpin_whatsapp_updates_total{result="duplicate"} 7\n')
  expect(text).toContain('hairpin_whatsapp_calls 3\n')
  expect(text).toContain('hairpin_whatsapp_agents{state="busy"} 3\n')
})
