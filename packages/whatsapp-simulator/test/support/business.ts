/** A business that does what a test says, right or wrong, by plain HTTP. */
import { Simulator, type SimulatorOptions } from '../../src/index.ts'

export const phoneNumberId = '106540352242922'
export const accessToken = 'EAAB-the-access-token'
export const appSecret = 'the app secret'
export const customer = '491701234567'

export interface Delivery {
  readonly body: Buffer
  readonly signature: string
}

export interface Reply {
  readonly status: number
  /** Of the error, if there is one. */
  readonly code: number | undefined
  readonly json: Record<string, unknown>
}

export class Business {
  now = 1_700_000_000_000
  readonly deliveries: Delivery[] = []
  readonly simulator: Simulator
  url = ''

  /** @param prepare before it listens */
  static async start(
    options: Partial<SimulatorOptions> = {},
    prepare: (simulator: Simulator) => unknown = () => {},
  ): Promise<Business> {
    const business = new Business(options)
    await prepare(business.simulator)
    business.url = `${await business.simulator.listen()}/${phoneNumberId}`
    return business
  }

  private constructor(options: Partial<SimulatorOptions>) {
    this.simulator = new Simulator({
      phoneNumberId,
      accessToken,
      appSecret,
      deliver: (body, signature) => this.deliveries.push({ body, signature }),
      now: () => this.now,
      ...options,
    })
  }

  act(action: string, fields: Record<string, unknown> = {}): Promise<Reply> {
    return this.post('calls', { messaging_product: 'whatsapp', action, ...fields })
  }

  /** `pre_accept` or `accept`. */
  answer(action: string, callId: string, sdp = businessSdp('active')): Promise<Reply> {
    return this.act(action, { call_id: callId, session: { sdp_type: 'answer', sdp } })
  }

  dial(to = customer, sdp = businessSdp('actpass')): Promise<Reply> {
    return this.act('connect', { to, session: { sdp_type: 'offer', sdp } })
  }

  ask(to = customer): Promise<Reply> {
    const action = { name: 'call_permission_request' }
    const interactive = { type: 'call_permission_request', action, body: { text: 'May we call you?' } }
    const message = { recipient_type: 'individual', to, type: 'interactive', interactive }
    return this.post('messages', { messaging_product: 'whatsapp', ...message })
  }

  post(path: string, body: unknown): Promise<Reply> {
    return this.request(path, { method: 'POST', body: JSON.stringify(body) })
  }

  async request(path: string, init: RequestInit = {}, base = this.url): Promise<Reply> {
    const authorization = `Bearer ${accessToken}`
    const type = init.body === undefined ? {} : { 'content-type': 'application/json' }
    const reply = await fetch(`${base}/${path}`, { ...init, headers: { authorization, ...type, ...init.headers } })
    const json = await reply.json()
    return { status: reply.status, code: json.error?.code, json }
  }

  /** Values of the changes that were delivered, in order. */
  get news(): NewsValue[] {
    return this.deliveries.flatMap(({ body }) => newsOf(body))
  }

  /** Of the calls and permissions in the news, what happened. */
  get events(): string[] {
    return this.news.flatMap(({ calls = [], statuses = [], messages = [] }) => [
      ...calls.map(({ event }) => event),
      ...statuses.map(({ status }) => status),
      ...messages.map(({ interactive }) => interactive.call_permission_reply.response),
    ])
  }

  /** The SDP of the first news. */
  get sdp(): string {
    return this.news[0]?.calls?.[0]?.session?.sdp ?? ''
  }

  rules(): string[] {
    return this.simulator.violations.map(({ rule }) => rule)
  }
}

export interface NewsValue {
  readonly contacts?: readonly Record<string, unknown>[]
  readonly calls?: readonly ({
    readonly id: string
    readonly event: string
    readonly session?: { readonly sdp: string }
  } & Record<string, unknown>)[]
  readonly statuses?: readonly ({ readonly status: string } & Record<string, unknown>)[]
  readonly messages?: readonly {
    readonly interactive: {
      readonly call_permission_reply: { readonly response: string } & Record<string, unknown>
    }
  }[]
  readonly errors?: readonly { readonly code: number }[]
}

interface Delivered {
  readonly entry: readonly { readonly changes: readonly { readonly field: string; readonly value: NewsValue }[] }[]
}

export function newsOf(body: Buffer): NewsValue[] {
  const { entry } = JSON.parse(body.toString()) as Delivered
  return entry.flatMap(({ changes }) => changes.map(({ value }) => value))
}

/** An SDP of the business's side that breaks no rule. */
export function businessSdp(setup: 'active' | 'actpass', ssrc = 77): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'm=audio 40000 UDP/TLS/RTP/SAVPF 111 126',
    'c=IN IP4 127.0.0.1',
    'a=mid:0',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=candidate:1 1 udp 2122260223 127.0.0.1 40000 typ host',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:abcdefghijklmnopqrstuv',
    `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
    `a=setup:${setup}`,
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:126 telephone-event/8000',
    `a=ssrc:${ssrc} cname:business`,
    '',
  ].join('\r\n')
}
