/** `GET /_matrix/client/v3/voip/turnServer`: Matrix client-server API, "Voice over IP". */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { errorsAs, HttpError } from '@hairpin/http'
import { Type } from 'typebox'
import { bearerOf } from '../authorize.ts'
import { issue } from '../issuer.ts'
import type { ShapeOptions } from './index.ts'

const Answer = Type.Object({
  username: Type.String(),
  password: Type.String(),
  uris: Type.Array(Type.String()),
  ttl: Type.Integer({ description: 'Seconds.' }),
})

/** The access token is an API key or a signaling token; a token's user is who the credential is for. */
export function matrixApi({ issuer, authorize }: ShapeOptions): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.setErrorHandler(
      errorsAs(({ status, message }, request, reply) => {
        const retryAfter = Number(reply.getHeader('retry-after'))
        if (status === 429) return { errcode: 'M_LIMIT_EXCEEDED', error: message, retry_after_ms: retryAfter * 1000 }
        if (status === 401)
          return { errcode: bearerOf(request) === undefined ? 'M_MISSING_TOKEN' : 'M_UNKNOWN_TOKEN', error: message }
        return { errcode: status === 403 ? 'M_FORBIDDEN' : 'M_UNKNOWN', error: message }
      }),
    )
    for (const version of ['v3', 'r0'])
      app.get(`/_matrix/client/${version}/voip/turnServer`, {
        schema: {
          tags: ['Matrix'],
          summary: 'TURN credentials for calls of Matrix clients',
          security: [{ apiKey: [] }, { signalingToken: [] }],
          response: { 200: Answer },
        },
        handler: async (request) => {
          const { app, user } = await authorize(request)
          if (app === undefined) throw new HttpError(403, 'TURN_APP_REQUIRED', 'The internal key belongs to no app.')
          const { username, credential, turnUrls, ttl } = issue(issuer, { app }, user, undefined)
          return { username, password: credential, uris: turnUrls, ttl }
        },
      })
  }
}
