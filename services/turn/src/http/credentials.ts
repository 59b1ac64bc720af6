/** `POST /api/v1/turn/credentials`: time-limited TURN credentials and where to use them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { HttpError } from '@hairpin/http'
import { Type } from 'typebox'
import { isAppName } from '../credentials/username.ts'
import { type Authorize, type Caller, callerOf } from './authorize.ts'
import { IceServerAnswer, type Issuer, type TtlBounds, User } from './issuer.ts'

export interface CredentialsApiOptions {
  readonly issuer: Pick<Issuer, 'boundsOf' | 'iceServersFor'>
  readonly authorize: Authorize
}

const Body = Type.Object(
  {
    user: Type.Optional(User),
    ttl: Type.Optional(Type.Integer({ description: 'Seconds, within the bounds of the app.' })),
    app: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  },
  { additionalProperties: false },
)

const Answer = Type.Object({
  iceServers: Type.Array(IceServerAnswer),
  ttl: Type.Integer({ description: 'Seconds.' }),
  expiresAt: Type.String({ description: 'ISO 8601.' }),
})

export function credentialsApi({ issuer, authorize }: CredentialsApiOptions): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post('/api/v1/turn/credentials', {
      schema: {
        tags: ['Hairpin'],
        summary: 'Time-limited TURN credentials and where to use them',
        security: [{ apiKey: [] }, { signalingToken: [] }],
        body: Body,
        response: { 201: Answer },
      },
      // Everything in the body is optional, and so is the body.
      preValidation: async (request) => {
        if (request.body === undefined) request.body = {}
      },
      // Before validation: a stranger learns nothing, not even what was wrong with the question.
      onRequest: async (request) => {
        await authorize(request)
      },
      handler: async (request, reply) => {
        const caller = callerOf(request)!
        const { user, ttl, app: wanted } = request.body
        const name = appOf(caller, wanted)
        reply.code(201)
        return issuer.iceServersFor({
          app: name,
          user: userOf(caller, user),
          ttl: checkedTtl(ttl, issuer.boundsOf(name)),
        })
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

function checkedTtl(ttl: number | undefined, bounds: TtlBounds): number {
  if (ttl === undefined) return bounds.default
  if (ttl < bounds.min || ttl > bounds.max)
    throw new HttpError(400, 'TURN_TTL_OUT_OF_RANGE', `"ttl" must be from ${bounds.min} to ${bounds.max} seconds.`)
  return ttl
}
