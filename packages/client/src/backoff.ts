/** Says how long to wait before the attempt with this number (0 is the first), or undefined to give up. */
export type ReconnectPolicy = (attempt: number) => number | undefined

export interface BackoffOptions {
  /** Upper bound of the first wait, milliseconds. */
  readonly base?: number
  /** Upper bound of any wait, milliseconds. */
  readonly max?: number
  /** Attempts before giving up; endless by default. */
  readonly attempts?: number
  /** [0, 1) */
  readonly random?: () => number
}

/**
 * Exponential back-off with equal jitter: between half of the bound and the bound, so that a restarted server is not met by
 * all its clients in the same instant and yet nobody hammers it.
 */
export function backoff(options: BackoffOptions = {}): ReconnectPolicy {
  const { base = 500, max = 15_000, attempts = Number.POSITIVE_INFINITY, random = Math.random } = options
  return (attempt) => {
    if (attempt >= attempts) return undefined
    const bound = Math.min(max, base * 2 ** Math.min(attempt, 20))
    return Math.round(bound / 2 + (random() * bound) / 2)
  }
}
