/** The Graph API over HTTP: addresses, access token, failures on demand. What a request means is the simulator's. */
import { setTimeout as after } from 'node:timers/promises'
import { type App, createApp, createLogger } from '@hairpin/http'
import type { FastifyReply } from 'fastify'
import { type Answer, refuse } from './answers.ts'
import { answerOf, type Fault, Faults } from './faults.ts'

export type Body = Record<string, unknown>

export interface GraphApiOptions {
  readonly phoneNumberId: string
  readonly accessToken: string
  /** ms before an answer, after the request was carried out. */
  readonly latency: (kind: string) => number
  readonly call: (body: Body) => Answer
  readonly message: (body: Body) => Answer
  readonly permissions: (number: string) => Answer
  readonly settings: () => Answer
  readonly changeSettings: (calling: Body) => Answer
  /** A request was answered; called just before the answer is sent. */
  readonly onAnswer: (kind: string, body: Body, answer: Answer) => void
}

/** The first version that has calls. */
const FIRST_VERSION = 17

interface Route {
  readonly Params: { readonly version: string; readonly id: string }
  readonly Body: Body | undefined
  readonly Querystring: { readonly user_wa_id?: string }
}

export class GraphApi {
  readonly app: App
  /** Kinds of the requests that came: the action, or the last part of the path. */
  readonly requests: string[] = []
  /** `Bearer …` of each. */
  readonly authorizations: (string | undefined)[] = []
  readonly faults = new Faults()
  readonly #options: GraphApiOptions

  constructor(options: GraphApiOptions) {
    this.#options = options
    this.app = createApp({ logger: createLogger('silent'), bodyLimit: 64 * 1024 })
    const route = (method: 'GET' | 'POST', path: string, act: (body: Body, user: string) => Answer) =>
      this.app.route<Route>({
        method,
        url: `/:version/:id/${path}`,
        handler: ({ params, body, query, headers }, reply) => {
          const kind = path === 'calls' ? String(body?.action) : path
          const wrong = this.#wrong(params, headers.authorization)
          this.requests.push(kind)
          this.authorizations.push(headers.authorization)
          return this.#answer(kind, body ?? {}, reply, () => wrong ?? act(body ?? {}, query.user_wa_id ?? ''))
        },
      })
    route('POST', 'calls', options.call)
    route('POST', 'messages', options.message)
    route('GET', 'call_permissions', (_body, user) => options.permissions(user))
    route('GET', 'settings', options.settings)
    route('POST', 'settings', (body) => options.changeSettings((body.calling ?? {}) as Body))
  }

  #wrong({ version, id }: Route['Params'], authorization: string | undefined): Answer | undefined {
    const number = /^v(\d+)\.\d$/.exec(version)?.[1]
    if (number === undefined || Number(number) < FIRST_VERSION) return refuse(100, 'this version has no calls')
    if (authorization !== `Bearer ${this.#options.accessToken}`) return refuse(190, 'Invalid OAuth access token.')
    if (id !== this.#options.phoneNumberId) return refuse(100, 'there is no such phone number')
    return undefined
  }

  async #answer(kind: string, body: Body, reply: FastifyReply, act: () => Answer): Promise<unknown> {
    const fault = this.faults.take(kind)
    if (typeof fault === 'string') return this.#fail(fault, reply, act)
    const answer = fault ? answerOf(fault) : act()
    const latency = this.#options.latency(kind)
    if (latency > 0) await after(latency)
    this.#options.onAnswer(kind, body, answer)
    return reply.code(answer[0]).send(answer[1])
  }

  #fail(fault: Fault & string, reply: FastifyReply, act: () => Answer): unknown {
    const text = fault === 'hang' || fault === 'drop' ? '' : JSON.stringify(act()[1])
    if (fault === 'garbage') return reply.code(200).type('text/html').send('<!doctype html><title>Sorry</title>')
    reply.hijack()
    if (fault === 'half') {
      reply.raw.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
      reply.raw.write(text.slice(0, text.length / 2), () => reply.raw.destroy())
    } else if (fault !== 'hang') reply.raw.destroy()
    return reply
  }
}
