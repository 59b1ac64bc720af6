/**
 * Stands in for Meta: the Graph API of one business number, and the customers' side of its calls. Strict where the
 * documents are clear; where they contradict each other, `rules` decides.
 */
import { createApp, createLogger } from '@hairpin/http'
import type { FastifyReply } from 'fastify'
import { Permissions } from './permissions.ts'
import { brokenRules } from './sdp-rules.ts'
import { signedDelivery } from './webhooks.ts'

export interface SimulatorOptions {
  readonly phoneNumberId: string
  readonly businessNumber?: string
  readonly accessToken: string
  readonly appSecret: string
  /** Gets every webhook, signed. */
  readonly deliver: (body: Buffer, signature: string) => unknown
  readonly now?: () => number
  /** The documents do not agree on these. */
  readonly rules?: { readonly acceptAlone?: boolean; readonly terminateUnaccepted?: boolean }
}

export interface SimulatedCall {
  readonly id: string
  readonly direction: 'USER_INITIATED' | 'BUSINESS_INITIATED'
  readonly number: string
  /** What the business sent, in order: the actions, and the SDP of the last one that had one. */
  readonly actions: string[]
  sdp: string | undefined
  preAccepted: boolean
  answeredAt: number | undefined
  ended: boolean
}

type Body = Record<string, unknown>
/** Meta's answer to a request: HTTP status and JSON. */
type Answer = readonly [status: number, body: unknown]

const statusOf = new Map([
  [138000, 401],
  [138002, 429],
  [138004, 500],
  [138005, 429],
  [138006, 401],
  [138007, 500],
  [190, 401],
  [613, 429],
])
const refuse = (code: number, message: string, details = ''): Answer => [
  statusOf.get(code) ?? 400,
  { error: { message, type: 'OAuthException', code, fbtrace_id: 'Abc', error_data: { details } } },
]
const done: Answer = [200, { messaging_product: 'whatsapp', success: true }]

export class Simulator {
  readonly calls = new Map<string, SimulatedCall>()
  readonly permissions: Permissions
  /** `Bearer …` of every request. */
  readonly authorizations: (string | undefined)[] = []
  /** Requests that came, as `action` or path. */
  readonly requests: string[] = []
  readonly #options: SimulatorOptions
  readonly #faults = new Map<string, Array<Answer | 'hang' | 'drop' | 'drop-after'>>()
  readonly #app = createApp({ logger: createLogger('silent'), bodyLimit: 64 * 1024 })
  #settings: Body = { status: 'ENABLED', sip: { status: 'DISABLED' }, srtp_key_exchange_protocol: 'DTLS' }
  #count = 0

