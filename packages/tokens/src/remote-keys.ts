import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose'
import { TokenError } from './errors.ts'

export interface RemoteKeysOptions {
  readonly fetch?: typeof globalThis.fetch
  /** ms since 1970. */
  readonly now?: () => number
}

/** How long a fetch may take. */
const timeoutMs = 5_000
/** Keys are fetched anew after this long. */
const freshMs = 600_000
/** An unknown key id has the keys fetched anew, but not more often than this. */
const cooldownMs = 30_000
/** After a failure the provider is left alone for this long. */
const failureMs = 5_000
/** While the provider does not answer, the keys it gave last count for this long. */
const staleMs = 24 * 3_600_000

/** These errors say something about the token; all others are the provider's. */
const verdicts = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported]

/** The keys at a JWKS URL: kept, fetched anew when they are old or a token names an unknown one, and borrowed while the provider is down. */
export function remoteKeys(url: string, options: RemoteKeysOptions = {}): JWTVerifyGetKey {
  const now = options.now ?? (() => Date.now())
  const fetch = options.fetch ?? globalThis.fetch
  let failedAt = Number.NEGATIVE_INFINITY
  let fetchedAt = Number.NEGATIVE_INFINITY

  const guarded: typeof fetch = async (...args) => {
    if (now() - failedAt < failureMs) throw new Error('the last fetch failed a moment ago')
    try {
      const response = await fetch(...args)
      if (response.status !== 200) throw new Error(`status ${response.status}`)
      fetchedAt = now()
      return response
    } catch (error) {
      failedAt = now()
      throw error
    }
  }
  const remote = createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: freshMs,
    [customFetch]: guarded as never,
  })

  return async (header, token) => {
    try {
      return await remote(header, token)
    } catch (error) {
      if (verdicts.some((verdict) => error instanceof verdict)) throw error
      const last = remote.jwks()
      if (last !== undefined && now() - fetchedAt < staleMs) {
        const key = await createLocalJWKSet(last)(header, token).catch(() => undefined)
        if (key !== undefined) return key
      }
      throw new TokenError(
        'SIG_TOKEN_KEYS_UNAVAILABLE',
        'The keys that would verify this token cannot be fetched now.',
        {
          cause: error,
        },
      )
    }
  }
}
