/** Posts webhooks to the business as Meta does: a time limit, and again later when the answer is not 200. */

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
  readonly #timers = new Set<NodeJS.Timeout>()
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
    this.#attempt(body, signature, 1)
  }

  /** Waits for what is under way; what waits to be sent again is dropped. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    const late = setTimeout(() => this.#ending.abort(), 2000)
    await Promise.all(this.#pending)
    clearTimeout(late)
    this.#ending.abort()
  }

  #attempt(body: Buffer, signature: string, attempt: number): void {
    const pending = this.#post(body, signature, attempt).finally(() => this.#pending.delete(pending))
    this.#pending.add(pending)
  }

  async #post(body: Buffer, signature: string, attempt: number): Promise<void> {
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature }
    const reply = await this.#fetch(this.#options.url, { method: 'POST', headers, body: new Uint8Array(body) })
    await reply?.body?.cancel()
    this.#options.onAttempt(reply?.status, attempt)
    const { attempts, retryDelay } = this.#options
    if (reply?.status === 200 || attempt >= attempts || this.#ending.signal.aborted) return
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        this.#attempt(body, signature, attempt + 1)
      },
      retryDelay * 2 ** (attempt - 1),
    )
    timer.unref()
    this.#timers.add(timer)
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
