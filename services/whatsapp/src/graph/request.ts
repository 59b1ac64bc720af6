/** One request to the Graph API: a bounded time, a bounded answer, a failure instead of an exception. */
import { type CallReason, reasonOf } from '../core/reasons.ts'

export interface GraphFailure {
  readonly ok: false
  readonly reason: CallReason
  /** Meta's error code, if its answer had one. */
  readonly code: number | undefined
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined
  /** For the log; never holds the access token. */
  readonly message: string
  /** Meta's id of the request, which its support asks for. */
  readonly trace: string | undefined
  /** Meta may have done it all the same: the answer was lost, or was its own failure. */
  readonly uncertain: boolean
}

export type GraphResult<T> = { readonly ok: true; readonly value: T } | GraphFailure

export interface GraphRequest {
  readonly method: 'GET' | 'POST'
  /** Absolute. */
  readonly url: string
  readonly token: string
  readonly body?: unknown
  /** ms for the whole exchange. */
  readonly timeout: number
  readonly signal: AbortSignal
}

/** Bytes of an answer that are read; Meta's are some hundred. */
const ANSWER_LIMIT = 256 * 1024

export async function graphRequest(request: GraphRequest): Promise<GraphResult<unknown>> {
  const { method, url, token, body, timeout, signal } = request
  try {
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // The token must not follow a redirection to wherever.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    })
    const answer = parse(await readText(response))
    return response.ok && answer !== undefined ? { ok: true, value: answer } : refusal(response.status, answer)
  } catch (error) {
    return failure(error)
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > ANSWER_LIMIT) throw new Error('the answer is too long')
  }
  return text
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Meta's error body: `{"error":{"message","type","code","fbtrace_id","error_data":{"details"}}}`. */
function refusal(status: number, answer: unknown): GraphFailure {
  const error = field(answer, 'error')
  const code = field(error, 'code')
  const details = field(field(error, 'error_data'), 'details')
  const trace = field(error, 'fbtrace_id')
  const words = [field(error, 'message'), details].filter((part) => typeof part === 'string' && part !== '')
  const known = typeof code === 'number' ? code : undefined
  return {
    ok: false,
    reason: reasonOf(known, status),
    code: known,
    status,
    message: (words.join(': ') || `HTTP status ${status}`).slice(0, 500),
    trace: typeof trace === 'string' ? trace : undefined,
    uncertain: status >= 500 || status < 300,
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

/** System errors before a connection was there: the request surely did not arrive. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

function failure(error: unknown): GraphFailure {
  const { message, cause, name } = error as Error
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return {
    ok: false,
    reason: 'unreachable',
    code: undefined,
    status: undefined,
    message: name === 'TimeoutError' ? 'no answer in time' : [message, code].filter(Boolean).join(': '),
    trace: undefined,
    uncertain: code === undefined || !NEVER_SENT.has(code),
  }
}
