/** Who may be called, and asked: the documented limits for each customer. */

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Country codes whose numbers cannot call customers: US and Canada, Egypt, Vietnam, Nigeria. */
const NO_BUSINESS_CALLS = ['1', '20', '84', '234']

interface Customer {
  grant: 'no_permission' | 'temporary' | 'permanent'
  until: number
  requests: number[]
  connected: number[]
  unanswered: number
}

export class Permissions {
  readonly #customers = new Map<string, Customer>()
  readonly #now: () => number
  readonly #businessNumber: string

  constructor(businessNumber: string, now: () => number) {
    this.#businessNumber = businessNumber
    this.#now = now
  }

  grant(number: string, permanent = false): void {
    const customer = this.#of(number)
    customer.grant = permanent ? 'permanent' : 'temporary'
    customer.until = this.#now() + 7 * DAY
    customer.unanswered = 0
  }

  revoke(number: string): void {
    this.#of(number).grant = 'no_permission'
  }

  granted(number: string): boolean {
    return this.#status(number) !== 'no_permission'
  }

  /** ms since 1970 when a temporary permission ends. */
  grantedUntil(number: string): number {
    return this.#of(number).until
  }

  /** Meta's code of why this customer cannot be called; undefined: go ahead. */
  refusalOfCall(number: string): number | undefined {
    if (NO_BUSINESS_CALLS.some((code) => this.#businessNumber.startsWith(code))) return 138013
    if (this.#status(number) === 'no_permission') return 138006
    return this.#recent(this.#of(number).connected, DAY) >= 100 ? 138012 : undefined
  }

  refusalOfRequest(number: string): number | undefined {
    const { requests } = this.#of(number)
    if (this.#status(number) === 'permanent') return 138017
    return this.#recent(requests, DAY) >= 1 || this.#recent(requests, 7 * DAY) >= 2 ? 138009 : undefined
  }

  asked(number: string): void {
    this.#of(number).requests.push(this.#now())
  }

  /** A call ended. Four in a row that nobody answered take the permission away; an answered one allows asking again. */
  called(number: string, answered: boolean): void {
    const customer = this.#of(number)
    if (answered) {
      customer.connected.push(this.#now())
      customer.requests = []
      customer.unanswered = 0
    } else if (++customer.unanswered >= 4) customer.grant = 'no_permission'
  }

  /** The body of `GET /call_permissions`. */
  describe(number: string) {
    const status = this.#status(number)
    const { until, requests, connected } = this.#of(number)
    const seconds = (ms: number) => Math.floor(ms / 1000)
    const limit = (time_period: string, times: number[], span: number, max_allowed: number) => {
      const current_usage = this.#recent(times, span)
      const limit_expiration_time = seconds((times.at(-max_allowed) ?? 0) + span)
      return { time_period, max_allowed, current_usage, ...(current_usage >= max_allowed && { limit_expiration_time }) }
    }
    return {
      messaging_product: 'whatsapp',
      permission: { status, ...(status === 'temporary' && { expiration_time: seconds(until) }) },
      actions: [
        {
          action_name: 'send_call_permission_request',
          can_perform_action: this.refusalOfRequest(number) === undefined,
          limits: [limit('PT24H', requests, DAY, 1), limit('P7D', requests, 7 * DAY, 2)],
        },
        {
          action_name: 'start_call',
          can_perform_action: this.refusalOfCall(number) === undefined,
          limits: [limit('PT24H', connected, DAY, 100)],
        },
      ],
    }
  }

  #status(number: string): Customer['grant'] {
    const { grant, until } = this.#of(number)
    return grant === 'temporary' && until <= this.#now() ? 'no_permission' : grant
  }

  #recent(times: readonly number[], span: number): number {
    return times.filter((time) => time > this.#now() - span).length
  }

  #of(number: string): Customer {
    let customer = this.#customers.get(number)
    if (!customer) {
      customer = { grant: 'no_permission', until: 0, requests: [], connected: [], unanswered: 0 }
      this.#customers.set(number, customer)
    }
    return customer
  }
}
