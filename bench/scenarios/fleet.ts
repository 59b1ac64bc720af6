/** All contenders of a run, started once; only the one whose turn it is gets any load. */
import type { Results } from './measurement.ts'

/** The row without a relay: what generator and kernel cost by themselves. */
export const DIRECT = 'direct'

export class Fleet<Contender extends { readonly name: string }, Running extends { stop(): Promise<void> }> {
  readonly #contenders: readonly Contender[]
  readonly #results: Results
  readonly #launch: (contender: Contender) => Promise<Running>
  readonly #running = new Map<string, Running>()
  readonly #broken = new Set<string>()

  constructor(contenders: readonly Contender[], results: Results, launch: (contender: Contender) => Promise<Running>) {
    this.#contenders = contenders
    this.#results = results
    this.#launch = launch
  }

  /**
   * Runs `work` on each contender, starting one place further in every round, so that drift hits all alike.
   * A contender that fails is reported once and left out of the rest of the scenario.
   */
  async each(scenario: string, round: number, work: (running: Running) => Promise<void>): Promise<void> {
    const count = this.#contenders.length
    for (let i = 0; i < count; i++) {
      const contender = this.#contenders[(i + round) % count]!
      if (this.#broken.has(contender.name)) continue
      try {
        await work(await this.#get(contender))
      } catch (error) {
        this.#broken.add(contender.name)
        this.#results.failed(scenario, contender.name, error)
        await this.#running.get(contender.name)?.stop()
        this.#running.delete(contender.name)
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => running.stop()))
    this.#running.clear()
    this.#broken.clear()
  }

  async #get(contender: Contender): Promise<Running> {
    let running = this.#running.get(contender.name)
    if (!running) {
      running = await this.#launch(contender)
      this.#running.set(contender.name, running)
    }
    return running
  }
}
