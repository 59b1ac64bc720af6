/** `POST /api/v1/turn/credentials`: time-limited TURN credentials and where to use them. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Config, Secrets } from '@hairpin/config'
import { HttpError } from '@hairpin/http'
import { Type } from 'typebox'
import type { IceServers, IceServersRequest } from '../credentials/ice-servers.ts'
import { isAppName } from '../credentials/username.ts'

export interface CredentialsApiOptions {
  readonly ttl: Config['credentials']['ttl']
  readonly secrets: Pick<Secrets, 'apiKeys' | 'internalKey'>
  readonly iceServersFor: (request: IceServersRequest) => IceServers
}

const Body = Type.Object(
  {
    user: Type.Optional(Type.String({ minLength: 1, maxLength: 128, pattern: '^[^\\u0000-\\u001f\\u007f]+$' })),
    ttl: Type.Optional(Type.Integer()),
    app: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  },
  { additionalProperties: false },
)

const Answer = Type.Object({
  iceServers: Type.Array(
    Type.Object({
      urls: Type.Array(Type.String()),
      username: Type.Optional(Type.String()),
      credential: Type.Optional(Type.String()),
    }),
  ),
  ttl: Type.Integer(),
  expiresAt: Type.String(),
})

/** Who holds a key: one app, or with the internal key any. */
type Caller = { readonly app: string | undefined }

export function credentialsApi(options: CredentialsApiOptions): FastifyPluginAsyncTypebox {
  const callers = [
    ...options.secrets.apiKeys.map(({ app, key }) => ({ app, digest: sha256(key) })),
    { app: undefined, digest: sha256(options.secrets.internalKey) },
  ]
  return async (app) => {
    app.post('/api/v1/turn/credentials', {
      schema: { body: Body, response: { 201: Answer } },
      // Everything in the body is optional, and so is the body.
      preValidation: async (request) => {
        if (request.body === undefined) request.body = {}
      },
      onRequest: async (request, reply) => {
        // Credentials must not lie about in a cache (draft-uberti-behave-turn-rest-00 section 2.2), errors neither.
        reply.header('cache-control', 'no-store')
        authorize(callers, request.headers.authorization)
      },
      handler: async (request, reply) => {
        const caller = authorize(callers, request.headers.authorization)
        const { user, ttl, app: wanted } = request.body
        reply.code(201)
        return options.iceServersFor({ app: appOf(caller, wanted), user, ttl: checkedTtl(ttl, options.ttl) })
      },
    })
  }
}

function authorize(callers: readonly (Caller & { digest: Buffer })[], header: string | undefined): Caller {
  const key = /^Bearer +([^\s]+) *$/i.exec(header ?? '')?.[1]
  const digest = sha256(key ?? '')
  let found: Caller | undefined
  // All keys are compared, digest with digest: the time tells neither whether nor how much of one matched.
  for (const caller of callers) if (timingSafeEqual(caller.digest, digest)) found = caller
  if (key === undefined || found === undefined)
    throw new HttpError(401, 'TURN_UNAUTHORIZED', 'Send a valid API key: "Authorization: Bearer <key>".', {
      'www-authenticate':
        key === undefined ? 'Bearer realm="hairpin"' : 'Bearer realm="hairpin", error="invalid_token"',
    })
  return found
}

function appOf(caller: Caller, wanted: string | undefined): string {
  if (wanted !== undefined && !isAppName(wanted))
    throw new HttpError(400, 'TURN_APP_INVALID', 'An app is 1 to 64 letters, digits, "_", "." or "-".')
  const app = caller.app ?? wanted
  if (app === undefined) throw new HttpError(400, 'TURN_APP_REQUIRED', 'With the internal key, name the "app".')
  if (wanted !== undefined && wanted !== app)
    throw new HttpError(403, 'TURN_APP_FORBIDDEN', 'This API key belongs to another app; leave "app" out.')
  return app
}

function checkedTtl(ttl: number | undefined, bounds: CredentialsApiOptions['ttl']): number {
  if (ttl === undefined) return bounds.default
  if (ttl < bounds.min || ttl > bounds.max)
    throw new HttpError(400, 'TURN_TTL_OUT_OF_RANGE', `"ttl" must be from ${bounds.min} to ${bounds.max} seconds.`)
  return ttl
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
