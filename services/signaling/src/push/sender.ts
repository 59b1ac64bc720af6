import type { PushEndpoint } from '@hairpin/protocol'
import type { PushBody } from '../core/output.ts'

/** What became of a push: `gone` endpoints are dropped, others are kept for the next call. */
export type PushResult = 'sent' | 'gone' | 'failed'

export interface Push {
  readonly body: PushBody
  /** How long the push service may keep it for a device that does not answer, in seconds. */
  readonly ttl: number
}

/** Sends to one kind of endpoint. Never throws. */
export interface PushSender<K extends PushEndpoint['kind'] = PushEndpoint['kind']> {
  send(endpoint: Extract<PushEndpoint, { kind: K }>, push: Push): Promise<PushAttempt>
  close?(): void
}

export interface PushAttempt {
  readonly result: PushResult
  /** For the log, of a failure: status and what the service said. Holds no token. */
  readonly reason?: string
}

/** A push that is not sent within this time is too late for a ring. */
export const sendTimeoutMs = 10_000

/** Bytes of an answer that are looked at. */
const maxAnswer = 2048

/** Posts by HTTP/1.1 or what `fetch` negotiates. A redirect is a failure: it could lead into the operator's network. */
export async function post(
  url: string,
  init: { readonly headers: Record<string, string>; readonly body: string | Buffer },
): Promise<{ status: number; text: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: init.headers,
    body: typeof init.body === 'string' ? init.body : new Uint8Array(init.body),
    redirect: 'error',
    signal: AbortSignal.timeout(sendTimeoutMs),
  })
  return { status: response.status, text: (await response.text()).slice(0, maxAnswer) }
}

export function failure(error: unknown): PushAttempt {
  const { message, cause } = error as { message?: string; cause?: { message?: string } }
  return { result: 'failed', reason: [message, cause?.message].filter(Boolean).join(': ') }
}
