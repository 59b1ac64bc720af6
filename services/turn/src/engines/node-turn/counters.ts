import type { Sample } from '../../engine.ts'

/** Monotonic counters by name and labels, as `RelayEngine.snapshot` gives them. */
export class Counters {
  readonly #samples = new Map<string, { name: string; labels: Record<string, string>; value: number }>()

  /** A counter to keep and add to: nothing is looked up on the packet path. */
  counter(name: string, labels: Record<string, string>): { add(amount: number): void } {
    const key = `${name} ${Object.values(labels).join(' ')}`
    let sample = this.#samples.get(key)
    if (!sample) {
      sample = { name, labels, value: 0 }
      this.#samples.set(key, sample)
    }
    const kept = sample
    return {
      add: (amount) => {
        kept.value += amount
      },
    }
  }

  snapshot(): Sample[] {
    return [...this.#samples.values()].map((sample) => ({ ...sample }))
  }
}
