import type { Trouble } from '@hairpin/checks'

/** Thrown within the driver, told as a fact at its edge. */
export class TroubleError extends Error {
  readonly trouble: Trouble

  constructor(trouble: Trouble) {
    super(trouble.text)
    this.name = 'TroubleError'
    this.trouble = trouble
  }
}

/** The relay said no, with a STUN error. */
export class RefusedError extends Error {
  readonly code: number

  constructor(code: number, reason: string) {
    super(reason)
    this.name = 'RefusedError'
    this.code = code
  }
}

const kinds: Readonly<Record<string, Trouble['kind']>> = {
  ENOTFOUND: 'name',
  EAI_AGAIN: 'name',
  EAI_NODATA: 'name',
  EAI_NONAME: 'name',
  EAI_FAIL: 'name',
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  ESOCKETTIMEDOUT: 'timeout',
  ABORT_ERR: 'timeout',
  EPROTO: 'tls',
}

/** What an error of Node's sockets, names or TLS means. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof TroubleError) return error.trouble
  const { code = '', message = String(error), name } = (error ?? {}) as NodeJS.ErrnoException
  // Both addresses of a name were tried: the first error says enough.
  const first = error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException | undefined) : undefined
  const text = first?.message || message || code
  if (name === 'TimeoutError') return { kind: 'timeout', text: 'no answer in time' }
  return { kind: kinds[code] ?? (/^ERR_(SSL|TLS)/.test(code) ? 'tls' : 'unreachable'), text }
}

export function timeout(what: string, milliseconds: number): TroubleError {
  return new TroubleError({ kind: 'timeout', text: `${what} within ${milliseconds / 1000} s` })
}

/** Rejects when the time is over. What goes on behind it is the caller's to end. */
export async function within<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(timeout(what, milliseconds)), milliseconds)
  try {
    return await Promise.race([work, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
