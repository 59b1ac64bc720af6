/** Does what the machine of the calls wants done: requests to Meta, media, timers, words to the agents. */
import type { AgentEvent, CallOutput, CallRecord, CallRequest, CallTimes, RequestResult } from './core/call.ts'
import { Calls } from './core/calls.ts'
import type { CallReason } from './core/reasons.ts'
import { directSdp, readRemoteAudio } from './core/sdp.ts'
import type { CallUpdate, PermissionUpdate } from './core/updates.ts'
import type { CallPermission, GraphClient } from './graph/client.ts'
import type { GraphFailure } from './graph/request.ts'
import { Bridge, type BridgeCounts } from './media/bridge.ts'
import { LegError, type NewLeg } from './media/leg.ts'

export interface CallServiceOptions {
  readonly graph: Pick<
    GraphClient,
    'preAccept' | 'accept' | 'reject' | 'terminate' | 'connect' | 'permission' | 'requestPermission'
  >
  /** `direct`: the agents' browsers connect to the customers' phones themselves, and no media is here. */
  readonly mode?: 'bridge' | 'direct'
  readonly newLeg: NewLeg
  /** Tells the page of an agent, which need not get it: what counts is told again when it comes back. */
  readonly tell: (agent: string, callId: string, event: AgentEvent) => void
  readonly onRecord: (record: FinishedCall) => void
  /** A customer gave or refused the permission to be called. */
  readonly onPermission: (update: PermissionUpdate) => void
  /**
   * Meta holds a call of this id from now on, or no more. Whoever keeps these can give those that a killed service left
   * behind to `endLeftovers`.
   */
  readonly onOpen?: (id: string) => void
  readonly onClosed?: (id: string) => void
  /** What a customer reads who is asked for the permission to be called. */
  readonly permissionText?: string
  readonly log: { warn(fields: object, message: string): void }
  /** Of the business's calls; unique for as long as records are kept. */
  readonly newKey: () => string
  readonly times?: Partial<CallTimes>
  /** Calls at once. */
  readonly limit?: number
  /** ms since 1970. */
  readonly now?: () => number
}

export interface FinishedCall extends CallRecord {
  readonly toAgent: BridgeCounts
  readonly toWhatsapp: BridgeCounts
}

/** Whether a customer may be called now. */
export type PermissionAnswer =
  | ({ readonly ok: true } & CallPermission)
  | { readonly ok: false; readonly reason: CallReason }

/** Whether the customer was asked; the reply comes by `onPermission`. */
export type AskAnswer = { readonly ok: true } | { readonly ok: false; readonly reason: CallReason }

const PERMISSION_TEXT = 'May we call you on WhatsApp?'

const NOTHING: BridgeCounts = { packets: 0, bytes: 0 }

export class CallService {
  readonly #options: CallServiceOptions
  readonly #now: () => number
  readonly #calls: Calls
  readonly #bridges = new Map<string, Bridge>()
  readonly #timers = new Map<string, NodeJS.Timeout>()
  readonly #requests = new Set<Promise<void>>()
  #performing = false
  #closed = false

  constructor(options: CallServiceOptions) {
    const { newKey, mode = 'bridge', times = {}, limit = 200, now = Date.now } = options
    this.#options = options
    this.#now = now
    this.#calls = new Calls({ newKey, mode, times, limit })
  }

  /** Calls that are not over, with those whose farewell is under way. */
  get calls(): number {
    return this.#calls.size
  }

