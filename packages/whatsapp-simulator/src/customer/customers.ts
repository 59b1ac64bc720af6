/** The people at the other end: they call, answer, speak, press keys and hang up. */
import type { SimulatedCall } from '../call.ts'
import { Phone } from '../media/phone.ts'
import type { Simulator } from '../simulator.ts'
import { Handset } from './handset.ts'
import type { VoiceOptions } from './voice.ts'

export interface Behaviour {
  /** What becomes of a call by the business. `ignore`: it rings until the business gives up. */
  readonly answer: 'answer' | 'reject' | 'ignore'
  /** ms that it rings first. */
  readonly ringFor: number
  /** What becomes of a request for permission to call. */
  readonly permission: 'accept' | 'accept-permanently' | 'reject' | 'ignore'
}

export const defaultBehaviour: Behaviour = { answer: 'answer', ringFor: 3000, permission: 'accept' }

export interface CustomersOptions {
  readonly simulator: Simulator
  /** Of the phones' UDP. */
  readonly host?: string
  readonly behaviour?: Partial<Behaviour>
  /** What they say, and how soon they say back what they hear. */
  readonly voice?: Partial<VoiceOptions>
  /** ms before a permission request is answered. */
  readonly thinkFor?: number
  readonly onDigit?: (call: SimulatedCall, digit: string) => void
  /** Something of ours failed, as media that could not be set up. */
  readonly onError?: (error: unknown) => void
}

interface Talk {
  readonly phone: Phone
  readonly handset: Handset
  /** The phone has the business's answer. */
  joined: boolean
}

export class Customers {
  behaviour: Behaviour
  readonly #options: CustomersOptions
  readonly #talks = new Map<SimulatedCall, Talk>()
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor(options: CustomersOptions) {
    this.#options = options
    this.behaviour = { ...defaultBehaviour, ...options.behaviour }
    options.simulator.on((event) => {
      switch (event.type) {
        case 'pre-accepted':
          this.#join(event.call)
          break
        case 'answered':
          this.#join(event.call)
          this.#talks.get(event.call)?.handset.start()
          break
        case 'business-calls':
          this.#attempt(this.#called(event.call))
          break
        case 'permission-asked':
          this.#asked(event.number)
          break
        case 'ended':
          this.#attempt(this.#hungUp(event.call))
      }
    })
  }

  /** Calls that are not over, the oldest first. */
  get live(): readonly SimulatedCall[] {
    return [...this.#options.simulator.calls.values()].filter(({ ended }) => !ended)
  }

  /** A customer calls the business. */
  async call(name: string, number: string): Promise<SimulatedCall> {
    const talk = this.#newTalk(() => call)
    const offer = await talk.phone.offer()
    const call: SimulatedCall = this.#options.simulator.userCalls(number, name, offer)
    this.#begin(call, talk)
    return call
  }

  hangUp(call: SimulatedCall): void {
    this.#options.simulator.ends(call)
  }

  /** @returns false when nobody speaks in this call */
  press(call: SimulatedCall, digits: string): boolean {
    const handset = call.answeredAt === undefined ? undefined : this.#talks.get(call)?.handset
    handset?.press(digits)
    return handset !== undefined
  }

  /** Ends all calls. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    const phones = [...this.#talks.values()].map(({ phone }) => phone)
    for (const call of this.live) this.hangUp(call)
    await Promise.all(phones.map((phone) => phone.close()))
  }

  async #called(call: SimulatedCall): Promise<void> {
    const talk = this.#newTalk(() => call)
    talk.joined = true
    this.#begin(call, talk)
    const { simulator } = this.#options
    const answer = await talk.phone.answer(call.sdp ?? '')
    simulator.phoneConnects(call, answer)
    simulator.status(call, 'RINGING')
    const { answer: does, ringFor } = this.behaviour
    if (does !== 'ignore')
      this.#later(ringFor, () => simulator.status(call, does === 'answer' ? 'ACCEPTED' : 'REJECTED'))
  }

  #asked(number: string): void {
    const { permission } = this.behaviour
    if (permission === 'ignore') return
    const reply = { granted: permission !== 'reject', permanent: permission === 'accept-permanently' }
    this.#later(this.#options.thinkFor ?? 1000, () => this.#options.simulator.answersRequest(number, reply))
  }

  #newTalk(callOf: () => SimulatedCall): Talk {
    const { host, voice } = this.#options
    const phone = new Phone({ keep: false, ...(host === undefined ? {} : { hosts: [host] }) })
    const onDigit = (digit: string) => this.#options.onDigit?.(callOf(), digit)
    const handset = new Handset({ phone, onDigit, ...(voice && { voice }) })
    return { phone, handset, joined: false }
  }

  #begin(call: SimulatedCall, talk: Talk): void {
    this.#talks.set(call, talk)
    this.#options.simulator.watch(call, talk.phone)
  }

  #join(call: SimulatedCall): void {
    const talk = this.#talks.get(call)
    if (!talk || talk.joined || call.sdp === undefined) return
    talk.joined = true
    this.#attempt(talk.phone.join(call.sdp))
  }

  async #hungUp(call: SimulatedCall): Promise<void> {
    const talk = this.#talks.get(call)
    this.#talks.delete(call)
    talk?.handset.stop()
    await talk?.phone.close()
  }

  #attempt(work: Promise<void>): void {
    work.catch((error) => this.#options.onError?.(error))
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
  }
}
