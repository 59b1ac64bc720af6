/** `POST /api/v1/turn/credentials`: time-limited TURN credentials and where to use them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Config } from '@hairpin/config'
import { HttpError } from '@hairpin/http'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { IceServers, IceServersRequest } from '../credentials/ice-servers.ts'
import { isAppName } from '../credentials/username.ts'
import type { Authorize, Caller } from './authorize.ts'

export interface CredentialsApiOptions {
  readonly ttl: Config['credentials']['ttl']
  readonly authorize: Authorize
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

export function credentialsApi(options: CredentialsApiOptions): FastifyPluginAsyncTypebox {
  const callers = new WeakMap<FastifyRequest, Caller>()
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
        callers.set(request, await options.authorize(request))
      },
      handler: async (request, reply) => {
        const caller = callers.get(request)!
        const { user, ttl, app: wanted } = request.body
        reply.code(201)
        const who = { app: appOf(caller, wanted), user: userOf(caller, user) }
        return options.iceServersFor({ ...who, ttl: checkedTtl(ttl, options.ttl) })
      },
    })
  }
}

function appOf(caller: Caller, wanted: string | undefined): string {
  if (wanted !== undefined && !isAppName(wanted))
    throw new HttpError(400, 'TURN_APP_INVALID', 'An app is 1 to 64 letters, digits, "_", "." or "-".')
  const app = caller.app ?? wanted
  if (app === undefined) throw new HttpError(400, 'TURN_APP_REQUIRED', 'With the internal key, name the "app".')
  if (wanted !== undefined && wanted !== app)
    throw new HttpError(403, 'TURN_APP_FORBIDDEN', 'This key or token belongs to another app; leave "app" out.')
  return app
}

function userOf(caller: Caller, wanted: string | undefined): string | undefined {
  if (caller.user !== undefined && wanted !== undefined && wanted !== caller.user)
    throw new HttpError(403, 'TURN_USER_FORBIDDEN', 'The token is of another user; leave "user" out.')
  return caller.user ?? wanted
}

function checkedTtl(ttl: number | undefined, bounds: CredentialsApiOptions['ttl']): number {
  if (ttl === undefined) return bounds.default
  if (ttl < bounds.min || ttl > bounds.max)
    throw new HttpError(400, 'TURN_TTL_OUT_OF_RANGE', `"ttl" must be from ${bounds.min} to ${bounds.max} seconds.`)
  return ttl
}
