/** `GET|POST /turn?service=turn`: draft-uberti-behave-turn-rest-00, what coturn's companions and many SDKs speak. */
import formBody from '@fastify/formbody'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { HttpError } from '@hairpin/http'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { bearerOf } from '../authorize.ts'
import { issue, User } from '../issuer.ts'
import type { ShapeOptions } from './index.ts'

/** Section 2.1; `ttl` is what others have added since. */
const Parameters = Type.Object({
  service: Type.Optional(Type.String({ description: 'turn' })),
  username: Type.Optional(User),
  key: Type.Optional(Type.String({ maxLength: 512, description: 'The API key, unless it comes as a Bearer.' })),
  ttl: Type.Optional(Type.String({ pattern: '^\\d{1,9}$', description: 'Seconds.' })),
})

/** Section 2.2. */
const Answer = Type.Object({
  username: Type.String(),
  password: Type.String(),
  ttl: Type.Integer(),
  uris: Type.Array(Type.String()),
})

export function turnRestApi({ issuer, authorizeKey }: ShapeOptions): FastifyPluginAsyncTypebox {
  async function answer(request: FastifyRequest, given: Static<typeof Parameters>) {
    const caller = await authorizeKey(request, given.key ?? bearerOf(request))
    if (given.service !== 'turn') throw new HttpError(400, 'TURN_SERVICE_UNKNOWN', 'Ask for "service=turn".')
    const ttl = given.ttl === undefined ? undefined : Number(given.ttl)
    const { username, credential, turnUrls, ttl: granted } = issue(issuer, caller, given.username, ttl)
    return { username, password: credential, ttl: granted, uris: turnUrls }
  }
  return async (app) => {
    await app.register(formBody)
    const about = {
      tags: ['draft-uberti-behave-turn-rest'],
      summary: 'TURN credentials as the REST draft has them',
      querystring: Parameters,
      response: { 200: Answer },
    }
    app.get('/turn', { schema: about, handler: (request) => answer(request, request.query) })
    app.post('/turn', {
      schema: {
        ...about,
        consumes: ['application/x-www-form-urlencoded', 'application/json'],
        body: Type.Union([Parameters, Type.Null()]),
      },
      handler: (request) => answer(request, { ...request.query, ...request.body }),
    })
  }
}
