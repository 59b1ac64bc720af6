/** Who asks: the holder of an API key, of the stack's internal key, or of a signaling token. */
import { HttpError } from '@hairpin/http'
import { TokenError, type TokenKeys, verifySignalingToken } from '@hairpin/tokens'
import type { FastifyRequest } from 'fastify'
import type { KeyRing } from './key-ring.ts'
import type { ApiLimits } from './limits.ts'

export interface Caller {
  /** Undefined: the internal key, which may speak for any app. */
  readonly app: string | undefined
  /** Of a token: the only user it may speak for. */
  readonly user?: string
}

/** A caller who can ask for his own app only. */
export interface AppCaller extends Caller {
  readonly app: string
}

/** @throws HttpError 401, 429, or 503 when a token cannot be verified now */
export type Authorize = (request: FastifyRequest) => Promise<Caller>

export interface AuthorizeOptions {
  readonly keys: Pick<KeyRing, 'find'>
  /** Accepts signaling tokens too. */
  readonly tokens?: TokenKeys | undefined
  readonly limits?: ApiLimits | undefined
}

const callers = new WeakMap<FastifyRequest, Caller>()

/** Who was let in with this request; undefined before and otherwise. */
export function callerOf(request: FastifyRequest): Caller | undefined {
  return callers.get(request)
}

/** Lets in who sends `Authorization: Bearer` with something that counts. */
export function authorizer(options: AuthorizeOptions): Authorize {
  const { keys, tokens, limits } = options
  const advice = `Send a valid ${tokens?.any ? 'API key or signaling token' : 'API key'}: "Authorization: Bearer <it>".`
  return async (request) => {
    const bearer = bearerOf(request)
    const holder = bearer === undefined ? undefined : keys.find(bearer)
    if (holder) {
      // The stack's own services are as many as their users.
      if (holder.app !== undefined) await limits?.byKey(request, holder.key)
      return letIn(request, { app: holder.app })
    }
    await limits?.byAddress(request)
    if (bearer === undefined) throw refusal(advice)
    if (tokens?.any && bearer.split('.').length === 3) return letIn(request, await holderOf(bearer, tokens))
    throw refusal(advice, 'TURN_UNAUTHORIZED', invalidToken)
  }
}

/** Lets in who has an app's key, wherever the service that is stood in for has it sent. @throws HttpError 401, 429 */
export type AuthorizeKey = (request: FastifyRequest, key: string | undefined) => Promise<AppCaller>

export function keyAuthorizer({ keys, limits }: AuthorizeOptions): AuthorizeKey {
  return async (request, key) => {
    const holder = key === undefined ? undefined : keys.find(key)
    if (holder?.app === undefined) {
      await limits?.byAddress(request)
      throw new HttpError(401, 'TURN_UNAUTHORIZED', 'Send a valid API key of an app.')
    }
    await limits?.byKey(request, holder.key)
    return letIn(request, { app: holder.app })
  }
}

/**
 * Lets in who has what `find` knows the app of.
 * @throws HttpError 401, 429
 */
export async function authorizeBy<T extends AppCaller>(
  request: FastifyRequest,
  limits: ApiLimits | undefined,
  find: () => T | undefined,
): Promise<T> {
  await limits?.byAddress(request)
  const found = find()
  if (!found) throw new HttpError(401, 'TURN_UNAUTHORIZED', 'Send a valid API key of an app.')
  letIn(request, { app: found.app })
  return found
}

export function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(headers.authorization ?? '')?.[1]
}

/** RFC 7617. */
export function basicOf({ headers }: FastifyRequest): { user: string; password: string } | undefined {
  const encoded = /^Basic +([\w+/=-]+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

function letIn<T extends Caller>(request: FastifyRequest, caller: T): T {
  callers.set(request, caller)
  return caller
}

async function holderOf(token: string, keys: TokenKeys): Promise<AppCaller> {
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
