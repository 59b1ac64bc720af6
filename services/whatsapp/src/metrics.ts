import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { GraphClient } from './graph/client.ts'
import type { GraphResult } from './graph/request.ts'
import { outcomeOf, outcomes } from './records/outcome.ts'
import type { FinishedCall } from './service.ts'
import type { IntakeCounts } from './webhook/intake.ts'

/** What the gauges read when they are scraped. */
export interface WhatsappLive {
  calls(): number
  agents(): { readonly here: number; readonly free: number }
  updates(): IntakeCounts
}

export type WebhookResult = 'taken' | 'unsigned' | 'busy' | 'invalid'

const actions = ['pre_accept', 'accept', 'reject', 'terminate', 'connect', 'permission', 'request_permission'] as const
type Action = (typeof actions)[number]

/** The bridge's metrics, docs/METRICS.md. Labels come from fixed sets. */
export class WhatsappMetrics {
  readonly #calls: Counter<'direction' | 'outcome'>
  readonly #setup: Histogram<'direction'>
  readonly #requests: Counter<'action' | 'code'>
  readonly #webhooks: Counter<'result'>

  constructor(registry: Registry, live: WhatsappLive) {
    const registers = [registry]
    new Gauge({
      name: 'hairpin_whatsapp_calls',
      help: 'Calls at present, ringing ones included.',
      registers,
      collect() {
        this.set(live.calls())
      },
    })
    new Gauge({
      name: 'hairpin_whatsapp_agents',
      help: 'Agents who are here, by state: free, or busy in a call.',
      labelNames: ['state'],
      registers,
      collect() {
        const { here, free } = live.agents()
        this.set({ state: 'free' }, free)
        this.set({ state: 'busy' }, here - free)
      },
    })
    new Counter({
      name: 'hairpin_whatsapp_updates_total',
      help: 'News of calls in the webhooks that were taken, by what became of it.',
      labelNames: ['result'],
      registers,
      collect() {
        const { taken, duplicate, stale, nameless, passedOver } = live.updates()
        this.reset()
        this.inc({ result: 'taken' }, taken)
        this.inc({ result: 'duplicate' }, duplicate)
        this.inc({ result: 'stale' }, stale)
        this.inc({ result: 'nameless' }, nameless)
        this.inc({ result: 'passed-over' }, passedOver)
      },
    })
    this.#calls = new Counter({
      name: 'hairpin_whatsapp_calls_total',
      help: 'Calls that ended, by who began them (user: the customer) and outcome.',
      labelNames: ['direction', 'outcome'],
      registers,
    })
    for (const direction of ['user', 'business'])
      for (const outcome of outcomes) this.#calls.inc({ direction, outcome }, 0)
    this.#setup = new Histogram({
      name: 'hairpin_whatsapp_call_setup_seconds',
      help: 'From the first sign of a call to its answer, including the time until somebody picks up.',
      labelNames: ['direction'],
      buckets: [0.5, 1, 2, 5, 10, 20, 30, 45, 60],
      registers,
    })
    this.#requests = new Counter({
      name: 'hairpin_whatsapp_requests_total',
      help: 'Requests to the Graph API by action and code: ok, a code of Meta, an HTTP status, or none without an answer.',
      labelNames: ['action', 'code'],
      registers,
    })
    // A refused token shows as an increase from the first time on.
    for (const action of actions) for (const code of ['ok', '190']) this.#requests.inc({ action, code }, 0)
    this.#webhooks = new Counter({
      name: 'hairpin_whatsapp_webhooks_total',
      help: 'Webhooks, by result.',
      labelNames: ['result'],
      registers,
    })
    const results: Record<WebhookResult, true> = { taken: true, unsigned: true, busy: true, invalid: true }
    for (const result of Object.keys(results)) this.#webhooks.inc({ result }, 0)
  }

  ended(record: FinishedCall): void {
    const { direction, startedAt, answeredAt } = record
    this.#calls.inc({ direction, outcome: outcomeOf(record) })
    if (answeredAt !== undefined) this.#setup.observe({ direction }, Math.max(0, answeredAt - startedAt) / 1000)
  }

  /** @param status that the webhook was answered with */
  webhook(status: number): void {
    const result: WebhookResult =
      status < 300 ? 'taken' : status === 401 ? 'unsigned' : status === 503 ? 'busy' : 'invalid'
    this.#webhooks.inc({ result })
  }

  /** The client with its requests counted. */
  counted(graph: GraphClient): CountedGraph {
    const counted = async <T>(action: Action, under: Promise<GraphResult<T>>): Promise<GraphResult<T>> => {
      const result = await under
      this.#requests.inc({ action, code: result.ok ? 'ok' : String(result.code ?? result.status ?? 'none') })
      return result
    }
    return {
      preAccept: (id, sdp) => counted('pre_accept', graph.preAccept(id, sdp)),
      accept: (id, sdp, opaque) => counted('accept', graph.accept(id, sdp, opaque)),
      reject: (id) => counted('reject', graph.reject(id)),
      terminate: (id) => counted('terminate', graph.terminate(id)),
      connect: (to, sdp, opaque) => counted('connect', graph.connect(to, sdp, opaque)),
      permission: (user) => counted('permission', graph.permission(user)),
      requestPermission: (to, text) => counted('request_permission', graph.requestPermission(to, text)),
    }
  }
}

export type CountedGraph = Pick<
  GraphClient,
  'preAccept' | 'accept' | 'reject' | 'terminate' | 'connect' | 'permission' | 'requestPermission'
>
