/** `PUT /_turn/{channel}`: Xirsys API v3 (docs.xirsys.com). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { errorsAs, HttpError } from '@hairpin/http'
import { Type } from 'typebox'
import { type AppCaller, basicOf, callerOf } from '../authorize.ts'
import { issue } from '../issuer.ts'
import type { ShapeOptions } from './index.ts'

const Params = Type.Object({ channel: Type.String({ description: 'Any: apps take the place of channels.' }) })
const Body = Type.Object({
  format: Type.Optional(Type.String({ description: '"urls": one entry with all URLs; else an entry for each.' })),
  expire: Type.Optional(
    Type.Union([Type.Integer({ minimum: 1 }), Type.String({ pattern: '^\\d{1,9}$' })], { description: 'Seconds.' }),
  ),
})
const login = { username: Type.Optional(Type.String()), credential: Type.Optional(Type.String()) }
const Answer = Type.Object({
  v: Type.Object({
    iceServers: Type.Union([
      Type.Object({ ...login, urls: Type.Array(Type.String()) }),
      Type.Array(Type.Object({ ...login, url: Type.String() })),
    ]),
  }),
  s: Type.Literal('ok'),
})

/** Basic: the app as ident, the API key as secret. */
export function xirsysApi({ issuer, authorizeKey }: ShapeOptions): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.setErrorHandler(errorsAs(({ status, code }) => ({ v: status === 401 ? 'unauthorized' : code, s: 'error' })))
    app.put('/_turn/:channel', {
      schema: {
        tags: ['Xirsys'],
        summary: 'ICE servers of a channel',
        security: [{ basic: [] }],
        params: Params,
        body: Body,
        response: { 200: Answer },
      },
      onRequest: async (request) => {
        const basic = basicOf(request)
        const caller = await authorizeKey(request, basic?.password)
        if (basic?.user !== caller.app) throw new HttpError(401, 'TURN_UNAUTHORIZED', 'The key is not of this app.')
      },
      preValidation: async (request) => {
        if (request.body === undefined) request.body = {}
      },
      handler: async (request) => {
        const { format, expire } = request.body
        const ttl = expire === undefined ? undefined : Number(expire)
        const { stunUrls, turnUrls, username, credential } = issue(
          issuer,
          callerOf(request) as AppCaller,
          undefined,
          ttl,
        )
        const s = 'ok' as const
        if (format === 'urls')
          return { v: { iceServers: { username, urls: [...stunUrls, ...turnUrls], credential } }, s }
        const turn = turnUrls.map((url) => ({ username, url, credential }))
        return { v: { iceServers: [...stunUrls.map((url) => ({ url })), ...turn] }, s }
      },
    })
  }
}
