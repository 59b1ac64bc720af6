import { Agents } from './agents.ts'
import {
  type AgentEvent,
  type Call,
  type CallAction,
  type CallOutput,
  type CallRequest,
  type CallTimes,
  deadlineOf,
  defaultTimes,
  type Ending,
  type EndReason,
  newCall,
  type RequestResult,
  recordOf,
} from './call.ts'
import { nextRequest } from './next-request.ts'
import { type CallReason, reasonOf } from './reasons.ts'
import { Recent } from './recent.ts'
import { forBrowser } from './sdp.ts'
import { Unclaimed } from './unclaimed.ts'
import type { ConnectUpdate, StatusUpdate, TerminateUpdate } from './updates.ts'

export interface CallsOptions {
  /** `direct`: the agents' browsers connect to the customers' phones themselves; no media is here. */
  readonly mode?: 'bridge' | 'direct'
  /** Of a call of the business. */
  readonly newKey: () => string
  readonly times?: Partial<CallTimes>
  /** Calls at once; a customer's call beyond it is rejected. */
  readonly limit?: number
}

/** Ids of calls that are over, for what Meta says of them late. */
const REMEMBERED = 10_000

/**
 * The calls of one business number. Pure: the clock is passed in, and what is to be done comes out of `drain`.
 *
 * Invariant: a call has at most one agent and an agent at most one call; a call's requests go one at a time; `accept`
 * repeats the SDP of `pre_accept`; media is open only after the 200 to `accept`, or once the customer's phone joined;
 * every call that began ends once, with one record, its leg closed, and with `reject` or `terminate` if and only if Meta
 * does not know already that it is over.
 */
export class Calls {
  readonly #options: Required<CallsOptions>
  readonly #times: CallTimes
  readonly #calls = new Map<string, Call>()
  /** Calls of the business by Meta's id. */
  readonly #keys = new Map<string, string>()
  readonly #agents = new Agents()
  readonly #over = new Recent(REMEMBERED)
  /** Of these, calls whose `terminate` came first. */
  readonly #unseen = new Recent(REMEMBERED)
  readonly #unclaimed = new Unclaimed()
  #outputs: CallOutput[] = []

  constructor(options: CallsOptions) {
    this.#options = { mode: 'bridge', limit: 200, times: {}, ...options }
    this.#times = { ...defaultTimes, ...options.times }
  }

