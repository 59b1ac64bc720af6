import { Agents } from './agents.ts'
import { CallBook } from './book.ts'
import { BusinessCalls } from './business.ts'
import {
  type Call,
  type CallAction,
  type CallOutput,
  type CallTimes,
  deadlineOf,
  defaultTimes,
  type EndReason,
  expectMedia,
  newCall,
  type RequestResult,
} from './call.ts'
import { nextRequest } from './next-request.ts'
import { Outbox } from './outbox.ts'
import { type CallReason, reasonOf } from './reasons.ts'
import { Ringing } from './ringing.ts'
import { forBrowser } from './sdp.ts'
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
  readonly #book = new CallBook()
  readonly #agents = new Agents()
  readonly #outbox: Outbox
  readonly #ringing: Ringing
  readonly #business: BusinessCalls

  constructor(options: CallsOptions) {
    this.#options = { mode: 'bridge', limit: 200, times: {}, ...options }
    this.#times = { ...defaultTimes, ...options.times }
    this.#outbox = new Outbox(this.#agents, this.#times)
    this.#ringing = new Ringing(this.#book, this.#agents, this.#outbox)
    this.#business = new BusinessCalls({
      book: this.#book,
      outbox: this.#outbox,
      mode: this.#options.mode,
      end: (call, ...why) => this.#end(call, ...why),
    })
  }

  /** Calls that are not over, with those whose farewell is under way; 0: nothing is held for any. */
  get size(): number {
    return this.#book.size
  }

  /** @param id Meta's */
  has(id: string): boolean {
    return this.#book.byId(id) !== undefined
  }

  /** Who has the call; undefined: nobody yet, or there is no such call. */
  agentOf(key: string): string | undefined {
    const call = this.#book.get(key)
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
    return this.#outbox.drain()
  }

  connect(update: ConnectUpdate, now: number): void {
    if (update.direction === 'business') {
      this.#business.joined(update, now)
      return
    }
    if (this.#book.get(update.id)) return
    const call = newCall(update.id, 'user', update, now)
    if (this.#book.isOver(update.id)) {
      // Its `terminate` overtook it; otherwise this is a repetition, and the record was made.
      if (this.#book.findUnseen(update.id))
        this.#outbox.record(call, { reason: 'customer-hung-up', cause: undefined }, now)
      return
    }
    this.#book.add(call)
    this.#outbox.note(update.id, true)
    if (this.#book.size > this.#options.limit) {
      this.#end(call, 'busy', undefined, now)
      return
    }
    if (this.#isDirect) call.remoteSdp = forBrowser(update.sdp)
    else this.#outbox.openLeg(call, update.sdp)
    this.#ringing.everywhere(call)
    this.#outbox.schedule(call)
  }

  status(update: StatusUpdate, now: number): void {
    this.#business.status(update, now)
  }

  terminate(update: TerminateUpdate, now: number): void {
    const call = this.#book.byId(update.id)
    if (!call) {
      this.#book.endUnseen(update.id)
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
    const call = this.#book.get(key)
    if (!call || call.ending || call.sdp !== undefined) return
    call.sdp = sdp
    this.#advance(call)
  }

  /** The leg could not be made, or its media is gone for good. */
  legLost(key: string, now: number): void {
    const call = this.#book.get(key)
    if (call) this.#end(call, 'no-media', undefined, now)
  }

  /** Media came from WhatsApp. To be told every few seconds, not with every packet. */
  heard(key: string, now: number): void {
    const call = this.#book.get(key)
    if (!call || call.heardAt === undefined || call.ending) return
    call.heard = true
    call.heardAt = now
    this.#outbox.schedule(call)
  }

  /** Anything came from the agent's leg. To be told about once a second. */
  agentHeard(key: string, now: number): void {
    const call = this.#book.get(key)
    if (!call || call.ending) return
    call.agentHeardAt = now
    if (call.agentLostAt !== undefined) this.#outbox.schedule(call)
  }

  result(key: string, action: CallAction, result: RequestResult, now: number): void {
    const call = this.#book.get(key)
    if (!call || call.request !== action) return
    call.request = undefined
    if (action === 'connect') this.#business.connected(call, result, now)
    else if (action === 'reject' || action === 'terminate') call.overAtMeta = true
    else if (action === 'accept') this.#accepted(call, result, now)
    else if (!result.ok && !(action === 'pre_accept' && result.uncertain)) this.#fail(call, result.reason, now)
    else if (action === 'pre_accept') this.#preAccepted(call)
    else if (!call.ending && !this.#isDirect) this.#outbox.openLeg(call, undefined)
    this.#advance(call)
    this.#forgetIfDone(call)
  }

  /** The agent's page is here, for the first time or again. */
  arrive(agent: string): void {
    if (this.#agents.isHere(agent)) return
    this.#agents.arrive(agent)
    const call = this.#book.get(this.#agents.callOf(agent))
    if (!call) {
      this.#ringing.allAt(agent)
      return
    }
    call.agentLostAt = undefined
    this.#outbox.tellAgent(call, { type: 'call-resumed', held: call.held })
    this.#outbox.tellRemote(call)
    this.#outbox.schedule(call)
  }

  /**
   * The page with the media of the agent's call is gone, and another of the agent's pages is here. In direct mode Meta alone
   * hears the media, and ends a call without.
   */
  lose(agent: string, now: number): void {
    const call = this.#book.get(this.#agents.callOf(agent))
    if (!call || this.#isDirect || !this.#agents.isHere(agent)) return
    call.agentLostAt = now
    this.#outbox.schedule(call)
  }

  /** That page is here again. */
  regain(agent: string): void {
    const call = this.#book.get(this.#agents.callOf(agent))
    if (!call || !this.#agents.isHere(agent)) return
    call.agentLostAt = undefined
    this.#outbox.schedule(call)
  }

  /** A page of the agent begins anew with its media. */
  agentOffers(agent: string, now: number): void {
    const call = this.#book.get(this.#agents.callOf(agent))
    if (call) call.agentDueAt = now
    this.regain(agent)
  }

  /** The agent's page is gone, which its media may outlive: the call goes on for as long as either is heard of. */
  leave(agent: string, now: number): void {
    if (!this.#agents.isHere(agent)) return
    this.#agents.leave(agent)
    this.#ringing.gone(agent)
    const call = this.#book.get(this.#agents.callOf(agent))
    if (!call) return
    call.agentLostAt = now
    this.#outbox.schedule(call)
  }

  /** `lost`: another agent was first, or the call is over. */
  answer(agent: string, key: string): 'won' | 'lost' {
    const call = this.#book.get(key)
    if (!call?.ringing.delete(agent)) return 'lost'
    const former = call.agent
    if (former !== undefined) this.#outbox.tellAgent(call, { type: 'transferred' })
    call.agent = agent
    this.#agents.take(agent, key)
    this.#ringing.answered(call)
    this.#ringing.busy(agent)
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
    const call = this.#book.get(key)
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
    const call = this.#book.get(key)
    if (call?.agent !== agent || !call.open || call.ending || !this.#agents.isFree(to)) return false
    this.#ringing.offer(call, to)
    return true
  }

  /** The agent keeps the call that it wanted to hand over. */
  keep(agent: string, key: string): void {
    const call = this.#book.get(key)
    if (call?.agent === agent) this.#ringing.withdraw(call)
  }

  /**
   * Puts a call on hold, or takes it back: no speech passes meanwhile.
   * @returns false when it is not this agent's, has not begun, or its media is not here, as in direct mode
   */
  hold(agent: string, key: string, on: boolean, now: number): boolean {
    const call = this.#book.get(key)
    if (call?.agent !== agent || !call.open || call.ending) return false
    if (call.held !== on) {
      call.held = on
      call.agentDueAt = now
      this.#outbox.media(call)
      this.#outbox.schedule(call)
    }
    return true
  }

  decline(agent: string, key: string, now: number): void {
    const call = this.#book.get(key)
    if (!call?.ringing.delete(agent)) return
    if (call.agent !== undefined) {
      this.#outbox.tellAgent(call, { type: 'transfer-declined' })
      return
    }
    call.declined.add(agent)
    if (this.#agents.here().every((here) => call.declined.has(here))) this.#end(call, 'declined', undefined, now)
  }

  hangUp(agent: string, key: string, now: number): void {
    const call = this.#book.get(key)
    if (call?.agent === agent) this.#end(call, 'agent-hung-up', undefined, now)
  }

  /** Calls a customer. @param number digits @returns the call's key; undefined when the agent is not free */
  dial(agent: string, number: string, now: number): string | undefined {
    if (!this.#agents.isFree(agent)) return undefined
    const call = newCall(this.#options.newKey(), 'business', { number, name: undefined }, now)
    call.agent = agent
    this.#agents.take(agent, call.key)
    this.#book.add(call)
    this.#ringing.busy(agent)
    this.#outbox.tellAgent(call, { type: 'call-state', state: 'calling' })
    this.#outbox.request(call, { action: 'permission', number })
    this.#outbox.schedule(call)
    return call.key
  }

  /** The time that `wake` of the outputs named has come. */
  wake(key: string, now: number): void {
    const call = this.#book.get(key)
    if (!call) return
    const { at, reason } = deadlineOf(call, this.#times)
    if (at <= now) this.#end(call, reason, undefined, now)
    else {
      call.wakeAt = Number.POSITIVE_INFINITY
      this.#outbox.schedule(call)
    }
  }

  /** Ends every call, as before the service stops. */
  endAll(now: number): void {
    for (const call of [...this.#book.all()]) this.#end(call, 'stopped', undefined, now)
  }

  #takenOver(call: Call, former: string): void {
    call.agentLostAt = undefined
    call.agentHeardAt = undefined
    call.agentDueAt = undefined
    call.held = false
    this.#outbox.media(call)
    this.#outbox.schedule(call)
    this.#free(former)
  }

  /** Sends what is due next, if nothing is under way. */
  #advance(call: Call): void {
    const request = nextRequest(call)
    if (!request) return
    if (request.action === 'connect') this.#business.connecting(request.number)
    if (request.action === 'accept') call.acceptSent = true
    this.#outbox.request(call, request)
    this.#outbox.schedule(call)
  }

  #preAccepted(call: Call): void {
    call.preAccepted = true
    if (!call.ending) this.#outbox.startLeg(call)
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
    expectMedia(call, now)
    this.#outbox.media(call)
    this.#outbox.tellAgent(call, { type: 'call-state', state: 'connected' })
    this.#outbox.schedule(call)
  }

  #fail(call: Call, cause: CallReason, now: number): void {
    this.#end(call, 'failed', cause, now)
  }

  #end(call: Call, reason: EndReason, cause: CallReason | undefined, now: number): void {
    if (call.ending) return
    call.ending = { reason, cause }
    for (const agent of call.ringing) this.#outbox.tell(agent, call.key, { type: 'call-ended', reason, cause })
    call.ringing.clear()
    this.#outbox.tellAgent(call, { type: 'call-ended', reason, cause })
    this.#outbox.closeLeg(call)
    this.#outbox.record(call, call.ending, now)
    this.#outbox.schedule(call)
    this.#advance(call)
    this.#release(call)
    this.#forgetIfDone(call)
  }

  #release({ agent, key }: Call): void {
    if (agent !== undefined && this.#agents.callOf(agent) === key) this.#free(agent)
  }

  #free(agent: string): void {
    this.#agents.release(agent)
    if (this.#agents.isHere(agent)) this.#ringing.allAt(agent)
  }

  #forgetIfDone(call: Call): void {
    if (!call.ending || call.request || !this.#book.forget(call)) return
    if (call.id !== undefined) this.#outbox.note(call.id, false)
  }

  get #isDirect(): boolean {
    return this.#options.mode === 'direct'
  }
}
