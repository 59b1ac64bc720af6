import type { Phone } from '../media/phone.ts'
import { endedDigit } from './digits.ts'
import { melody } from './melody.ts'
import { Voice, type VoiceOptions } from './voice.ts'

/** ms of a frame, and what it is in Opus' clock of 48 kHz. */
const [FRAME, STEP] = [20, 960]
/** Frames sent at a stretch when the timer was late; what is later than that is left out. */
const BURST = 10

export interface HandsetOptions {
  readonly phone: Phone
  /** The business has pressed a key. */
  readonly onDigit: (digit: string) => void
  readonly voice?: Partial<VoiceOptions>
}

/** Speaks into a phone, 50 times a second, from `start` to `stop`. */
export class Handset {
  readonly #phone: Phone
  readonly #voice: Voice
  readonly #base = Math.floor(Math.random() * 0xffff_ffff)
  #timer: NodeJS.Timeout | undefined
  #pressed = -1

  constructor({ phone, onDigit, voice }: HandsetOptions) {
    this.#phone = phone
    this.#voice = new Voice({ melody: melody(), ...voice })
    phone.on({
      onRtp: ({ header, payload }) => {
        if (header.payloadType === phone.opus) this.#voice.hear(payload, Date.now())
        const digit = header.payloadType === 126 ? endedDigit(payload) : undefined
        // The end of a key comes three times, with one timestamp.
        if (digit === undefined || header.timestamp === this.#pressed) return
        this.#pressed = header.timestamp
        onDigit(digit)
      },
    })
  }

  start(): void {
    if (this.#timer) return
    let due = Date.now()
    this.#timer = setInterval(() => {
      const now = Date.now()
      due = Math.max(due, now - BURST * FRAME)
      for (; due <= now; due += FRAME) this.#say(now)
    }, FRAME)
  }

  press(digits: string): void {
    this.#voice.press(digits)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #say(now: number): void {
    if (!this.#phone.connected) return
    const utterance = this.#voice.next(now)
    if (!utterance) return
    const { payload, slot, digit, marker } = utterance
    const header = { timestamp: (this.#base + slot * STEP) >>> 0, marker, ...(digit && { payloadType: 126 }) }
    // It fails when the connection closes meanwhile.
    this.#phone.send(payload, header).catch(() => {})
  }
}
