/** What a person types while `hairpin whatsapp-sim` runs. */
import { type Behaviour, type Customers, isDigits, type Simulator } from '@hairpin/whatsapp-simulator'

export const promptHelp = `  call [name] [number]         a customer calls
  hangup                       the customer of the oldest call hangs up
  dtmf 123                     and presses keys
  answer | reject | ignore     what customers do from now on when the business calls
  permission accept | always | reject | ignore [number]
                               what they answer when they are asked whether it may; with a number: this one, now
  status · help · quit`

export interface PromptOptions {
  readonly simulator: Simulator
  readonly customers: Customers
  readonly quit: () => void
}

/** Numbers that Germany keeps free for films, so that nobody is called by accident. */
const DEMO_NUMBERS = 491_713_920_000
const names = ['Maria', 'Ahmed', 'Chiara', 'Joon', 'Priya', 'Tomás']

const permissions: Readonly<Record<string, Behaviour['permission']>> = {
  accept: 'accept',
  always: 'accept-permanently',
  reject: 'reject',
  ignore: 'ignore',
}

export class Prompt {
  readonly #options: PromptOptions
  #count = 0

  constructor(options: PromptOptions) {
    this.#options = options
  }

  /** @returns what to say to it */
  async line(text: string): Promise<string> {
    const [command = '', ...words] = text.trim().split(/\s+/)
    const { simulator, customers, quit } = this.#options
    const [call] = customers.live
    switch (command) {
      case '':
        return ''
      case 'call':
        return this.#call(words)
      case 'hangup':
        if (!call) return 'there is no call'
        customers.hangUp(call)
        return ''
      case 'dtmf':
        if (!isDigits(words[0] ?? '')) return 'dtmf needs keys: 0-9 * # A-D, 32 at most'
        return call && customers.press(call, words[0]!) ? '' : 'nobody has answered a call'
      case 'answer':
      case 'reject':
      case 'ignore':
        customers.behaviour = { ...customers.behaviour, answer: command }
        return `customers will ${command} when the business calls`
      case 'permission':
        return this.#permission(words)
      case 'status':
        return statusText(simulator, customers)
      case 'quit':
      case 'exit':
        quit()
        return ''
      default:
        return promptHelp
    }
  }

  /** The next customer, or the one that is named. */
  async #call(words: readonly string[]): Promise<string> {
    const n = this.#count++
    const last = words.at(-1) ?? ''
    const given = /^\+?\d{5,15}$/.test(last)
    const name = (given ? words.slice(0, -1) : words).join(' ') || names[n % names.length]!
    const number = given ? last.replace('+', '') : String(DEMO_NUMBERS + (n % 100))
    await this.#options.customers.call(name, number)
    return `${name} (+${number}) calls`
  }

  #permission([word = '', number]: readonly string[]): string {
    const permission = Object.hasOwn(permissions, word) ? permissions[word]! : undefined
    const { simulator, customers } = this.#options
    if (permission === undefined) return 'permission accept, always, reject or ignore'
    if (number === undefined) {
      customers.behaviour = { ...customers.behaviour, permission }
      return `customers who are asked will answer: ${word}`
    }
    if (!/^\d{5,15}$/.test(number) || permission === 'ignore') return 'permission accept 49171… is of one customer, now'
    const reply = { granted: permission !== 'reject', permanent: permission === 'accept-permanently' }
    simulator.answersRequest(number, reply)
    return ''
  }
}

function statusText(simulator: Simulator, customers: Customers): string {
  const { answer, permission } = customers.behaviour
  const calls = customers.live.map(({ id, name, number, answeredAt, media }) => {
    const state = answeredAt === undefined ? 'rings' : 'talks'
    return `  ${id}  ${name ?? 'customer'} ${number}  ${state}, heard ${media?.packets ?? 0} packets, ${media?.reports ?? 0} reports`
  })
  const broken = simulator.violations.length
  return [
    calls.length === 0 ? 'no calls' : `${calls.length} calls:`,
    ...calls,
    `customers ${answer} calls by the business, and answer "${permission}" when they are asked for permission`,
    broken === 0 ? 'the business has broken no rule' : `the business has broken rules ${broken} times`,
  ].join('\n')
}
