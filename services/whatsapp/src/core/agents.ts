/** Who is here to take calls, and who is in one: an agent is in at most one call. */
export class Agents {
  readonly #here = new Set<string>()
  readonly #calls = new Map<string, string>()

  isHere(agent: string): boolean {
    return this.#here.has(agent)
  }

  /** The agent's call. */
  callOf(agent: string): string | undefined {
    return this.#calls.get(agent)
  }

  arrive(agent: string): void {
    this.#here.add(agent)
  }

  /** The agent's call, if there is one, stays the agent's. */
  leave(agent: string): void {
    this.#here.delete(agent)
  }

  take(agent: string, call: string): void {
    this.#calls.set(agent, call)
  }

  release(agent: string): void {
    this.#calls.delete(agent)
  }

  isFree(agent: string): boolean {
    return this.#here.has(agent) && !this.#calls.has(agent)
  }

  here(): readonly string[] {
    return [...this.#here]
  }
}
