/**
 * What a simulated customer says: a melody, and then what it hears, a second later, so that who speaks to it hears that both
 * ways work. Opus frames as they came; no I/O.
 */
import { digitPayloads } from './digits.ts'

export interface VoiceOptions {
  /** Frames of 20 ms. */
  readonly melody: readonly Buffer[]
  /** ms from hearing to saying. */
  readonly delay?: number
  /** ms of hearing nothing after which the melody plays again. */
  readonly patience?: number
}

/** One packet; `slot` counts 20 ms from the beginning and gives the timestamp. */
export interface Utterance {
  readonly payload: Buffer
  readonly slot: number
  readonly digit: boolean
  readonly marker: boolean
}

/** Frames that may wait: ten seconds. */
const LIMIT = 500
/** Slots between two keys. */
const GAP = 5

export class Voice {
  readonly #options: Required<VoiceOptions>
  /** The next frame of the melody; behind its end: it is over. */
  #at = 0
  #heard: { readonly payload: Buffer; readonly at: number }[] = []
  #lastHeard = 0
  #slot = 0
  #keys: { readonly payload: Buffer | undefined; readonly first: boolean }[] = []
  #keySlot = 0

  constructor(options: VoiceOptions) {
    this.#options = { delay: 1000, patience: 3000, ...options }
  }

  /** @param payload an Opus frame of the business; @param now ms */
  hear(payload: Buffer, now: number): void {
    this.#lastHeard = now
    // It listens when it has played: what was said meanwhile would come too late.
    if (this.#playing && this.#options.melody.length - this.#at > this.#options.delay / 20) return
    if (this.#heard.length < LIMIT) this.#heard.push({ payload, at: now })
  }

  /** Keys are pressed before anything else is said. @param digits of `0-9*#A-D` */
  press(digits: string): void {
    for (const digit of digits) {
      for (const [n, payload] of digitPayloads(digit).entries()) this.#keys.push({ payload, first: n === 0 })
      for (let n = 0; n < GAP; n++) this.#keys.push({ payload: undefined, first: false })
    }
  }

  /** What is said in the next 20 ms; undefined: nothing. */
  next(now: number): Utterance | undefined {
    const slot = this.#slot++
    const key = this.#keys.shift()
    if (key) return this.#key(key, slot)
    const payload = this.#playing ? this.#options.melody[this.#at++] : this.#echo(now)
    return payload && { payload, slot, digit: false, marker: false }
  }

  get #playing(): boolean {
    return this.#at < this.#options.melody.length
  }

  #key({ payload, first }: { payload: Buffer | undefined; first: boolean }, slot: number): Utterance | undefined {
    if (first) this.#keySlot = slot
    return payload && { payload, slot: this.#keySlot, digit: true, marker: first }
  }

  #echo(now: number): Buffer | undefined {
    const { delay, patience } = this.#options
    const [oldest] = this.#heard
    if (oldest && oldest.at + delay <= now) return this.#heard.shift()?.payload
    if (!oldest && now - this.#lastHeard > patience) this.#at = 0
    return undefined
  }
}
