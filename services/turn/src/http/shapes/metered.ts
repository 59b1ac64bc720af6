/**
 * `GET /api/v1/turn/credentials?apiKey=` and `POST /api/v1/turn/credential?secretKey=`: Metered
 * (metered.ca/docs/turn-rest-api). A backend makes a credential with its secret key, and a page turns that credential's own
 * key into ICE servers.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { errorsAs, HttpError } from '@hairpin/http'
import { Type } from 'typebox'
import { isCredentialKey } from '../../credentials/credential-key.ts'
import type { IceServer } from '../../credentials/ice-servers.ts'
import { type AppCaller, authorizeBy, callerOf } from '../authorize.ts'
import { issue, User } from '../issuer.ts'
import type { ShapeOptions } from './index.ts'

const Answer = Type.Array(
  Type.Object({
    urls: Type.String(),
    username: Type.Optional(Type.String()),
    credential: Type.Optional(Type.String()),
  }),
)
const Key = Type.Optional(Type.String({ maxLength: 1024 }))
const Body = Type.Object({
  expiryInSeconds: Type.Optional(Type.Integer({ minimum: 1 })),
  label: Type.Optional(User),
})
const Created = Type.Object({
  username: Type.String(),
  password: Type.String(),
  expiryInSeconds: Type.Integer(),
  label: Type.Optional(Type.String()),
  apiKey: Type.String({ description: 'Of this credential, for the call that gives ICE servers.' }),
})
const tags = ['Metered']

export function meteredApi({ issuer, authorizeKey, limits }: ShapeOptions): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.setErrorHandler(errorsAs(({ message }) => ({ message })))

    app.get('/api/v1/turn/credentials', {
      schema: {
        tags,
        summary: 'ICE servers for the key of an app or of a credential',
        querystring: Type.Object({ apiKey: Key }),
        response: { 200: Answer },
      },
      handler: async (request) => {
        const { apiKey } = request.query
        if (apiKey === undefined) throw new HttpError(400, 'TURN_KEY_REQUIRED', 'Please specify apiKey')
        if (isCredentialKey(apiKey)) {
          const { iceServers } = await authorizeBy(request, limits, () => issuer.byKey(apiKey))
          return oneUrlEach(iceServers)
        }
        const caller = await authorizeKey(request, apiKey)
        return oneUrlEach(issue(issuer, caller, undefined, undefined).iceServers)
      },
    })

    app.post('/api/v1/turn/credential', {
      schema: {
        tags,
        summary: 'A credential and its own key',
        querystring: Type.Object({ secretKey: Key }),
        body: Body,
        response: { 200: Created },
      },
      onRequest: async (request) => {
        const { secretKey } = request.query as { secretKey?: string }
        if (secretKey === undefined) throw new HttpError(400, 'TURN_KEY_REQUIRED', 'Please specify secret key')
        await authorizeKey(request, secretKey)
      },
      preValidation: async (request) => {
        if (request.body === undefined) request.body = {}
      },
      handler: async (request) => {
        const { expiryInSeconds, label } = request.body
        const { username, credential, ttl } = issue(issuer, callerOf(request) as AppCaller, label, expiryInSeconds)
        return {
          username,
          password: credential,
          expiryInSeconds: ttl,
          ...(label === undefined ? {} : { label }),
          apiKey: issuer.keyOf(username),
        }
      },
    })
  }
}

function oneUrlEach(iceServers: readonly IceServer[]) {
  return iceServers.flatMap(({ urls, ...login }) => urls.map((url) => ({ ...login, urls: url })))
}
