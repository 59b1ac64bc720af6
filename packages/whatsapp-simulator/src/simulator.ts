/**
 * Stands in for Meta: the Graph API of one business number, and the customers' side of its calls. Strict where the
 * documents are clear; where they contradict each other, `rules` and `forms` decide.
 */
import type { App } from '@hairpin/http'
import type { SimulatedCall, SimulatorEvent, Violation } from './call.ts'
import { type Answer, codeOf, done, refuse } from './graph/answers.ts'
import { type Body, GraphApi } from './graph/api.ts'
import type { Fault } from './graph/faults.ts'
import { MediaWatch } from './media/media-watch.ts'
import type { Phone } from './media/phone.ts'
import type { SimulatorOptions } from './options.ts'
import { Permissions } from './permissions.ts'
import { defaultForms, defaultRules, defaultTimes, type Rules, type Times } from './rules.ts'
import { brokenRules } from './sdp-rules.ts'
import { Forms } from './webhook/forms.ts'
import { Outbox, type Release } from './webhook/outbox.ts'

/** Calls that are remembered, the ended ones among them. */
const REMEMBERED = 5000
const VIOLATIONS = 1000
/** Characters (documented). */
const OPAQUE = 512
/** What Meta ends a call with that was not set up as it should be. */
const SETUP_FAILED = 138019

export class Simulator {
  readonly calls = new Map<string, SimulatedCall>()
  readonly permissions: Permissions
  /** Rules that the business broke, refused requests among them. */
  readonly violations: Violation[] = []
  readonly #options: SimulatorOptions
  readonly #rules: Rules
  readonly #times: Times
  readonly #forms: Forms
  readonly #outbox: Outbox
  readonly #graph: GraphApi
  readonly #listeners = new Set<(event: SimulatorEvent) => void>()
  #settings: Body = { status: 'ENABLED', sip: { status: 'DISABLED' }, srtp_key_exchange_protocol: 'DTLS' }
  #count = 0

