import type { Desk, DeskBody, DeskEvents, DeskRequest, Recipients } from '@hairpin/desk'
import type { AgentEvent, CallRecord } from '../core/call.ts'
import { reasonTexts } from '../core/reasons.ts'
import type { PermissionUpdate } from '../core/updates.ts'
import { LegError } from '../media/leg.ts'
import { Board } from './board.ts'
import { repliedBody } from './permission.ts'
import { Refusal } from './refusal.ts'
import { type DeskService, Requests } from './requests.ts'
import { Roster } from './roster.ts'

export interface CallDeskOptions {
  readonly mode: 'bridge' | 'direct'
  readonly service: DeskService
  readonly log: { error(fields: object, message: string): void }
  /** ms since 1970. */
  readonly now?: () => number
}

/** The agents' side of the calls: their requests, and what they are told. */
export class CallDesk implements Desk {
  readonly #options: CallDeskOptions
  readonly #roster: Roster
  readonly #board: Board
  readonly #requests: Requests
  #events: DeskEvents | undefined
  /** What is told last of all that an agent's arrival brings about. */
  #later: (() => void)[] | undefined

  constructor(options: CallDeskOptions) {
    const { mode, service, now = Date.now } = options
    this.#options = options
    this.#roster = new Roster({
      mode,
      isFree: (agent) => service.isFree(agent),
      send: (agent, body) => this.#events?.tell(agent, 'all', body),
    })
    this.#board = new Board({ send: (agent, devices, body) => this.#tell(agent, devices, body), now })
    this.#requests = new Requests({ mode, service, board: this.#board, isHere: (agent) => this.#roster.has(agent) })
  }

  /** Agents who are here, and of these the ones in no call. */
  get agents(): { readonly here: number; readonly free: number } {
    return this.#roster.count()
  }

  attach(events: DeskEvents): void {
    this.#events = events
    queueMicrotask(() => events.up())
  }

  arrive(agent: string, device: string): void {
    const { service } = this.#options
    // Again, without a `leave`: whoever does not know of the first time wants to hear everything.
    if (this.#roster.has(agent)) service.leave(agent)
    const later: (() => void)[] = []
    this.#later = later
    this.#board.back(
      agent,
      () => service.arrive(agent),
      (callId) => service.agentOf(callId) !== undefined,
    )
    this.#later = undefined
    const carrier = this.#board.carrierOf(agent)
    if (carrier !== undefined && carrier !== device) service.lose(agent)
    // First who is here, which needs the service to know of it.
    this.#roster.add(agent)
    for (const tell of later) tell()
  }

  appear(agent: string, device: string): void {
    this.#events?.tell(agent, { only: device }, this.#roster.body())
    this.#board.show(agent, device)
    if (this.#board.carrierOf(agent) === device) this.#options.service.regain(agent)
  }

  disappear(agent: string, device: string): void {
    const { service, mode } = this.#options
    if (this.#board.carrierOf(agent) !== device) return
    service.lose(agent)
    // The customer's phone takes one browser's media for good.
    if (mode === 'bridge') this.#board.abandoned(agent, device)
  }

  leave(agent: string): void {
    this.#roster.remove(agent)
    this.#options.service.leave(agent)
    this.#board.forgetIdle((other) => this.#roster.has(other))
  }

  request(agent: string, device: string, request: DeskRequest): void {
    const reply = (body: DeskBody) => this.#events?.tell(agent, { only: device }, body)
    this.#requests
      .act({ agent, device, reply }, request)
      .catch((error: unknown) => {
        const { code, message } = this.#refusalOf(error)
        const callId = 'callId' in request ? { callId: request.callId } : {}
        reply({ type: 'error', code, message, about: request.type, ...callId })
      })
      .finally(() => this.#roster.changed())
  }

  /** Of the service: something happened to a call that this agent has or is offered. */
  told(agent: string, callId: string, event: AgentEvent): void {
    this.#board.told(agent, callId, event)
    this.#roster.changed()
  }

  /** Of the service: a call is over. */
  over(record: Pick<CallRecord, 'key' | 'ending'>): void {
    this.#board.over(record)
    this.#roster.changed()
  }

  /** Of the service: a customer has replied to the question whether calls are welcome. */
  replied(update: PermissionUpdate): void {
    for (const agent of this.#roster) this.#events?.tell(agent, 'all', repliedBody(update))
  }

  /** Nothing more is told by itself. */
  close(): void {
    this.#roster.close()
  }

  #tell(agent: string, devices: Recipients, body: DeskBody): void {
    if (this.#later) this.#later.push(() => this.#events?.tell(agent, devices, body))
    else this.#events?.tell(agent, devices, body)
  }

  /** What is neither refused nor an SDP's fault is ours. */
  #refusalOf(error: unknown): Refusal {
    if (error instanceof Refusal) return error
    if (error instanceof LegError) return new Refusal('SIG_BAD_SDP', `${error.code}: ${error.message}`)
    this.#options.log.error({ code: 'WHATSAPP_REQUEST_BROKEN', err: error }, 'a request of an agent failed')
    return new Refusal('SIG_CALL_REFUSED', reasonTexts.unknown)
  }
}