  /** What is held for calls: all of it is given back when they are over. */
  get held(): { readonly bridges: number; readonly timers: number; readonly requests: number } {
    return { bridges: this.#bridges.size, timers: this.#timers.size, requests: this.#requests.size }
  }

  /** News from the webhook. */
  update(update: CallUpdate): void {
    if (update.kind === 'permission') {
      this.#options.onPermission(update)
      return
    }
    this.#act((calls, now) => {
      if (update.kind === 'connect') calls.connect(update, now)
      else if (update.kind === 'status') calls.status(update, now)
      else calls.terminate(update, now)
    })
  }

  /** Whether a call of this id of Meta's is here. */
  has(id: string): boolean {
    return this.#calls.has(id)
  }

  /** Who has the call; undefined: nobody yet, or it is over. */
  agentOf(callId: string): string | undefined {
    return this.#calls.agentOf(callId)
  }

  /** Whether the agent is here, and in no call. */
  isFree(agent: string): boolean {
    return this.#calls.isFree(agent)
  }

  /** The agent's page is here, for the first time or again; a call of the agent's is told to it anew. */
  arrive(agent: string): void {
    this.#act((calls) => calls.arrive(agent))
  }

  /** The agent's page is gone. Its call goes on for as long as its media is heard, and a while longer. */
  leave(agent: string): void {
    this.#act((calls, now) => calls.leave(agent, now))
  }

  /**
   * The agent is here still or again, but not the page with the media of its call. The call goes on for as long as that is
   * heard, and a while longer.
   */
  lose(agent: string): void {
    this.#act((calls, now) => calls.lose(agent, now))
  }

  /** That page is here again. */
  regain(agent: string): void {
    this.#act((calls) => calls.regain(agent))
  }

  /**
   * The page of an agent offers its media: this answers a call that rings there, or connects the page to the call that is the
   * agent's already, as after a reload.
   * @returns our answer; undefined when another agent was first or the call is over
   * @throws LegError for an SDP that cannot carry a call: nothing has changed then
   */
  async offer(agent: string, callId: string, sdp: string): Promise<string | undefined> {
    this.#demand('bridge')
    const fault = readRemoteAudio(sdp)
    if (typeof fault === 'string') throw new LegError(fault, 'the SDP cannot carry a call')
    if (this.#calls.agentOf(callId) !== agent && !this.#take(agent, callId)) return undefined
    this.#act((calls, now) => calls.agentOffers(agent, now))
    return this.#bridge(callId).connectAgent(agent, sdp)
  }

  /**
   * In direct mode: the page of an agent answers the offer of `call-is-coming`. It must send no media before it is told
   * `connected`.
   * @returns false when another agent was first or the call is over
   * @throws LegError for an SDP that Meta would not take: the call rings on then
   */
  directAnswer(agent: string, callId: string, sdp: string): boolean {
    const checked = this.#checked(sdp, 'answer')
    return this.#act((calls) => calls.directAnswer(agent, callId, checked)) === 'won'
  }

  /**
   * In direct mode: the offer of the page of an agent who dialed; the customer's answer comes as `browser-answer`.
   * @returns false when the call is over, not this agent's, or has an offer already
   * @throws LegError
   */
  directOffer(agent: string, callId: string, sdp: string): boolean {
    const checked = this.#checked(sdp, 'offer')
    return this.#act((calls) => calls.directOffer(agent, callId, checked))
  }

  /**
   * The customer hears silence and the agent nothing, until it is taken back. A call that is handed over is taken back.
   * @returns false when it is not this agent's call, does not flow yet, or is direct: then the page mutes itself
   */
  hold(agent: string, callId: string, on: boolean): boolean {
    return this.#act((calls, now) => calls.hold(agent, callId, on, now))
  }

  /** @returns false when the other agent is not free, or no media flows in the call yet */
  transfer(agent: string, callId: string, to: string): boolean {
    return this.#act((calls) => calls.transfer(agent, callId, to))
  }

  /** Ends a `transfer` that nobody has answered yet. */
  keep(agent: string, callId: string): void {
    this.#act((calls) => calls.keep(agent, callId))
  }

  decline(agent: string, callId: string): void {
    this.#act((calls, now) => calls.decline(agent, callId, now))
  }

  hangUp(agent: string, callId: string): void {
    this.#act((calls, now) => calls.hangUp(agent, callId, now))
  }

  /** Calls a customer. @param number digits @returns the call's id; undefined when the agent is not free */
  dial(agent: string, number: string): string | undefined {
    return this.#act((calls, now) => calls.dial(agent, number, now))
  }

  /** Whether this customer may be called or asked, and when again. @param number digits */
  async permission(number: string): Promise<PermissionAnswer> {
    const result = await this.#options.graph.permission(number)
    if (result.ok) return { ok: true, ...result.value }
    this.#warn('permission', result)
    return { ok: false, reason: result.reason }
  }

  /** Asks a customer for the permission to be called. @param number digits */
  async requestPermission(number: string): Promise<AskAnswer> {
    const { graph, permissionText = PERMISSION_TEXT } = this.#options
    const result = await graph.requestPermission(number, permissionText)
    if (result.ok) return { ok: true }
    this.#warn('request_permission', result)
    return { ok: false, reason: result.reason }
  }

  /**
   * Ends calls that a service left behind at Meta, which was killed; `onClosed` tells of each that is over.
   * @param ids which `onOpen` named and `onClosed` did not
   * @returns those that Meta could not be asked about
   */
  async endLeftovers(ids: Iterable<string>): Promise<readonly string[]> {
    const ended = await Promise.all(Array.from(ids, async (id) => ((await this.#endLeftover(id)) ? [] : [id])))
    return ended.flat()
  }

  /** Ends all calls; done when Meta knows, or could not be told. */
  async close(): Promise<void> {
    this.#act((calls, now) => calls.endAll(now))
    while (this.#requests.size > 0) await Promise.all(this.#requests)
    this.#closed = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  async #endLeftover(id: string): Promise<boolean> {
    const { graph, onClosed } = this.#options
    let result = await graph.terminate(id)
    // A call that nobody had accepted is rejected; one that is over already takes neither.
    if (!result.ok && !mayWorkLater(result)) result = await graph.reject(id)
    if (!result.ok && mayWorkLater(result)) {
      this.#warn('terminate', result)
      return false
    }
    onClosed?.(id)
    return true
  }

  #demand(mode: 'bridge' | 'direct'): void {
    if ((this.#options.mode ?? 'bridge') !== mode)
      throw new LegError('MEDIA_OTHER_MODE', `the service is not in ${mode} mode`)
  }

  #checked(sdp: string, type: 'offer' | 'answer'): string {
    this.#demand('direct')
    const checked = directSdp(sdp, type)
    if (typeof checked === 'string') throw new LegError(checked, 'the SDP cannot carry a call')
    return checked.sdp
  }

  #take(agent: string, callId: string): boolean {
    return this.#act((calls) => calls.answer(agent, callId)) === 'won'
  }

  #act<T>(act: (calls: Calls, now: number) => T): T {
    const result = act(this.#calls, this.#now())
    this.#perform()
    return result
  }

  /** What is done here may bring about more to be done. */
  #perform(): void {
    if (this.#performing || this.#closed) return
    this.#performing = true
    try {
      for (let outputs = this.#calls.drain(); outputs.length > 0; outputs = this.#calls.drain())
        for (const output of outputs) this.#do(output)
    } finally {
      this.#performing = false
    }
  }

  #do(output: CallOutput): void {
    switch (output.do) {
      case 'open-leg':
        void this.#describe(output.call, output.offer)
        break
      case 'start-leg':
        this.#bridges.get(output.call)?.start()
        break
      case 'join-leg':
        this.#join(output.call, output.answer)
        break
      case 'media':
        this.#bridges.get(output.call)?.open(output.agent)
        break
      case 'close-leg':
        this.#bridges.get(output.call)?.close()
        break
      case 'request':
        this.#request(output.call, output.request)
        break
      case 'wake':
        this.#wake(output.call, output.at)
        break
      case 'tell':
        this.#options.tell(output.agent, output.call, output.event)
        break
      case 'note':
        if (output.alive) this.#options.onOpen?.(output.id)
        else this.#options.onClosed?.(output.id)
        break
      case 'record':
        this.#record(output.record)
    }
  }

  async #describe(callId: string, offer: string | undefined): Promise<void> {
    try {
      const sdp = await this.#bridge(callId).describe(offer)
      this.#act((calls) => calls.described(callId, sdp))
    } catch (error) {
      this.#mediaFailed(callId, error)
    }
  }

  #join(callId: string, answer: string): void {
    try {
      this.#bridges.get(callId)?.join(answer)
    } catch (error) {
      this.#mediaFailed(callId, error)
    }
  }

  #mediaFailed(callId: string, error: unknown): void {
    // A call that ended meanwhile took its media along.
    if (this.#bridges.has(callId))
      this.#options.log.warn({ code: 'WHATSAPP_MEDIA_FAILED', callId, err: error }, 'a call has no media')
    this.#act((calls, now) => calls.legLost(callId, now))
  }

  #bridge(callId: string): Bridge {
    let bridge = this.#bridges.get(callId)
    if (bridge) return bridge
    bridge = new Bridge({
      newLeg: this.#options.newLeg,
      onHeard: () => this.#act((calls, now) => calls.heard(callId, now)),
      onAgentHeard: () => this.#act((calls, now) => calls.agentHeard(callId, now)),
      onLost: () => this.#act((calls, now) => calls.legLost(callId, now)),
      now: this.#now,
    })
    this.#bridges.set(callId, bridge)
    return bridge
  }

  #record(record: CallRecord): void {
    const bridge = this.#bridges.get(record.key)
    this.#bridges.delete(record.key)
    bridge?.close()
    const { toAgent, toWhatsapp } = bridge ?? { toAgent: NOTHING, toWhatsapp: NOTHING }
    this.#options.onRecord({ ...record, toAgent, toWhatsapp })
  }

  #wake(callId: string, at: number): void {
    clearTimeout(this.#timers.get(callId))
    this.#timers.delete(callId)
    if (at === Number.POSITIVE_INFINITY) return
    const ring = () => {
      this.#timers.delete(callId)
      this.#act((calls, now) => calls.wake(callId, now))
    }
    this.#timers.set(callId, setTimeout(ring, Math.max(0, at - this.#now())))
  }

  #request(callId: string, request: CallRequest): void {
    const under = this.#send(request)
      .then((result) => this.#act((calls, now) => calls.result(callId, request.action, result, now)))
      .finally(() => this.#requests.delete(under))
    this.#requests.add(under)
  }

  async #send(request: CallRequest): Promise<RequestResult> {
    const { graph } = this.#options
    switch (request.action) {
      case 'pre_accept':
        return this.#told(request, await graph.preAccept(request.id, request.sdp))
      case 'accept':
        return this.#told(request, await graph.accept(request.id, request.sdp))
      case 'reject':
        return this.#told(request, await graph.reject(request.id))
      case 'terminate':
        return this.#told(request, await graph.terminate(request.id))
      case 'connect': {
        const result = await graph.connect(request.number, request.sdp)
        return result.ok ? { ok: true, id: result.value } : this.#told(request, result)
      }
      case 'permission': {
        const result = await graph.permission(request.number)
        if (!result.ok) return this.#told(request, result)
        if (result.value.mayCall) return { ok: true }
        const reason = result.value.mayCallAt === undefined ? 'no-permission' : 'daily-limit'
        return { ok: false, reason, uncertain: false }
      }
    }
  }

  #told({ action }: CallRequest, result: { readonly ok: true } | GraphFailure): RequestResult {
    if (result.ok) return { ok: true }
    this.#warn(action, result)
    return { ok: false, reason: result.reason, uncertain: result.uncertain }
  }

  #warn(action: string, { reason, code: graphCode, status, trace, message }: GraphFailure): void {
    const fields = { code: 'WHATSAPP_REQUEST_FAILED', action, reason, graphCode, status, trace, error: message }
    this.#options.log.warn(fields, 'WhatsApp did not do what it was asked')
  }
}

/** The refusal says nothing of the call. */
function mayWorkLater({ uncertain, reason }: GraphFailure): boolean {
  return uncertain || reason === 'unreachable' || reason === 'access-denied' || reason === 'rate-limited'
}
