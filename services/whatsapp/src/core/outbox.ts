import type { Agents } from './agents.ts'
import {
  type AgentEvent,
  type Call,
  type CallOutput,
  type CallRequest,
  type CallTimes,
  deadlineOf,
  type Ending,
  recordOf,
} from './call.ts'

/** What the machine wants done since its driver asked last, in order. */
export class Outbox {
  readonly #agents: Pick<Agents, 'isHere'>
  readonly #times: CallTimes
  #outputs: CallOutput[] = []

  constructor(agents: Pick<Agents, 'isHere'>, times: CallTimes) {
    this.#agents = agents
    this.#times = times
  }

  drain(): readonly CallOutput[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  request(call: Call, request: CallRequest): void {
    call.request = request.action
    this.#outputs.push({ do: 'request', call: call.key, request })
  }

  /** Of a call that nobody here holds. */
  terminate(id: string): void {
    this.#outputs.push({ do: 'request', call: id, request: { action: 'terminate', id } })
  }

  openLeg(call: Call, offer: string | undefined): void {
    call.legOpened = true
    this.#outputs.push({ do: 'open-leg', call: call.key, offer })
  }

  startLeg({ key, legOpened }: Call): void {
    if (legOpened) this.#outputs.push({ do: 'start-leg', call: key })
  }

  joinLeg({ key }: Call, answer: string): void {
    this.#outputs.push({ do: 'join-leg', call: key, answer })
  }

  closeLeg({ key, legOpened }: Call): void {
    if (legOpened) this.#outputs.push({ do: 'close-leg', call: key })
  }

  /** Speech passes from now on, to and from whoever has the call, unless it is on hold. */
  media(call: Call): void {
    if (!call.legOpened) return
    call.open = true
    this.#outputs.push({ do: 'media', call: call.key, agent: call.held ? undefined : call.agent })
  }

  /** Names the next time to the driver, if it has changed. */
  schedule(call: Call): void {
    const { at } = deadlineOf(call, this.#times)
    if (at === call.wakeAt) return
    call.wakeAt = at
    this.#outputs.push({ do: 'wake', call: call.key, at })
  }

  record(call: Call, ending: Ending, endedAt: number): void {
    this.#outputs.push({ do: 'record', record: recordOf(call, ending, endedAt) })
  }

  note(id: string, alive: boolean): void {
    this.#outputs.push({ do: 'note', id, alive })
  }

  tell(agent: string, call: string, event: AgentEvent): void {
    if (this.#agents.isHere(agent)) this.#outputs.push({ do: 'tell', agent, call, event })
  }

  /** Whoever has the call. */
  tellAgent({ agent, key }: Call, event: AgentEvent): void {
    if (agent !== undefined) this.tell(agent, key, event)
  }

  /** In direct mode, of a call of the business: the customer's answer. */
  tellRemote(call: Call): void {
    const { direction, remoteSdp: sdp } = call
    if (direction === 'business' && sdp !== undefined) this.tellAgent(call, { type: 'browser-answer', sdp })
  }
}
