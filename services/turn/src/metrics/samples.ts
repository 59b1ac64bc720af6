import type { Sample } from '../engine.ts'

/** Adds samples up by name and labels. */
export class SampleSums {
  readonly #sums = new Map<string, { name: string; labels: Readonly<Record<string, string>>; value: number }>()

  add(name: string, labels: Readonly<Record<string, string>>, value: number): void {
    let key = name
    for (const label in labels) key += `|${label}=${labels[label]}`
    const sum = this.#sums.get(key)
    if (sum) sum.value += value
    else this.#sums.set(key, { name, labels, value })
  }

  addAll(samples: Iterable<Sample>): void {
    for (const { name, labels, value } of samples) this.add(name, labels, value)
  }

  samples(): Sample[] {
    return [...this.#sums.values()]
  }
}
