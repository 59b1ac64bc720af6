/** `POST /2010-04-01/Accounts/{Sid}/Tokens.json`: Twilio's Network Traversal Service (twilio.com/docs/stun-turn/api). */
import formBody from '@fastify/formbody'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { errorsAs, HttpError } from '@hairpin/http'
import { Type } from 'typebox'
import { type AppCaller, basicOf, callerOf } from '../authorize.ts'
import { issue } from '../issuer.ts'
import type { ShapeOptions } from './index.ts'

/** Twilio's own codes (twilio.com/docs/api/errors), by status. */
const CODES: Readonly<Record<number, number>> = { 400: 20001, 401: 20003, 403: 20403, 404: 20404, 429: 20429 }
/** Clients of the old form keep their account's or API key's Sid, which says nothing here. */
const SID = /^(AC|SK)[0-9a-f]{32}$/i

const Params = Type.Object({ sid: Type.String({ description: "The app, or the account's Sid at Twilio." }) })
const Body = Type.Union([
  Type.Object({ Ttl: Type.Optional(Type.String({ pattern: '^\\d{1,9}$', description: 'Seconds.' })) }),
  Type.Null(),
])
const Answer = Type.Object({
  account_sid: Type.String(),
  date_created: Type.String({ description: 'RFC 2822.' }),
  date_updated: Type.String(),
  ice_servers: Type.Array(
    Type.Object({
      url: Type.String(),
      urls: Type.String(),
      username: Type.Optional(Type.String()),
      credential: Type.Optional(Type.String()),
    }),
  ),
  username: Type.String(),
  password: Type.String(),
  ttl: Type.String({ description: 'Seconds.' }),
})

/** Basic: the account's Sid and, as its auth token, the API key. */
export function twilioApi({ issuer, authorizeKey }: ShapeOptions): FastifyPluginAsyncTypebox {
  return async (app) => {
    await app.register(formBody)
    app.setErrorHandler(
      errorsAs(({ status, message }) => {
        const code = CODES[status] ?? 20500
        return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }
      }),
    )
    app.post('/2010-04-01/Accounts/:sid/Tokens.json', {
      schema: {
        tags: ['Twilio'],
        summary: 'A Network Traversal Service token',
        security: [{ basic: [] }],
        consumes: ['application/x-www-form-urlencoded'],
        params: Params,
        body: Body,
        response: { 201: Answer },
      },
      onRequest: async (request, reply) => {
        reply.header('www-authenticate', 'Basic realm="Twilio API"')
        const basic = basicOf(request)
        const caller = await authorizeKey(request, basic?.password)
        const { sid } = request.params as { sid: string }
        for (const name of [sid, basic!.user])
          if (name !== caller.app && !SID.test(name)) throw new HttpError(401, 'TURN_UNAUTHORIZED', 'Authenticate')
        reply.removeHeader('www-authenticate')
      },
      handler: async (request, reply) => {
        const caller = callerOf(request) as AppCaller
        const ttl = request.body?.Ttl
        const issued = issue(issuer, caller, undefined, ttl === undefined ? undefined : Number(ttl))
        const { username, credential } = issued
        const now = new Date().toUTCString().replace('GMT', '+0000')
        reply.code(201)
        return {
          account_sid: request.params.sid,
          date_created: now,
          date_updated: now,
          ice_servers: [
            ...issued.stunUrls.map((url) => ({ url, urls: url })),
            ...issued.turnUrls.map((url) => ({ url, urls: url, username, credential })),
          ],
          username,
          password: credential,
          ttl: String(issued.ttl),
        }
      },
    })
  }
}
