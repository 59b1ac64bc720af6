import { setTimeout as sleep } from 'node:timers/promises'
import type { End, Window } from './ends.ts'

/** ms between two packets of a stream. */
const PTIME = 20
const TICK = 2

/** All ends talk, spread evenly over the 20 ms, until `stop`. */
export class Talk {
  readonly #ends: readonly End[]
  readonly #timer: NodeJS.Timeout
  readonly #startedAt = performance.now()
  #said = 0

  constructor(ends: readonly End[]) {
    this.#ends = ends
    this.#timer = setInterval(() => this.#sayWhatIsDue(), TICK)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** @returns when every end has heard the other @throws after 60 s */
  async everyoneHears(): Promise<void> {
    for (const until = performance.now() + 60_000; this.#ends.some(({ heard }) => heard === 0); await sleep(50))
      if (performance.now() > until) throw new Error('some ends hear nothing')
  }

  /** Counts from here on into the window; undefined: no more. */
  count(window: Window | undefined): void {
    for (const end of this.#ends) end.window = window
  }

  #sayWhatIsDue(): void {
    const due = Math.floor(((performance.now() - this.#startedAt) / PTIME) * this.#ends.length)
    // After a pause of this process the rest is left out, as a phone would.
    this.#said = Math.max(this.#said, due - this.#ends.length)
    for (; this.#said < due; this.#said++) this.#ends[this.#said % this.#ends.length]!.say()
  }
}