  constructor(options: SimulatorOptions) {
    const { phoneNumberId, businessNumber = '4930123456', accessToken, appSecret, deliver, latency = 0 } = options
    const forms = { ...defaultForms, ...options.forms }
    this.#options = options
    this.#rules = { ...defaultRules, ...options.rules }
    this.#times = { ...defaultTimes, ...options.times }
    this.#forms = new Forms({ phoneNumberId, number: businessNumber }, forms)
    this.#outbox = new Outbox({ appSecret, escaped: forms.escaped, deliver })
    this.permissions = new Permissions(businessNumber, () => this.#now())
    this.#graph = new GraphApi({
      phoneNumberId,
      accessToken,
      latency: typeof latency === 'function' ? latency : () => latency,
      call: (body) => this.#noted(String(body.action), body, this.#act(body)),
      message: (body) => this.#noted('messages', body, this.#message(body)),
      permissions: (number) => [200, this.permissions.describe(number)],
      settings: () => [200, { calling: this.#settings }],
      changeSettings: (calling) => {
        this.#settings = { ...this.#settings, ...calling }
        return [200, { success: true }]
      },
      onAnswer: (kind, body, answer) => this.#onAnswer(kind, body, answer),
    })
  }

  /** Requests that came, as `action` or path. */
  get requests(): readonly string[] {
    return this.#graph.requests
  }

  /** `Bearer …` of every request. */
  get authorizations(): readonly (string | undefined)[] {
    return this.#graph.authorizations
  }

  /** The HTTP side, for more routes on the same port; before `listen`. */
  get app(): App {
    return this.#graph.app
  }

  /** @returns the base URL for the client */
  async listen(host = '127.0.0.1', port = 0): Promise<string> {
    return `${await this.#graph.app.listen({ host, port })}/v23.0`
  }

  async close(): Promise<void> {
    for (const call of this.calls.values()) clearTimeout(call.timer)
    await this.#graph.app.close()
  }

  on(listener: (event: SimulatorEvent) => void): void {
    this.#listeners.add(listener)
  }

  /** The next requests of this kind (an action, a path, or `*`) fail so. */
  failNext(kind: string, ...faults: Fault[]): void {
    this.#graph.faults.add(kind, faults)
  }

  /** Webhooks wait from now on, until `release` sends them: in another order, together, more than once. */
  hold(): void {
    this.#outbox.hold()
  }

  release(release: Release = {}): void {
    this.#outbox.release(release)
  }

  /** A customer calls. */
  userCalls(number: string, name: string, sdp: string): SimulatedCall {
    const call = this.#begin('USER_INITIATED', number, name)
    this.#outbox.add(this.#forms.connect(call, this.#now(), sdp))
    return call
  }

  /** The customer's phone answers the media of a business's call: no person has answered yet. */
  phoneConnects(call: SimulatedCall, sdp: string): void {
    if (!call.ended) this.#outbox.add(this.#forms.connect(call, this.#now(), sdp))
  }

  status(call: SimulatedCall, status: 'RINGING' | 'ACCEPTED' | 'REJECTED'): void {
    if (call.ended) return
    if (status === 'ACCEPTED') this.#answered(call)
    this.#outbox.add(this.#forms.status(call, this.#now(), status))
    if (status === 'REJECTED') this.ends(call)
  }

  /** What the phone gets of this call is checked, and its silence ends the call. */
  watch(call: SimulatedCall, phone: Phone): void {
    const watch = new MediaWatch({
      opus: phone.opus,
      telephoneEvent: 126,
      mayTalk: () => call.mediaAllowed,
      onViolation: (rule, detail) => this.#violated(call, rule, detail),
    })
    call.media = watch
    phone.on({
      onRtp: (packet) => watch.rtp(packet, this.#now()),
      onRtcp: () => watch.rtcp(this.#now()),
      onLost: () => {
        call.mediaLost = true
      },
      onRoleConflict: () => this.#violated(call, 'ice-role', 'a check came from an agent that does not control'),
    })
    this.#arm(call)
  }

  /** The customer hangs up, or Meta ends the call with a code. */
  ends(call: SimulatedCall, code?: number): void {
    if (call.ended) return
    call.endCode = code
    this.#over(call)
    this.#outbox.add(this.#forms.terminate(call, this.#now()))
    const { number, direction, answeredAt } = call
    if (direction === 'BUSINESS_INITIATED') this.permissions.called(number, answeredAt !== undefined)
    else if (this.#settings.callback_permission_status === 'ENABLED' && !this.permissions.granted(number))
      this.answersRequest(number, { granted: true, automatic: true })
  }

  /** A customer answers a permission request, or Meta does for one who called. */
  answersRequest(number: string, reply: { granted: boolean; permanent?: boolean; automatic?: boolean }): void {
    const { granted, permanent = false, automatic = false } = reply
    if (granted) this.permissions.grant(number, permanent)
    else this.permissions.revoke(number)
    const until = this.permissions.grantedUntil(number)
    const form = { granted, permanent, automatic, until }
    this.#outbox.add(this.#forms.permissionReply(number, this.#now(), `wamid.${++this.#count}`, form))
  }

  /** Ends calls whose time is up; timers do it by themselves where `now` is the machine's clock. */
  check(): void {
    for (const call of this.calls.values()) this.#checkTime(call)
  }

  #act(body: Body): Answer {
    if (body.messaging_product !== 'whatsapp') return refuse(100, 'messaging_product is missing')
    const { biz_opaque_callback_data: opaque } = body
    if (opaque !== undefined && (typeof opaque !== 'string' || opaque.length > OPAQUE))
      return refuse(100, 'biz_opaque_callback_data is too long')
    if ((this.#settings.sip as Body | undefined)?.status === 'ENABLED') return refuse(131055, 'the number uses SIP')
    if (body.action === 'connect') return this.#connect(body)
    const call = this.calls.get(String(body.call_id))
    if (!call) return refuse(100, 'there is no such call')
    if (call.ended) return refuse(100, 'the call is over')
    call.actions.push(String(body.action))
    switch (body.action) {
      case 'pre_accept':
        return this.#preAccept(call, body)
      case 'accept':
        return this.#accept(call, body)
      case 'reject':
        if (call.direction !== 'USER_INITIATED' || call.accepted) return refuse(100, 'not ringing')
        this.#over(call)
        return done
      case 'terminate':
        if (call.direction === 'USER_INITIATED' && !call.accepted && !this.#rules.terminateUnaccepted)
          return refuse(100, 'not accepted')
        this.ends(call)
        return done
      default:
        return refuse(100, 'no such action')
    }
  }

  #preAccept(call: SimulatedCall, body: Body): Answer {
    if (call.direction !== 'USER_INITIATED') return refuse(100, 'not a call of a customer')
    const sdp = sdpOf(body, 'answer')
    const broken = sdp === undefined ? ['an SDP answer'] : brokenRules(sdp, 'answer')
    if (broken.length > 0) return refuse(100, 'SDP', broken.join('; '))
    if (call.preAccepted || call.accepted) return refuse(100, 'pre-accepted already')
    call.preAccepted = true
    call.sdp = sdp
    this.#emit({ type: 'pre-accepted', call })
    return done
  }

  #accept(call: SimulatedCall, body: Body): Answer {
    if (call.direction !== 'USER_INITIATED') return refuse(100, 'not a call of a customer')
    if (call.accepted) return refuse(100, 'accepted already')
    if (!call.preAccepted) {
      if (!this.#rules.acceptAlone) return refuse(100, 'not pre-accepted')
      const answer = this.#preAccept(call, body)
      if (answer !== done) return answer
    }
    if (sdpOf(body, 'answer') !== call.sdp) return refuse(100, 'the SDP differs from that of pre_accept')
    call.accepted = true
    call.opaque = body.biz_opaque_callback_data as string | undefined
    this.#answered(call)
    return done
  }

  #connect(body: Body): Answer {
    if (this.#settings.status !== 'ENABLED') return refuse(138000, 'calling is not enabled')
    const number = numberOf(body)
    if (number === undefined) return refuse(100, 'to is no phone number')
    const refusal = this.permissions.refusalOfCall(number)
    if (refusal !== undefined) return refuse(refusal, 'call refused')
    const live = [...this.calls.values()].filter(({ ended }) => !ended)
    if (live.length >= (this.#options.concurrent ?? 1000)) return refuse(138002, 'too many calls')
    if (live.some((call) => call.number === number)) return refuse(138003, 'a call is active')
    const sdp = sdpOf(body, 'offer')
    const broken = sdp === undefined ? ['an SDP offer'] : brokenRules(sdp, 'offer')
    if (broken.length > 0) return refuse(100, 'SDP', broken.join('; '))
    const call = this.#begin('BUSINESS_INITIATED', number, undefined)
    call.actions.push('connect')
    call.sdp = sdp
    call.opaque = body.biz_opaque_callback_data as string | undefined
    call.mediaAllowed = true
    this.#emit({ type: 'business-calls', call })
    return [200, { messaging_product: 'whatsapp', calls: [{ id: call.id }] }]
  }

  #message(body: Body): Answer {
    const number = numberOf(body)
    if (number === undefined) return refuse(100, 'to is no phone number')
    const interactive = body.interactive as { type?: unknown; body?: { text?: unknown } } | undefined
    if (interactive?.type !== 'call_permission_request') return refuse(100, 'not a request')
    const refusal = this.permissions.refusalOfRequest(number)
    if (refusal !== undefined) return refuse(refusal, 'request refused')
    this.permissions.asked(number)
    this.#emit({ type: 'permission-asked', number, text: String(interactive.body?.text ?? '') })
    return [200, { messaging_product: 'whatsapp', messages: [{ id: `wamid.${++this.#count}` }] }]
  }

  #begin(direction: SimulatedCall['direction'], number: string, name: string | undefined): SimulatedCall {
    const call: SimulatedCall = {
      id: `wacid.${++this.#count}`,
      direction,
      number,
      name,
      startedAt: this.#now(),
      actions: [],
      sdp: undefined,
      opaque: undefined,
      preAccepted: false,
      accepted: false,
      answeredAt: undefined,
      mediaAllowed: false,
      ended: false,
      endCode: undefined,
      media: undefined,
      mediaLost: false,
      timer: undefined,
    }
    this.calls.set(call.id, call)
    this.#forget()
    this.#arm(call)
    return call
  }

  /** The oldest that are over. */
  #forget(): void {
    for (const [id, { ended }] of this.calls) {
      if (this.calls.size <= REMEMBERED) return
      if (ended) this.calls.delete(id)
    }
  }

  #answered(call: SimulatedCall): void {
    if (call.answeredAt !== undefined) return
    call.answeredAt = this.#now()
    this.#arm(call)
    this.#emit({ type: 'answered', call })
  }

  #over(call: SimulatedCall): void {
    call.ended = true
    clearTimeout(call.timer)
    this.#emit({ type: 'ended', call })
  }

  /** The 200 of `accept` is about to go out: from here on media is right. */
  #onAnswer(kind: string, body: Body, answer: Answer): void {
    const call = kind === 'accept' && answer[0] === 200 ? this.calls.get(String(body.call_id)) : undefined
    if (call) call.mediaAllowed = true
    this.#emit({ type: 'request', kind, status: answer[0], code: codeOf(answer) })
  }

  #noted(kind: string, body: Body, answer: Answer): Answer {
    if (codeOf(answer) !== 100) return answer
    const { message, error_data } = (answer[1] as { error: { message: string; error_data: { details: string } } }).error
    const detail = [message, error_data.details].filter((text) => text !== '').join(': ')
    this.#violated(this.calls.get(String(body.call_id)), `refused-${kind}`, detail)
    return answer
  }

