/** What it means that a link has taken back an agent. */
export interface Left {
  /** The agent was here until now, and is not any more. */
  readonly gone: boolean
  /** Otherwise: the devices that are not here any more. */
  readonly devices: Iterable<string>
}

/**
 * Which agents are here, by the links that brought them: an agent may have devices at several signaling processes. Pure.
 *
 * Invariant: an agent is here while at least one link brought it and has not taken it back.
 */
export class Roll<Link> {
  readonly #links = new Map<string, Map<Link, Set<string>>>()

  get size(): number {
    return this.#links.size
  }

  /** True when the agent was not here. */
  enter(link: Link, agent: string, device: string): boolean {
    const links = this.#links.get(agent)
    const devices = links?.get(link)
    if (links === undefined) this.#links.set(agent, new Map([[link, new Set([device])]]))
    else if (devices === undefined) links.set(link, new Set([device]))
    else devices.add(device)
    return links === undefined
  }

  /** A device is gone, and the agent is not. False when it was not here. */
  lose(link: Link, agent: string, device: string): boolean {
    return this.#links.get(agent)?.get(link)?.delete(device) ?? false
  }

  leave(link: Link, agent: string): Left {
    const links = this.#links.get(agent)
    const devices = links?.get(link) ?? []
    const gone = links?.delete(link) === true && links.size === 0
    if (gone) this.#links.delete(agent)
    return { gone, devices }
  }

  /** The agents whom the link has brought. */
  agentsOf(link: Link): string[] {
    return [...this.#links].filter(([, links]) => links.has(link)).map(([agent]) => agent)
  }

  clear(): void {
    this.#links.clear()
  }
}
