import { signatureOf } from './signature.ts'

/** One entry of `changes`. */
export interface Change {
  readonly field: 'calls' | 'messages'
  readonly value: Record<string, unknown>
}

export interface OutboxOptions {
  readonly appSecret: string
  /** JSON with the escapes that PHP makes. */
  readonly escaped: boolean
  readonly deliver: (body: Buffer, signature: string) => unknown
}

export interface Release {
  /** `reversed`: the latest first, as when a terminate overtakes its connect. */
  readonly order?: 'kept' | 'reversed'
  /** Many changes in one POST, up to Meta's 1000. */
  readonly together?: boolean
  /** How often each POST is made. */
  readonly copies?: number
}

/** Updates in one POST (documented). */
const BATCH = 1000

/** News on its way to the business: signed as it is sent, or held back and then sent in another order or number. */
export class Outbox {
  readonly #options: OutboxOptions
  #held: Change[] | undefined

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  add(change: Change): void {
    if (this.#held) this.#held.push(change)
    else this.#send([change])
  }

  hold(): void {
    this.#held ??= []
  }

  release({ order = 'kept', together = false, copies = 1 }: Release = {}): void {
    const held = this.#held ?? []
    this.#held = undefined
    const changes = order === 'reversed' ? held.reverse() : held
    const size = together ? BATCH : 1
    for (let from = 0; from < changes.length; from += size)
      for (let copy = 0; copy < copies; copy++) this.#send(changes.slice(from, from + size))
  }

  #send(changes: readonly Change[]): void {
    const event = { object: 'whatsapp_business_account', entry: [{ id: '102290129340398', changes }] }
    const text = JSON.stringify(event)
    const body = Buffer.from(this.#options.escaped ? escapedJson(text) : text)
    this.#options.deliver(body, signatureOf(body, this.#options.appSecret))
  }
}

function escapedJson(json: string): string {
  const unit = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return json.replaceAll('/', '\\/').replace(/[\u0080-\uffff]/g, unit)
}
