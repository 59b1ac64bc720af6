/**
 * `POST /v1/turn/keys/{id}/credentials/…`: Cloudflare Realtime TURN
 * (developers.cloudflare.com/realtime/turn/generate-credentials).
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { errorsAs, HttpError } from '@hairpin/http'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type AppCaller, bearerOf, callerOf } from '../authorize.ts'
import { IceServerAnswer, issue, User } from '../issuer.ts'
import { RevokeParams, revokedBy } from '../revoke.ts'
import type { ShapeOptions } from './index.ts'

/** Clients may keep the id of their key at Cloudflare, which says nothing here. */
const KEY_ID = /^[0-9a-f]{32}$/i

const Params = Type.Object({ id: Type.String({ description: 'The app, or the id of the TURN key at Cloudflare.' }) })
const Body = Type.Object({
  ttl: Type.Optional(Type.Integer({ minimum: 1, description: 'Seconds.' })),
  customIdentifier: Type.Optional(User),
})
const security = [{ apiKey: [] }]
const tags = ['Cloudflare']

/** Bearer: the API key, as the TURN key's API token. */
export function cloudflareApi({ issuer, authorizeKey, revoke }: ShapeOptions): FastifyPluginAsyncTypebox {
  const issued = (request: FastifyRequest, ttl: number | undefined, user: string | undefined) =>
    issue(issuer, callerOf(request) as AppCaller, user, ttl)
  return async (app) => {
    app.setErrorHandler(errorsAs(({ code, message }) => ({ errorCode: code, errorDescription: message })))
    app.addHook('onRequest', async (request) => {
      const caller = await authorizeKey(request, bearerOf(request))
      const { id } = request.params as { id: string }
      if (id !== caller.app && !KEY_ID.test(id))
        throw new HttpError(401, 'TURN_UNAUTHORIZED', 'The key is not of this app.')
    })
    app.addHook('preValidation', async (request) => {
      if (request.body === undefined) request.body = {}
    })

    app.post('/v1/turn/keys/:id/credentials/generate-ice-servers', {
      schema: {
        tags,
        security,
        summary: 'TURN credentials as RTCConfiguration has them',
        params: Params,
        body: Body,
        response: { 201: Type.Object({ iceServers: Type.Array(IceServerAnswer) }) },
      },
      handler: async (request, reply) => {
        const { ttl, customIdentifier } = request.body
        const { iceServers } = issued(request, ttl, customIdentifier)
        reply.code(201)
        return { iceServers }
      },
    })

    app.post('/v1/turn/keys/:id/credentials/generate', {
      schema: {
        tags,
        security,
        summary: 'TURN credentials, the older form',
        params: Params,
        body: Body,
        response: { 201: Type.Object({ iceServers: IceServerAnswer }) },
      },
      handler: async (request, reply) => {
        const { ttl, customIdentifier } = request.body
        const { stunUrls, turnUrls, username, credential } = issued(request, ttl, customIdentifier)
        reply.code(201)
        return { iceServers: { urls: [...stunUrls, ...turnUrls], username, credential } }
      },
    })

    app.post('/v1/turn/keys/:id/credentials/*', {
      schema: {
        tags,
        security,
        summary: 'Ends the allocations of a username and lets it make no more',
        params: Type.Object({ ...Params.properties, ...RevokeParams.properties }),
        response: { 204: Type.Null() },
      },
      handler: async (request, reply) => {
        const { '*': path } = request.params as { '*': string }
        const username = revokedBy(callerOf(request)!, path)
        if (username === undefined) throw new HttpError(404, 'NOT_FOUND', 'There is nothing at this path.')
        revoke(username)
        return reply.code(204).send(null)
      },
    })
  }
}
