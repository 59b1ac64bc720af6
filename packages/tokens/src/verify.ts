import { decodeJwt, decodeProtectedHeader, errors, type JWTVerifyOptions, jwtVerify } from 'jose'
import { type Identity, readClaims } from './claims.ts'
import { TokenError } from './errors.ts'
import type { TokenKeys } from './keys.ts'

const maxLength = 8192
/** A shared secret and a public key must never be taken for one another: each kind has its own algorithms. */
const publicKeyAlgorithms = ['EdDSA', 'Ed25519', 'ES256', 'RS256']

/** Seconds that "not before" may lie ahead: the clocks of two servers differ. */
const clockTolerance = 30

/**
 * Who the bearer of a token is.
 * @throws TokenError
 */
export async function verifySignalingToken(
  token: string,
  keys: TokenKeys,
  now: number = Date.now(),
): Promise<Identity> {
  if (token.length > maxLength) throw new TokenError('SIG_TOKEN_INVALID', 'The token is too long.')
  try {
    const identity = await verify(token, keys, new Date(now))
    if (identity.expiresAt <= now) throw new TokenError('SIG_TOKEN_EXPIRED', 'The token is expired.')
    return identity
  } catch (error) {
    throw asTokenError(error)
  }
}

async function verify(token: string, keys: TokenKeys, currentDate: Date): Promise<Identity> {
  // Both are unverified: they choose the key, and the key decides.
  const { alg } = decodeProtectedHeader(token)
  const { app } = decodeJwt(token)
  const named = typeof app === 'string' ? app : undefined
  const options: JWTVerifyOptions = { currentDate, clockTolerance, requiredClaims: ['exp', 'sub'] }
  return alg === 'HS256' ? bySecret(token, keys, named, options) : byPublicKey(token, keys, named, options)
}

async function bySecret(token: string, keys: TokenKeys, app: string | undefined, options: JWTVerifyOptions) {
  if (app === undefined) throw new TokenError('SIG_TOKEN_INVALID', 'A token signed by a secret names its "app".')
  return firstOf(keys.secretsOf(app), async (secret) => {
    const { payload } = await jwtVerify(token, secret, { ...options, algorithms: ['HS256'] })
    return readClaims(payload, app)
  })
}

async function byPublicKey(token: string, keys: TokenKeys, app: string | undefined, options: JWTVerifyOptions) {
  const strict = {
    ...options,
    algorithms: publicKeyAlgorithms,
    ...(keys.issuer === undefined ? {} : { issuer: keys.issuer }),
    ...(keys.audience === undefined ? {} : { audience: keys.audience }),
  }
  return firstOf(keys.sourcesFor(app), async (source) => {
    const { payload } = await jwtVerify(token, source.keys, strict)
    return readClaims(payload, source.app)
  })
}

/** The first key that verifies the token decides; else the error that tells most. */
async function firstOf<K>(candidates: readonly K[], attempt: (key: K) => Promise<Identity>): Promise<Identity> {
  let best: unknown = new TokenError('SIG_TOKEN_INVALID', 'No key is known for the app and algorithm of this token.')
  for (const candidate of candidates) {
    try {
      return await attempt(candidate)
    } catch (error) {
      if (!isWrongKey(error)) throw error
      if (!(best instanceof TokenError) || best.code !== 'SIG_TOKEN_KEYS_UNAVAILABLE') best = error
    }
  }
  throw best
}

/** The token may still be another key's. */
function isWrongKey(error: unknown): boolean {
  return (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    (error instanceof TokenError && error.code === 'SIG_TOKEN_KEYS_UNAVAILABLE')
  )
}

function asTokenError(error: unknown): TokenError {
  if (error instanceof TokenError) return error
  if (error instanceof errors.JWTExpired) return new TokenError('SIG_TOKEN_EXPIRED', 'The token is expired.')
  // jose's messages tell of claims and headers by name, never of their values.
  const reason = error instanceof errors.JOSEError ? error.message : 'it is not a signed JSON Web Token'
  return new TokenError('SIG_TOKEN_INVALID', `The token is not valid: ${reason}.`, { cause: error })
}
