import type { Rules, Times, WebhookForms } from './rules.ts'

export interface SimulatorOptions {
  readonly phoneNumberId: string
  /** Digits of the business's number. */
  readonly businessNumber?: string
  readonly accessToken: string
  readonly appSecret: string
  /** Gets every webhook, signed. */
  readonly deliver: (body: Buffer, signature: string) => unknown
  /** ms since 1970. */
  readonly now?: () => number
  readonly rules?: Partial<Rules>
  readonly times?: Partial<Times>
  readonly forms?: Partial<WebhookForms>
  /** ms before the Graph API answers; by the kind of request if it is a function. */
  readonly latency?: number | ((kind: string) => number)
  /** Calls at once that the number may have; 1000 by the documents. */
  readonly concurrent?: number
}
