import type { Metric, MetricObjectWithValues, MetricValue, Registry } from 'prom-client'
import type { Sample } from '../engine.ts'
import { type MetricDefinition, relayMetrics } from './definitions.ts'

/** Milliseconds within which all metrics of one scrape share one snapshot. */
const SHARED_FOR = 50

/**
 * Registers the relay's metrics: each scrape asks the engine for its counters as they are at that moment. prom-client's
 * own classes count by themselves; here the workers have counted already, so the registry gets the values as they are.
 */
export function registerRelayMetrics(registry: Registry, snapshot: () => Promise<readonly Sample[]>): void {
  const shared = sharedFor(SHARED_FOR, snapshot)
  for (const definition of relayMetrics)
    registry.registerMetric(new SnapshotMetric(definition, shared) as unknown as Metric<string>)
}

class SnapshotMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly #definition: MetricDefinition
  readonly #snapshot: () => Promise<readonly Sample[]>

  constructor(definition: MetricDefinition, snapshot: () => Promise<readonly Sample[]>) {
    this.name = definition.name
    this.help = definition.help
    this.type = definition.type
    this.#definition = definition
    this.#snapshot = snapshot
  }

  async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    const { name, help, type, labels } = this.#definition
    const mine = new Set(type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name])
    const values = (await this.#snapshot())
      .filter((sample) => mine.has(sample.name))
      .map((sample) => ({ metricName: sample.name, labels: { ...sample.labels }, value: sample.value }))
    // A counter without labels is there from the start, at zero: a rate over it must not begin with a gap.
    if (values.length === 0 && labels.length === 0 && type === 'counter')
      values.push({ metricName: name, labels: {}, value: 0 })
    return { name, help, values, type, aggregator: 'sum' } as unknown as MetricObjectWithValues<MetricValue<string>>
  }

  /** Part of prom-client's interface; monotonic counters are never reset. */
  reset(): void {}
}

function sharedFor<T>(milliseconds: number, read: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined
  let since = 0
  return () => {
    const now = performance.now()
    if (current === undefined || now - since > milliseconds) {
      current = read()
      since = now
    }
    return current
  }
}