  constructor(options: SimulatorOptions) {
    this.#options = options
    this.permissions = new Permissions(options.businessNumber ?? '4930123456', () => this.#now())
    const base = `/v23.0/${options.phoneNumberId}`
    this.#app.post<{ Body: Body }>(`${base}/calls`, ({ body, headers }, reply) =>
      this.#answer(String(body.action), headers.authorization, reply, () => this.#act(body)),
    )
    this.#app.post<{ Body: Body }>(`${base}/messages`, ({ body, headers }, reply) =>
      this.#answer('messages', headers.authorization, reply, () => this.#message(body)),
    )
    this.#app.get<{ Querystring: { user_wa_id: string } }>(`${base}/call_permissions`, ({ query, headers }, reply) =>
      this.#answer('call_permissions', headers.authorization, reply, () => [
        200,
        this.permissions.describe(query.user_wa_id),
      ]),
    )
    this.#app.get(`${base}/settings`, ({ headers }, reply) =>
      this.#answer('settings', headers.authorization, reply, () => [200, { calling: this.#settings }]),
    )
    this.#app.post<{ Body: Body }>(`${base}/settings`, ({ body, headers }, reply) =>
      this.#answer('settings', headers.authorization, reply, () => {
        this.#settings = { ...this.#settings, ...(body.calling as Body) }
        return [200, { success: true }]
      }),
    )
  }

  /** @returns the base URL for the client */
  async listen(): Promise<string> {
    return `${await this.#app.listen({ host: '127.0.0.1', port: 0 })}/v23.0`
  }

  close(): Promise<void> {
    return this.#app.close()
  }

  /**
   * The next request of this kind fails so: Meta's answer; `hang`: none; `drop`: the connection breaks before, or
   * `drop-after`: after the request was carried out.
   */
  failNext(kind: string, ...faults: Array<readonly [status: number, code?: number] | 'hang' | 'drop' | 'drop-after'>) {
    const answers = faults.map((fault) =>
      typeof fault === 'string' ? fault : ([fault[0], fault[1] ? refuse(fault[1], 'failed')[1] : 'oops'] as const),
    )
    this.#faults.set(kind, [...(this.#faults.get(kind) ?? []), ...answers])
  }

  /** A customer calls. */
  userCalls(number: string, name: string, sdp: string): SimulatedCall {
    const call = this.#begin('USER_INITIATED', number)
    this.#tell({
      contacts: [{ profile: { name }, wa_id: number }],
      calls: [{ ...this.#header(call), event: 'connect', session: { sdp_type: 'offer', sdp } }],
    })
    return call
  }

  /** The customer's phone answers the media of a business's call: no person has answered yet. */
  phoneConnects(call: SimulatedCall, sdp: string): void {
    this.#tell({ calls: [{ ...this.#header(call), event: 'connect', session: { sdp_type: 'answer', sdp } }] })
  }

  status(call: SimulatedCall, status: 'RINGING' | 'ACCEPTED' | 'REJECTED'): void {
    if (status === 'ACCEPTED') call.answeredAt = this.#now()
    const timestamp = this.#timestamp()
    this.#tell({ statuses: [{ id: call.id, timestamp, type: 'call', status, recipient_id: call.number }] })
    if (status === 'REJECTED') this.ends(call)
  }

  /** The customer hangs up, or Meta ends the call. */
  ends(call: SimulatedCall, code?: number): void {
    if (call.ended) return
    call.ended = true
    const answered = call.answeredAt !== undefined
    if (call.direction === 'BUSINESS_INITIATED') this.permissions.called(call.number, answered)
    const duration = answered ? { duration: Math.round((this.#now() - call.answeredAt!) / 1000) } : {}
    const status = code === undefined ? 'COMPLETED' : 'FAILED'
    this.#tell({
      calls: [{ ...this.#header(call), event: 'terminate', status, ...duration }],
      ...(code === undefined ? {} : { errors: [{ code, message: 'failed' }] }),
    })
  }

  async #answer(kind: string, authorization: string | undefined, reply: FastifyReply, act: () => Answer) {
    this.requests.push(kind)
    this.authorizations.push(authorization)
    const fault = this.#faults.get(kind)?.shift()
    if (fault === 'drop-after') act()
    if (fault === 'drop' || fault === 'drop-after') reply.raw.destroy()
    if (typeof fault === 'string') return reply.hijack()
    const known = authorization === `Bearer ${this.#options.accessToken}`
    const [status, body] = fault ?? (known ? act() : refuse(190, 'Invalid OAuth access token.'))
    return reply.code(status).send(body)
  }

  #act(body: Body): Answer {
    if (body.messaging_product !== 'whatsapp') return refuse(100, 'messaging_product is missing')
    const opaque = body.biz_opaque_callback_data
    if (typeof opaque === 'string' && opaque.length > 512) return refuse(100, 'biz_opaque_callback_data is too long')
    if (body.action === 'connect') return this.#connect(body)
    const call = this.calls.get(String(body.call_id))
    if (!call || call.ended) return refuse(100, 'there is no such call')
    call.actions.push(String(body.action))
    switch (body.action) {
      case 'pre_accept':
        return this.#preAccept(call, body)
      case 'accept':
        return this.#accept(call, body)
      case 'reject':
        if (call.direction !== 'USER_INITIATED' || call.answeredAt !== undefined) return refuse(100, 'not ringing')
        call.ended = true
        return done
      case 'terminate':
        if (call.direction === 'USER_INITIATED' && call.answeredAt === undefined)
          if (this.#options.rules?.terminateUnaccepted === false) return refuse(100, 'not accepted')
        this.ends(call)
        return done
      default:
        return refuse(100, 'no such action')
    }
  }

  #preAccept(call: SimulatedCall, body: Body): Answer {
    const sdp = sdpOf(body, 'answer')
    const broken = sdp === undefined ? ['an SDP answer'] : brokenRules(sdp, 'answer')
    if (broken.length > 0) return refuse(100, 'SDP', broken.join('; '))
    if (call.preAccepted || call.answeredAt !== undefined) return refuse(100, 'pre-accepted already')
    call.preAccepted = true
    call.sdp = sdp
    return done
  }

  #accept(call: SimulatedCall, body: Body): Answer {
    if (call.answeredAt !== undefined) return refuse(100, 'accepted already')
    if (!call.preAccepted) {
      if (!this.#options.rules?.acceptAlone) return refuse(100, 'not pre-accepted')
      const result = this.#preAccept(call, body)
      if (result !== done) return result
    }
    if (sdpOf(body, 'answer') !== call.sdp) return refuse(100, 'the SDP differs from that of pre_accept')
    call.answeredAt = this.#now()
    return done
  }

  #connect(body: Body): Answer {
    const number = String(body.to)
    const refusal = this.permissions.refusalOfCall(number)
    if (refusal !== undefined) return refuse(refusal, 'call refused')
    if ([...this.calls.values()].some((call) => call.number === number && !call.ended))
      return refuse(138003, 'a call is active')
    const sdp = sdpOf(body, 'offer')
    const broken = sdp === undefined ? ['an SDP offer'] : brokenRules(sdp, 'offer')
    if (broken.length > 0) return refuse(100, 'SDP', broken.join('; '))
    const call = this.#begin('BUSINESS_INITIATED', number)
    call.actions.push('connect')
    call.sdp = sdp
    return [200, { messaging_product: 'whatsapp', calls: [{ id: call.id }] }]
  }

  #message(body: Body): Answer {
    const number = String(body.to)
    if ((body.interactive as Body | undefined)?.type !== 'call_permission_request') return refuse(100, 'not a request')
    const refusal = this.permissions.refusalOfRequest(number)
    if (refusal !== undefined) return refuse(refusal, 'request refused')
    this.permissions.asked(number)
    return [200, { messaging_product: 'whatsapp', messages: [{ id: `wamid.${++this.#count}` }] }]
  }

  #begin(direction: SimulatedCall['direction'], number: string): SimulatedCall {
    const call: SimulatedCall = {
      id: `wacid.${++this.#count}`,
      direction,
      number,
      actions: [],
      sdp: undefined,
      preAccepted: false,
      answeredAt: undefined,
      ended: false,
    }
    this.calls.set(call.id, call)
    return call
  }

  #header({ id, direction, number }: SimulatedCall) {
    const user = direction === 'USER_INITIATED'
    const business = this.#options.businessNumber ?? '4930123456'
    return { id, direction, from: user ? number : business, to: user ? business : number, timestamp: this.#timestamp() }
  }

  #tell(value: Body): void {
    const { body, signature } = signedDelivery(value, this.#options)
    this.#options.deliver(body, signature)
  }

  #timestamp(): string {
    return String(Math.floor(this.#now() / 1000))
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }
}

function sdpOf(body: Body, type: 'offer' | 'answer'): string | undefined {
  const session = body.session as { sdp_type?: unknown; sdp?: unknown } | undefined
  return session?.sdp_type === type && typeof session.sdp === 'string' ? session.sdp : undefined
}