  /** Calls that are not over, with those whose farewell is under way; 0: nothing is held for any. */
  get size(): number {
    return Math.max(this.#calls.size, this.#keys.size)
  }

  /** Who has the call; undefined: nobody yet, or there is no such call. */
  agentOf(key: string): string | undefined {
    const call = this.#calls.get(key)
    return call?.ending ? undefined : call?.agent
  }

  isHere(agent: string): boolean {
    return this.#agents.isHere(agent)
  }

  /** Here, and in no call. */
  isFree(agent: string): boolean {
    return this.#agents.isFree(agent)
  }

  /** What is to be done since the last time, in order. */
  drain(): readonly CallOutput[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  connect(update: ConnectUpdate, now: number): void {
    if (update.direction === 'business') {
      this.#joined(update, now)
      return
    }
    if (this.#calls.has(update.id)) return
    const call = newCall(update.id, 'user', update, now)
    if (this.#over.has(update.id)) {
      // Its `terminate` overtook it; otherwise this is a repetition, and the record was made.
      if (this.#unseen.delete(update.id)) this.#record(call, { reason: 'customer-hung-up', cause: undefined }, now)
      return
    }
    this.#calls.set(call.key, call)
    this.#note(update.id, true)
    if (this.#calls.size > this.#options.limit) {
      this.#end(call, 'busy', undefined, now)
      return
    }
    if (this.#isDirect) call.remoteSdp = forBrowser(update.sdp)
    else this.#openLeg(call, update.sdp)
    for (const agent of this.#agents.here()) this.#ring(call, agent)
    this.#schedule(call)
  }

  status(update: StatusUpdate, now: number): void {
    const call = this.#byId(update.id)
    if (!call) {
      if (!this.#over.has(update.id)) this.#unclaimed.keep(update)
      return
    }
    if (call.direction !== 'business' || call.ending) return
    if (update.status === 'REJECTED') {
      call.overAtMeta = true
      this.#end(call, 'rejected', undefined, now)
      return
    }
    if (update.status === 'ACCEPTED' && call.answeredAt === undefined) {
      call.answeredAt = now
      this.#expectMedia(call, now)
      this.#tellAgent(call, { type: 'call-state', state: 'answered' })
    } else if (update.status === 'RINGING' && !call.ringSeen && call.answeredAt === undefined) {
      call.ringSeen = true
      this.#tellAgent(call, { type: 'call-state', state: 'ringing' })
    }
    this.#schedule(call)
  }

  terminate(update: TerminateUpdate, now: number): void {
    const call = this.#byId(update.id)
    if (!call) {
      if (this.#over.add(update.id)) this.#unseen.add(update.id)
      return
    }
    call.overAtMeta = true
    // Meta gives a duration to answered calls alone: the ACCEPTED of this one was lost or comes late.
    if (update.duration && call.answeredAt === undefined) call.answeredAt = update.at - update.duration * 1000
    const cause = update.completed || update.code === undefined ? undefined : reasonOf(update.code)
    this.#end(call, cause === undefined ? 'customer-hung-up' : 'failed', cause, now)
    this.#forgetIfDone(call)
  }

  /** Our SDP: of the leg, or in direct mode of the agent's browser. */
  described(key: string, sdp: string): void {
    const call = this.#calls.get(key)
    if (!call || call.ending || call.sdp !== undefined) return
    call.sdp = sdp
    this.#advance(call)
  }

  /** The leg could not be made, or its media is gone for good. */
  legLost(key: string, now: number): void {
    const call = this.#calls.get(key)
    if (call) this.#end(call, 'no-media', undefined, now)
  }

  /** Media came from WhatsApp. To be told every few seconds, not with every packet. */
  heard(key: string, now: number): void {
    const call = this.#calls.get(key)
    if (!call || call.heardAt === undefined || call.ending) return
    call.heard = true
    call.heardAt = now
    this.#schedule(call)
  }

  /** Anything came from the agent's leg. To be told about once a second. */
  agentHeard(key: string, now: number): void {
    const call = this.#calls.get(key)
    if (!call || call.ending) return
    call.agentHeardAt = now
    if (call.agentLostAt !== undefined) this.#schedule(call)
  }

  result(key: string, action: CallAction, result: RequestResult, now: number): void {
    const call = this.#calls.get(key)
    if (!call || call.request !== action) return
    call.request = undefined
    if (action === 'connect') this.#connected(call, result, now)
    else if (action === 'reject' || action === 'terminate') call.overAtMeta = true
    else if (action === 'accept') this.#accepted(call, result, now)
    else if (!result.ok && !(action === 'pre_accept' && result.uncertain)) this.#fail(call, result.reason, now)
    else if (action === 'pre_accept') this.#preAccepted(call)
    else if (!call.ending && !this.#isDirect) this.#openLeg(call, undefined)
    this.#advance(call)
    this.#forgetIfDone(call)
  }

  /** The agent's page is here, for the first time or again. */
  arrive(agent: string): void {
    if (this.#agents.isHere(agent)) return
    this.#agents.arrive(agent)
    const call = this.#calls.get(this.#agents.callOf(agent) ?? '')
    if (!call) {
      this.#ringAll(agent)
      return
    }
    call.agentLostAt = undefined
    this.#tellAgent(call, { type: 'call-resumed', held: call.held })
    this.#tellRemote(call)
    this.#schedule(call)
  }

  /** The agent's page is gone, which its media may outlive: the call goes on for as long as either is heard of. */
  leave(agent: string, now: number): void {
    if (!this.#agents.isHere(agent)) return
    this.#agents.leave(agent)
    for (const call of this.#calls.values())
      if (call.ringing.delete(agent)) this.#tellAgent(call, { type: 'transfer-declined' })
    const call = this.#calls.get(this.#agents.callOf(agent) ?? '')
    if (!call) return
    call.agentLostAt = now
    this.#schedule(call)
  }

  /** `lost`: another agent was first, or the call is over. */
  answer(agent: string, key: string): 'won' | 'lost' {
    const call = this.#calls.get(key)
    if (!call?.ringing.delete(agent)) return 'lost'
    const former = call.agent
    if (former !== undefined) this.#tellAgent(call, { type: 'transferred' })
    call.agent = agent
    this.#agents.take(agent, key)
    for (const other of call.ringing) this.#tell(other, key, { type: 'answered-elsewhere' })
    call.ringing.clear()
    for (const other of this.#calls.values()) if (other.ringing.delete(agent)) this.#ringStopped(other, agent)
    this.#advance(call)
    if (former !== undefined) this.#takenOver(call, former)
    return 'won'
  }

  /** In direct mode: the agent's browser answers the customer's offer, with an SDP that was checked. */
  directAnswer(agent: string, key: string, sdp: string): 'won' | 'lost' {
    if (!this.#isDirect || this.answer(agent, key) === 'lost') return 'lost'
    this.described(key, sdp)
    return 'won'
  }

  /** In direct mode: the offer of the browser of an agent who calls; false when there is no such call, or it has one. */
  directOffer(agent: string, key: string, sdp: string): boolean {
    const call = this.#calls.get(key)
    if (!this.#isDirect || call?.agent !== agent || call.direction !== 'business') return false
    if (call.ending || call.sdp !== undefined) return false
    this.described(key, sdp)
    return true
  }

  /**
   * Hands a call over that media flows in: it rings at another agent, instead of the one it was offered to before, and stays
   * with this one until then. @returns false when the other one is not free
   */
  transfer(agent: string, key: string, to: string): boolean {
    const call = this.#calls.get(key)
    if (call?.agent !== agent || !call.open || call.ending || !this.#agents.isFree(to)) return false
    this.#withdraw(call)
    call.ringing.add(to)
    this.#tellComing(call, to)
    return true
  }

  /** The agent keeps the call that it wanted to hand over. */
  keep(agent: string, key: string): void {
    const call = this.#calls.get(key)
    if (call?.agent === agent) this.#withdraw(call)
  }

  /**
   * Puts a call on hold, or takes it back: no speech passes meanwhile.
   * @returns false when it is not this agent's, has not begun, or its media is not here, as in direct mode
   */
  hold(agent: string, key: string, on: boolean): boolean {
    const call = this.#calls.get(key)
    if (call?.agent !== agent || !call.open || call.ending) return false
    if (call.held !== on) {
      call.held = on
      this.#media(call)
    }
    return true
  }

  decline(agent: string, key: string, now: number): void {
    const call = this.#calls.get(key)
    if (!call?.ringing.delete(agent)) return
    if (call.agent !== undefined) {
      this.#tellAgent(call, { type: 'transfer-declined' })
      return
    }
    call.declined.add(agent)
    if (this.#agents.here().every((here) => call.declined.has(here))) this.#end(call, 'declined', undefined, now)
  }

  hangUp(agent: string, key: string, now: number): void {
    const call = this.#calls.get(key)
    if (call?.agent === agent) this.#end(call, 'agent-hung-up', undefined, now)
  }

  /** Calls a customer. @param number digits @returns the call's key; undefined when the agent is not free */
  dial(agent: string, number: string, now: number): string | undefined {
    if (!this.#agents.isFree(agent)) return undefined
    const call = newCall(this.#options.newKey(), 'business', { number, name: undefined }, now)
    call.agent = agent
    this.#agents.take(agent, call.key)
    this.#calls.set(call.key, call)
    for (const other of this.#calls.values()) if (other.ringing.delete(agent)) this.#ringStopped(other, agent)
    this.#tellAgent(call, { type: 'call-state', state: 'calling' })
    this.#request(call, { action: 'permission', number })
    this.#schedule(call)
    return call.key
  }

  /** The time that `wake` of the outputs named has come. */
  wake(key: string, now: number): void {
    const call = this.#calls.get(key)
    if (!call) return
    const { at, reason } = deadlineOf(call, this.#times)
    if (at <= now) this.#end(call, reason, undefined, now)
    else {
      call.wakeAt = Number.POSITIVE_INFINITY
      this.#schedule(call)
    }
  }

  /** Ends every call, as before the service stops. */
  endAll(now: number): void {
    for (const call of [...this.#calls.values()]) this.#end(call, 'stopped', undefined, now)
  }

  /** The agent has taken another call. */
  #ringStopped(call: Call, agent: string): void {
    this.#tell(agent, call.key, { type: 'ring-stopped' })
    this.#tellAgent(call, { type: 'transfer-declined' })
  }

  #takenOver(call: Call, former: string): void {
    call.agentLostAt = undefined
    call.agentHeardAt = undefined
    call.held = false
    this.#media(call)
    this.#schedule(call)
    this.#free(former)
  }

  #withdraw(call: Call): void {
    for (const other of call.ringing) this.#tell(other, call.key, { type: 'ring-stopped' })
    call.ringing.clear()
  }

  /** Sends what is due next, if nothing is under way. */
  #advance(call: Call): void {
    const request = nextRequest(call)
    if (!request) return
    if (request.action === 'connect') this.#unclaimed.begin(request.number)
    if (request.action === 'accept') call.acceptSent = true
    this.#request(call, request)
    this.#schedule(call)
  }

  #preAccepted(call: Call): void {
    call.preAccepted = true
    if (!call.ending && call.legOpened) this.#outputs.push({ do: 'start-leg', call: call.key })
  }

  #accepted(call: Call, result: RequestResult, now: number): void {
    if (!result.ok) {
      // What surely was not accepted still rings at the customer: `reject` is due.
      call.acceptSent = result.uncertain
      this.#fail(call, result.reason, now)
      return
    }
    if (call.ending) return
    call.answeredAt = now
    this.#expectMedia(call, now)
    this.#media(call)
    this.#tellAgent(call, { type: 'call-state', state: 'connected' })
    this.#schedule(call)
  }

  /** Meta has answered `connect`: the call has an id, and what was said of it before is heard now. */
  #connected(call: Call, result: RequestResult, now: number): void {
    const id = result.ok ? result.id : undefined
    const early = this.#unclaimed.settle(id)
    if (id === undefined) {
      if (!result.ok && result.uncertain) this.#unclaimed.lose(call.number!, now)
      this.#fail(call, result.ok ? 'unknown' : result.reason, now)
    } else {
      call.id = id
      this.#keys.set(id, call.key)
      this.#note(id, true)
      for (const update of early) {
        if (update.kind === 'connect') this.#joined(update, now)
        else this.status(update, now)
      }
      if (this.#over.has(id)) {
        call.overAtMeta = true
        this.#end(call, 'customer-hung-up', undefined, now)
      }
    }
  }

  /** The customer's phone has answered the media; the person may not have. */
  #joined(update: ConnectUpdate, now: number): void {
    const call = this.#byId(update.id)
    if (!call) {
      if (this.#over.has(update.id)) return
      if (!this.#unclaimed.find(update.number, now)) {
        this.#unclaimed.keep(update)
        return
      }
      // Nobody here holds this call: its id was lost with the answer to `connect`.
      this.#outputs.push({ do: 'request', call: update.id, request: { action: 'terminate', id: update.id } })
      return
    }
    if (call.ending || call.joined) return
    call.joined = true
    if (this.#isDirect) {
      call.remoteSdp = forBrowser(update.sdp)
      this.#tellRemote(call)
      return
    }
    this.#outputs.push({ do: 'join-leg', call: call.key, answer: update.sdp })
    this.#media(call)
  }

  /** Speech passes from now on, to and from whoever has the call. */
  #media(call: Call): void {
    if (!call.legOpened) return
    call.open = true
    this.#outputs.push({ do: 'media', call: call.key, agent: call.held ? undefined : call.agent })
  }

  /** In direct mode Meta alone hears whether there is any. */
  #expectMedia(call: Call, now: number): void {
    if (call.legOpened) call.heardAt = now
  }

  #fail(call: Call, cause: CallReason, now: number): void {
    this.#end(call, 'failed', cause, now)
  }

  #end(call: Call, reason: EndReason, cause: CallReason | undefined, now: number): void {
    if (call.ending) return
    call.ending = { reason, cause }
    for (const agent of call.ringing) this.#tell(agent, call.key, { type: 'call-ended', reason, cause })
    call.ringing.clear()
    this.#tellAgent(call, { type: 'call-ended', reason, cause })
    if (call.legOpened) this.#outputs.push({ do: 'close-leg', call: call.key })
    this.#record(call, call.ending, now)
    this.#schedule(call)
    this.#advance(call)
    this.#release(call)
    this.#forgetIfDone(call)
  }

  #release({ agent, key }: Call): void {
    if (agent !== undefined && this.#agents.callOf(agent) === key) this.#free(agent)
  }

  #free(agent: string): void {
    this.#agents.release(agent)
    if (this.#agents.isHere(agent)) this.#ringAll(agent)
  }

  #forgetIfDone(call: Call): void {
    if (!call.ending || call.request || !this.#calls.delete(call.key) || call.id === undefined) return
    this.#keys.delete(call.id)
    this.#over.add(call.id)
    this.#note(call.id, false)
  }

  #openLeg(call: Call, offer: string | undefined): void {
    call.legOpened = true
    this.#outputs.push({ do: 'open-leg', call: call.key, offer })
  }

  #ringAll(agent: string): void {
    for (const call of this.#calls.values()) this.#ring(call, agent)
  }

  #ring(call: Call, agent: string): void {
    if (call.direction !== 'user' || call.agent !== undefined || call.ending) return
    if (!this.#agents.isFree(agent) || call.declined.has(agent) || call.ringing.has(agent)) return
    call.ringing.add(agent)
    this.#tellComing(call, agent)
  }

  #tellComing(call: Call, agent: string): void {
    const { name: callerName, number: callerNumber, agent: transferredBy, remoteSdp: sdp } = call
    this.#tell(agent, call.key, { type: 'call-is-coming', callerName, callerNumber, transferredBy, sdp })
  }

  /** In direct mode, of a call of the business: the customer's answer. */
  #tellRemote({ agent, key, direction, remoteSdp }: Call): void {
    if (agent !== undefined && direction === 'business' && remoteSdp !== undefined)
      this.#tell(agent, key, { type: 'browser-answer', sdp: remoteSdp })
  }

  #note(id: string, alive: boolean): void {
    this.#outputs.push({ do: 'note', id, alive })
  }

  #record(call: Call, ending: Ending, endedAt: number): void {
    this.#outputs.push({ do: 'record', record: recordOf(call, ending, endedAt) })
  }

  #request(call: Call, request: CallRequest): void {
    call.request = request.action
    this.#outputs.push({ do: 'request', call: call.key, request })
  }

  /** Names the next time to the driver, if it has changed. */
  #schedule(call: Call): void {
    const { at } = deadlineOf(call, this.#times)
    if (at === call.wakeAt) return
    call.wakeAt = at
    this.#outputs.push({ do: 'wake', call: call.key, at })
  }

  #tellAgent(call: Call, event: AgentEvent): void {
    if (call.agent !== undefined) this.#tell(call.agent, call.key, event)
  }

  #tell(agent: string, call: string, event: AgentEvent): void {
    if (this.#agents.isHere(agent)) this.#outputs.push({ do: 'tell', agent, call, event })
  }

  get #isDirect(): boolean {
    return this.#options.mode === 'direct'
  }

  #byId(id: string): Call | undefined {
    return this.#calls.get(this.#keys.get(id) ?? id)
  }
}
