import { type Column, raw, rawCounters, slot, type Totals, zeroTotals } from '../../src/ledger/counters.ts'
import type { AllocationSnapshot, SnapshotBatch } from '../../src/ledger/meter.ts'
import type { Provider } from '../../src/ledger/prices.ts'

export const T0 = Date.UTC(2026, 2, 10, 12, 0, 0)

export function counters(values: Partial<Record<keyof typeof raw, number>>): Float64Array {
  const row = rawCounters()
  for (const [name, value] of Object.entries(values)) row[raw[name as keyof typeof raw]] = value
  return row
}

export function snapshot(values: Partial<AllocationSnapshot> = {}): AllocationSnapshot {
  return {
    allocationId: 1,
    app: 'shop',
    user: 'ann',
    transport: 'udp',
    family: 4,
    openedAt: T0,
    counters: rawCounters(),
    ...values,
  }
}

export function batch(allocations: AllocationSnapshot[], values: Partial<SnapshotBatch> = {}): SnapshotBatch {
  return { epoch: 'e1', relay: 'relay/0', at: T0, allocations, ...values }
}

export function totals(values: Partial<Record<Column, number>>): Totals {
  const row = zeroTotals()
  for (const [name, value] of Object.entries(values)) row[slot[name as Column]] = value
  return row
}

export function provider(values: Partial<Provider> = {}): Provider {
  return {
    id: 'test',
    name: 'Test',
    basis: 'egress',
    unit: 'GB',
    currency: 'USD',
    allowance: 0,
    tiers: [{ upTo: null, price: '0.01' }],
    source: 'test',
    verified: null,
    confidence: 'own',
    ...values,
  }
}

export const GB = 1_000_000_000n
export const GiB = 1_073_741_824n
