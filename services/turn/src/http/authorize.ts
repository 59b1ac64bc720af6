/** Who asks: the Bearer of an API key, of the stack's internal key, or of a signaling token. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Secrets } from '@hairpin/config'
import { HttpError } from '@hairpin/http'
import { TokenError, type TokenKeys, verifySignalingToken } from '@hairpin/tokens'
import type { FastifyRequest } from 'fastify'

export interface Caller {
  /** Undefined: the internal key, which may speak for any app. */
  readonly app: string | undefined
  /** Of a token: the only user it may speak for. */
  readonly user?: string
}

/** @throws HttpError 401, or 503 when a token cannot be verified now */
export type Authorize = (request: FastifyRequest) => Promise<Caller>

export interface AuthorizeOptions {
  readonly secrets: Pick<Secrets, 'apiKeys' | 'internalKey'>
  /** Accepts signaling tokens too. */
  readonly tokens?: TokenKeys
}

export function authorizer({ secrets, tokens }: AuthorizeOptions): Authorize {
  let callers = callersOf(secrets)
  const what = tokens?.any ? 'API key or signaling token' : 'API key'
  return async (request) => {
    if (callers.keys !== secrets.apiKeys || callers.internalKey !== secrets.internalKey) callers = callersOf(secrets)
    const bearer = /^Bearer +([^\s]+) *$/i.exec(request.headers.authorization ?? '')?.[1]
    const digest = sha256(bearer ?? '')
    let found: Caller | undefined
    // All keys are compared, digest with digest: the time tells neither whether nor how much of one matched.
    for (const { app, digest: known } of callers.list) if (timingSafeEqual(known, digest)) found = { app }
    if (bearer === undefined) throw refusal(`Send a valid ${what}: "Authorization: Bearer <it>".`)
    if (found) return found
    if (tokens?.any && bearer.split('.').length === 3) return holderOf(bearer, tokens)
    throw refusal(`Send a valid ${what}: "Authorization: Bearer <it>".`, 'TURN_UNAUTHORIZED', invalidToken)
  }
}

/** The secrets may change while the service runs; the digests are made when they do. */
function callersOf({ apiKeys, internalKey }: AuthorizeOptions['secrets']) {
  const list = [
    ...apiKeys.map(({ app, key }) => ({ app, digest: sha256(key) })),
    { app: undefined, digest: sha256(internalKey) },
  ]
  return { keys: apiKeys, internalKey, list }
}

async function holderOf(token: string, keys: TokenKeys): Promise<Caller> {
  try {
    const { app, user } = await verifySignalingToken(token, keys)
    return { app, user }
  } catch (error) {
    if (!(error instanceof TokenError)) throw error
    if (error.code === 'SIG_TOKEN_KEYS_UNAVAILABLE') throw new HttpError(503, error.code, error.message)
    throw refusal(error.message, error.code, invalidToken)
  }
}

/** RFC 6750 section 3.1. */
const invalidToken = ', error="invalid_token"'

function refusal(message: string, code = 'TURN_UNAUTHORIZED', reason = ''): HttpError {
  return new HttpError(401, code, message, { 'www-authenticate': `Bearer realm="hairpin"${reason}` })
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
