/**
 * Which agents are here, by the links that brought them: an agent may have devices at several signaling processes. Pure.
 *
 * Invariant: an agent is here while at least one link brought it and has not taken it back.
 */
export class Roll<Link> {
  readonly #links = new Map<string, Set<Link>>()

  get size(): number {
    return this.#links.size
  }

  /** True when the agent was not here. */
  enter(link: Link, agent: string): boolean {
    const links = this.#links.get(agent)
    if (links === undefined) this.#links.set(agent, new Set([link]))
    else links.add(link)
    return links === undefined
  }

  /** True when the agent is not here any more, and was until now. */
  leave(link: Link, agent: string): boolean {
    const links = this.#links.get(agent)
    if (!links?.delete(link) || links.size > 0) return false
    this.#links.delete(agent)
    return true
  }

  /** The link is lost: gives the agents who are not here any more. */
  drop(link: Link): string[] {
    return [...this.#links.keys()].filter((agent) => this.leave(link, agent))
  }

  clear(): void {
    this.#links.clear()
  }
}
