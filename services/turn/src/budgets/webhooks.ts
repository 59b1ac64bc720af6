/** Tells receivers of reached marks: signed, tried again for a day, kept in a file over a restart. */
import { randomUUID } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import type { LedgerLog } from '../ledger/trouble.ts'
import { type Delivery, WebhookQueue } from './webhook-queue.ts'
import { webhookHeaders } from './webhook-signature.ts'

/** Where an app's deliveries go. */
export interface WebhookTarget {
  readonly url: string
  readonly secret: string
}

export interface WebhooksOptions {
  /** Where the queue is kept. */
  readonly path: string
  /** Asked at each attempt; without one the delivery is tried again later, as if the receiver were down. */
  readonly targetOf: (app: string) => WebhookTarget | undefined
  readonly log: LedgerLog
}

export type WebhookResult = 'delivered' | 'failed' | 'given-up'

/** Milliseconds that a receiver has to answer. */
const TIMEOUT = 10_000
/** Deliveries under way at once: a dead receiver must not hold up the others for long. */
const AT_ONCE = 8

const Stored = Type.Array(
  Type.Object({
    id: Type.String(),
    app: Type.String(),
    body: Type.String(),
    createdAt: Type.Number(),
    attempts: Type.Integer(),
    dueAt: Type.Number(),
  }),
)

export class Webhooks {
  readonly counts: Record<WebhookResult, number> = { delivered: 0, failed: 0, 'given-up': 0 }
  readonly #options: WebhooksOptions
  readonly #queue = new WebhookQueue()
  readonly #ending = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(options: WebhooksOptions) {
    this.#options = options
    for (const delivery of this.#load()) this.#queue.add(delivery)
  }

  /** Deliveries that wait. */
  get waiting(): number {
    return this.#queue.size
  }

  /** Begins with what an earlier life left. */
  start(): void {
    this.#schedule()
  }

  /** @param body JSON text */
  send(app: string, body: string): void {
    const now = Date.now()
    const given = this.#queue.add({ id: `msg_${randomUUID()}`, app, body, createdAt: now, attempts: 0, dueAt: now })
    if (given) this.#giveUp(given, 'too many wait')
    this.#save()
    this.#schedule()
  }

  /** What is under way is cut short and stays in the file. */
  close(): void {
    clearTimeout(this.#timer)
    this.#ending.abort()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#ending.signal.aborted || this.#queue.nextDue === Number.POSITIVE_INFINITY) return
    // Node's timers take 2^31 - 1 milliseconds at most.
    const delay = Math.min(Math.max(0, this.#queue.nextDue - Date.now()), 3_600_000)
    this.#timer = setTimeout(() => {
      for (const delivery of this.#queue.take(Date.now(), AT_ONCE)) void this.#attempt(delivery)
      this.#schedule()
    }, delay)
    this.#timer.unref()
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const error = await this.#post(delivery)
    if (this.#ending.signal.aborted) return
    if (error === undefined) {
      this.#queue.delivered(delivery)
      this.counts.delivered++
    } else {
      this.counts.failed++
      const { id, app } = delivery
      const again = this.#queue.failed(delivery, Date.now())
      if (again === undefined) this.#giveUp(delivery, error)
      else
        this.#options.log.warn(
          { code: 'BUDGET_WEBHOOK_FAILED', app, id, error, again: new Date(again).toISOString() },
          'a webhook was not taken and is sent again',
        )
    }
    this.#save()
    this.#schedule()
  }

  /** What went wrong, in words. */
  async #post(delivery: Delivery): Promise<string | undefined> {
    const target = this.#options.targetOf(delivery.app)
    if (!target) return 'no webhook is set for the app'
    try {
      const answer = await fetch(target.url, {
        method: 'POST',
        headers: webhookHeaders(target.secret, delivery, Math.floor(Date.now() / 1000)),
        body: delivery.body,
        redirect: 'manual',
        signal: AbortSignal.any([this.#ending.signal, AbortSignal.timeout(TIMEOUT)]),
      })
      await answer.body?.cancel()
      return answer.ok ? undefined : `status ${answer.status}`
    } catch (error) {
      const { message, cause } = error as Error
      return cause instanceof Error ? `${message}: ${cause.message}` : message
    }
  }

  #giveUp({ id, app }: Delivery, error: string): void {
    this.counts['given-up']++
    this.#options.log.warn({ code: 'BUDGET_WEBHOOK_GIVEN_UP', app, id, error }, 'a webhook is given up')
  }

  #load(): Static<typeof Stored> {
    try {
      const stored: unknown = JSON.parse(readFileSync(this.#options.path, 'utf8'))
      if (Value.Check(Stored, stored)) return stored
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    }
    this.#unkept('the file of waiting webhooks cannot be read and begins anew')
    return []
  }

  #save(): void {
    const { path } = this.#options
    try {
      const temporary = `${path}.${process.pid}`
      writeFileSync(temporary, `${JSON.stringify(this.#queue.list())}\n`, { mode: 0o600 })
      renameSync(temporary, path)
    } catch (error) {
      this.#unkept(`waiting webhooks cannot be kept over a restart: ${(error as Error).message}`)
    }
  }

  #unkept(message: string): void {
    this.#options.log.warn({ code: 'BUDGET_WEBHOOKS_UNKEPT' }, message)
  }
}
