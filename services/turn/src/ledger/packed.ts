/**
 * A batch on its way between threads, twice: worker to main to ledger. A structured clone of columns takes a small part of
 * that of as many objects.
 */
import { RAW_SIZE, type Transport } from './counters.ts'
import type { AllocationSnapshot, SnapshotBatch } from './meter.ts'

/** What most allocations do not have. */
type Rare = Partial<
  Omit<AllocationSnapshot, 'allocationId' | 'app' | 'user' | 'transport' | 'family' | 'openedAt' | 'counters'>
>

export interface PackedBatch {
  readonly epoch: string
  readonly relay: string
  readonly at: number
  readonly ids: Float64Array
  readonly openedAt: Float64Array
  readonly families: Uint8Array
  readonly apps: readonly string[]
  readonly users: readonly string[]
  readonly transports: readonly Transport[]
  /** RAW_SIZE for each. */
  readonly counters: Float64Array
  /** By place. */
  readonly rare: ReadonlyMap<number, Rare>
}

export function packBatch({ epoch, relay, at, allocations }: SnapshotBatch): PackedBatch {
  const count = allocations.length
  const packed = {
    ids: new Float64Array(count),
    openedAt: new Float64Array(count),
    families: new Uint8Array(count),
    apps: new Array<string>(count),
    users: new Array<string>(count),
    transports: new Array<Transport>(count),
    counters: new Float64Array(count * RAW_SIZE),
    rare: new Map<number, Rare>(),
  }
  for (let i = 0; i < count; i++) {
    const { allocationId, app, user, transport, family, openedAt, counters, ...rare } = allocations[i]!
    packed.ids[i] = allocationId
    packed.openedAt[i] = openedAt
    packed.families[i] = family
    packed.apps[i] = app
    packed.users[i] = user
    packed.transports[i] = transport
    packed.counters.set(counters, i * RAW_SIZE)
    for (const _ in rare) {
      packed.rare.set(i, rare)
      break
    }
  }
  return { epoch, relay, at, ...packed }
}

export function unpackBatch({ epoch, relay, at, ...packed }: PackedBatch): SnapshotBatch {
  const allocations = Array.from(packed.ids, (allocationId, i): AllocationSnapshot => {
    const snapshot = {
      allocationId,
      app: packed.apps[i]!,
      user: packed.users[i]!,
      transport: packed.transports[i]!,
      family: packed.families[i] as 4 | 6,
      openedAt: packed.openedAt[i]!,
      counters: packed.counters.subarray(i * RAW_SIZE, (i + 1) * RAW_SIZE),
    }
    const rare = packed.rare.get(i)
    return rare ? { ...snapshot, ...rare } : snapshot
  })
  return { epoch, relay, at, allocations }
}
