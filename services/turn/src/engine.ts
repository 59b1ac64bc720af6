/** What a relay engine is to the rest of the service: `hairpin` (our own) and `node-turn` implement it. */
export interface RelayEngine {
  readonly name: 'hairpin' | 'node-turn'
  /** Opens the listening sockets. Rejects with a clear error when it cannot (port in use, no address). */
  start(): Promise<void>
  /** Monotonic counters and present gauges of all workers since process start. Live: never waits for a call to end. */
  snapshot(): Promise<Sample[]>
  /** Closes every allocation and socket. Idempotent. */
  stop(): Promise<void>
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
