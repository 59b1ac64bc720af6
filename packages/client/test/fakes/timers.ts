import type { Timers } from '../../src/timers.ts'

/** A clock that stands still until told to move. */
export class FakeTimers implements Timers {
  #now = 0
  #next = 1
  readonly #pending = new Map<number, { at: number; callback: () => void }>()

  now(): number {
    return this.#now
  }

  setTimeout(callback: () => void, delay: number): unknown {
    const handle = this.#next++
    this.#pending.set(handle, { at: this.#now + delay, callback })
    return handle
  }

  clearTimeout(handle: unknown): void {
    this.#pending.delete(handle as number)
  }

  /** Moves the clock, running what falls due in order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds
    for (;;) {
      const due = [...this.#pending].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0]
      if (!due) break
      this.#pending.delete(due[0])
      this.#now = due[1].at
      due[1].callback()
    }
    this.#now = end
  }

  get pending(): number {
    return this.#pending.size
  }
}

/** Lets promises that are due settle. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}
