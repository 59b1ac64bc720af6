/** What the documents leave open, and the times they name. Where they contradict each other, each reading is a setting. */

export interface Rules {
  /**
   * Is `accept` taken without a `pre_accept` before it? The reference says that it may be left out, other articles that the
   * request is refused then.
   */
  readonly acceptAlone: boolean
  /** Does `terminate` end a customer's call that was not accepted? Some say that only `reject` does. */
  readonly terminateUnaccepted: boolean
  /** What starts the customer's timer: `accept` alone, or the first media packet too if it is earlier. */
  readonly answeredBy: 'accept' | 'accept-or-media'
  /** What media before the 200 of `accept` does: the caller is connected to silence or loses the call. Always a violation. */
  readonly earlyMedia: 'record' | 'end'
  /** The codes of a call that ends for want of media; the documents name the three codes and not where each belongs. */
  readonly silenceCodes: SilenceCodes
}

export interface SilenceCodes {
  /** Neither RTP nor RTCP ever came. */
  readonly never: number
  /** Some came, and then no more. */
  readonly stopped: number
  /** The connection itself was closed or lost, so nothing can be sent either. */
  readonly lost: number
}

export const defaultRules: Rules = {
  acceptAlone: false,
  terminateUnaccepted: true,
  answeredBy: 'accept',
  earlyMedia: 'record',
  silenceCodes: { never: 138023, stopped: 138021, lost: 138022 },
}

/** ms. */
export interface Times {
  /** That the business may be silent after the call was answered, and later. */
  readonly firstMedia: number
  readonly media: number
  /** That a customer's call rings; the documents say 30 to 60 s. */
  readonly ring: number
  /** That a call of the business rings; the documents name none. */
  readonly ringOut: number
}

export const defaultTimes: Times = {
  firstMedia: 20_000,
  media: 30_000,
  ring: 60_000,
  ringOut: Number.POSITIVE_INFINITY,
}

/** The forms in which the same news is documented or was seen. */
export interface WebhookForms {
  readonly completed: 'COMPLETED' | 'Completed'
  /** `contacts` may be missing. */
  readonly contacts: boolean
  /** One sample has `from` and `to` the other way round. */
  readonly swapped: boolean
  /** Usernames of 2026: `user_id` beside the phone fields, or instead of them. */
  readonly users: 'phone' | 'both' | 'user-id'
  /** Where a connect has its SDP: `session`, or the older `connection.webrtc` (of answers), or both. */
  readonly sdpAt: 'session' | 'connection' | 'both'
  /** Where a terminate has its errors: beside `calls`, or within the call. */
  readonly errorsAt: 'value' | 'call'
  /** Escaped slashes and letters in the JSON: bytes that a parser and a printer do not give back. */
  readonly escaped: boolean
}

export const defaultForms: WebhookForms = {
  completed: 'COMPLETED',
  contacts: true,
  swapped: false,
  users: 'phone',
  sdpAt: 'session',
  errorsAt: 'value',
  escaped: true,
}