  #violated(call: SimulatedCall | undefined, rule: string, detail: string): void {
    const violation = { callId: call?.id, rule, detail }
    if (this.violations.length < VIOLATIONS) this.violations.push(violation)
    this.#emit({ type: 'violation', violation })
    if (rule !== 'media-before-accept' || !call) return
    if (this.#rules.answeredBy === 'accept-or-media') this.#answered(call)
    if (this.#rules.earlyMedia === 'end') this.ends(call, SETUP_FAILED)
  }

  /** One timer for each call; it is not set again for every packet, but when it rings too early. */
  #arm(call: SimulatedCall): void {
    clearTimeout(call.timer)
    const { at } = this.#deadline(call)
    if (at === Number.POSITIVE_INFINITY) return
    call.timer = setTimeout(() => this.#checkTime(call), Math.max(1, at - this.#now()))
    call.timer.unref()
  }

  #checkTime(call: SimulatedCall): void {
    const { at, code } = this.#deadline(call)
    if (at <= this.#now()) this.ends(call, code)
    else this.#arm(call)
  }

  #deadline(call: SimulatedCall): { readonly at: number; readonly code?: number } {
    const { direction, startedAt, answeredAt, media, mediaLost, ended } = call
    const { firstMedia, media: later, ring, ringOut } = this.#times
    if (ended) return { at: Number.POSITIVE_INFINITY }
    if (answeredAt === undefined) return { at: startedAt + (direction === 'USER_INITIATED' ? ring : ringOut) }
    if (!media) return { at: Number.POSITIVE_INFINITY }
    const { never, stopped, lost } = this.#rules.silenceCodes
    if (media.lastAt === undefined) return { at: answeredAt + firstMedia, code: mediaLost ? lost : never }
    return { at: Math.max(media.lastAt, answeredAt) + later, code: mediaLost ? lost : stopped }
  }

  #emit(event: SimulatorEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }
}

function sdpOf(body: Body, type: 'offer' | 'answer'): string | undefined {
  const session = body.session as { sdp_type?: unknown; sdp?: unknown } | undefined
  return session?.sdp_type === type && typeof session.sdp === 'string' ? session.sdp : undefined
}

/** Digits; a plus before them is taken. */
function numberOf({ to }: Body): string | undefined {
  return typeof to === 'string' ? /^\+?(\d{5,15})$/.exec(to)?.[1] : undefined
}
