import type { DeskBody } from '@hairpin/desk'
import type { DeskOutput } from './output.ts'

/**
 * Which agents are here for customers' calls: what the service that brings these calls was told of them, and which call
 * each has. Pure: it knows names and ids of devices, no sessions.
 *
 * Invariant: while the service can be reached, the agents it was told of by `arrive` and not since by `leave` are those
 * with a device in here, and of these the devices it was told of and not since by `disappear`; while it cannot, it is told
 * nothing.
 */
export class DeskBook {
  /** By agent: the devices that take calls and are connected. Never an empty set. */
  readonly #here = new Map<string, Set<string>>()
  readonly #agentOf = new Map<string, string>()
  /** By agent who is here: the customer's call. */
  readonly #calls = new Map<string, string>()
  readonly #push: (output: DeskOutput) => void
  #reachable = false
  #mode: 'bridge' | 'direct' = 'bridge'

  constructor(push: (output: DeskOutput) => void) {
    this.#push = push
  }

  get reachable(): boolean {
    return this.#reachable
  }

  /** How calls reach the agents, as far as the service has said. */
  get mode(): 'bridge' | 'direct' {
    return this.#mode
  }

  /** Agents who are here. */
  get size(): number {
    return this.#here.size
  }

  devices(): IterableIterator<string> {
    return this.#agentOf.keys()
  }

  /** Without this device the agent would leave. */
  isLast(device: string): boolean {
    const agent = this.#agentOf.get(device)
    return agent !== undefined && this.#here.get(agent)?.size === 1
  }

  /** The customer's call of an agent. */
  callOf(agent: string): string | undefined {
    return this.#calls.get(agent)
  }

  /** The device takes calls and is connected. @param forgot it was here before, and has to hear everything again */
  connect(device: string, agent: string, forgot: boolean): void {
    const former = this.#agentOf.get(device)
    if (former === agent) {
      if (forgot) this.#tell({ do: 'desk', act: 'appear', agent, device })
      return
    }
    this.disconnect(device)
    const devices = this.#here.get(agent)
    this.#agentOf.set(device, agent)
    if (devices === undefined) this.#here.set(agent, new Set([device]))
    else devices.add(device)
    this.#tell({ do: 'desk', act: devices === undefined ? 'arrive' : 'appear', agent, device })
  }

  /** It takes none, or is not connected. */
  disconnect(device: string): void {
    const agent = this.#agentOf.get(device)
    if (agent === undefined) return
    this.#agentOf.delete(device)
    const devices = this.#here.get(agent)
    devices?.delete(device)
    if (devices !== undefined && devices.size > 0) {
      this.#tell({ do: 'desk', act: 'disappear', agent, device })
      return
    }
    this.#here.delete(agent)
    // The service tells of it anew when the agent is back.
    this.#calls.delete(agent)
    this.#tell({ do: 'desk', act: 'leave', agent })
  }

  /** The service can be reached, and knows of nobody. */
  up(): void {
    this.#reachable = true
    for (const [agent, [first, ...others]] of this.#here) {
      if (first !== undefined) this.#tell({ do: 'desk', act: 'arrive', agent, device: first })
      for (const device of others) this.#tell({ do: 'desk', act: 'appear', agent, device })
    }
  }

  down(): void {
    this.#reachable = false
    this.#calls.clear()
  }

  /** What the service tells an agent, whose call it may begin or end. */
  heard(agent: string, body: DeskBody): void {
    if (body.type === 'agent') this.#mode = body.mode
    if (!this.#here.has(agent)) return
    if (body.type === 'call-state' || body.type === 'browser-answer') this.#calls.set(agent, body.callId)
    else if (body.type === 'call-ended' || body.type === 'call-transferred') {
      if (this.#calls.get(agent) === body.callId) this.#calls.delete(agent)
    }
  }

  #tell(output: DeskOutput): void {
    if (this.#reachable) this.#push(output)
  }
}
