/** Posts webhooks to the business as Meta does: a time limit, and again later when the answer is not 200. */
import { setTimeout as after } from 'node:timers/promises'

export interface SenderOptions {
  /** `http://127.0.0.1:8080/call-events`. */
  readonly url: string
  /** ms for an answer; Meta waits about 20 s. */
  readonly timeout?: number
  /** ms before a webhook is sent again, doubled each time; Meta goes on for seven days. */
  readonly retryDelay?: number
  readonly attempts?: number
  /** Told of each attempt; no status: there was no answer. */
  readonly onAttempt?: (status: number | undefined, attempt: number) => void
}

export type Verification = 'verified' | 'unreachable' | { readonly refused: string }

export class WebhookSender {
  readonly #options: Required<SenderOptions>
  readonly #ending = new AbortController()
  readonly #closing = new AbortController()
  readonly #pending = new Set<Promise<void>>()

  constructor(options: SenderOptions) {
    this.#options = { timeout: 20_000, retryDelay: 1000, attempts: 8, onAttempt: () => {}, ...options }
  }

  /** The handshake by which Meta learns that the address is the business's. */
  async verify(verifyToken: string, challenge = String(Date.now())): Promise<Verification> {
    const url = new URL(this.#options.url)
    const query = { 'hub.mode': 'subscribe', 'hub.challenge': challenge, 'hub.verify_token': verifyToken }
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    const reply = await this.#fetch(url, {})
    if (!reply) return 'unreachable'
    const text = await reply.text().catch(() => '')
    if (reply.status === 200 && text === challenge) return 'verified'
    return { refused: reply.status === 200 ? 'the answer is not the bare challenge' : `HTTP ${reply.status}` }
  }

  deliver(body: Buffer, signature: string): void {
    const pending = this.#deliver(body, signature).finally(() => this.#pending.delete(pending))
    this.#pending.add(pending)
  }

  /** Waits until all is delivered or given up. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  /** What waits to be sent again is dropped; what is under way gets two seconds. */
  async close(): Promise<void> {
    this.#closing.abort()
    const late = setTimeout(() => this.#ending.abort(), 2000)
    await this.idle()
    clearTimeout(late)
    this.#ending.abort()
  }

  async #deliver(body: Buffer, signature: string): Promise<void> {
    const { attempts, retryDelay, onAttempt } = this.#options
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature }
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const reply = await this.#fetch(this.#options.url, { method: 'POST', headers, body: new Uint8Array(body) })
      await reply?.body?.cancel()
      onAttempt(reply?.status, attempt)
      if (reply?.status === 200 || attempt === attempts) return
      const waiting = { signal: this.#closing.signal, ref: false }
      await after(retryDelay * 2 ** (attempt - 1), undefined, waiting).catch(() => {})
      if (this.#closing.signal.aborted) return
    }
  }

  async #fetch(url: string | URL, init: RequestInit): Promise<Response | undefined> {
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(this.#options.timeout)])
    try {
      return await fetch(url, { ...init, signal, redirect: 'manual' })
    } catch {
      return undefined
    }
  }
}
