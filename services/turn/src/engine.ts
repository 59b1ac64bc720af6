import type { Config, Secrets } from '@hairpin/config'
import type { FastifyBaseLogger } from 'fastify'
import type { Drain } from './core/index.ts'
import type { UsageSink } from './ledger/feed.ts'
import type { ServerAddresses } from './net/addresses.ts'

/** What a relay engine is to the rest of the service: `hairpin` (our own) and `node-turn` implement it. */
export interface RelayEngine {
  readonly name: 'hairpin' | 'node-turn'
  /** Opens the listening sockets. Rejects with a clear error when it cannot (port in use, no address). */
  start(): Promise<void>
  /** Monotonic counters and present gauges of all workers since process start. Live: never waits for a call to end. */
  snapshot(): Promise<Sample[]>
  /** Refuses new allocations from now on; what is allocated is served as before. */
  drain(drain: Drain): void
  /** Closes every allocation and socket. Idempotent. */
  stop(): Promise<void>
}

/** What every engine's constructor gets. */
export interface EngineOptions {
  readonly config: Config
  /** Where to listen (the port included: `config.turn.port` may be 0) and what to advertise. */
  readonly addresses: ServerAddresses
  readonly secrets: Pick<Secrets, 'turnSecrets'>
  readonly logger: FastifyBaseLogger
  /** Gets what every allocation relayed, each second and at its end. */
  readonly usage?: UsageSink
}

/**
 * One metric value, summed over workers by (name, labels). Names are those of the Prometheus metrics
 * (docs/METRICS.md); label values come from small fixed sets, never from a user name or an address.
 */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}
