/** The admin port's calls, and `/admin/allocations`: what is allocated now, one of them, and its end. */
import { isIP } from 'node:net'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { HttpError } from '@hairpin/http'
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import type { RelayEngine } from '../engine.ts'

/** Allocations in one answer. */
const MOST = 1000

const Query = Type.Object(
  {
    peers: Type.Optional(Type.Enum(['0', '1'])),
    app: Type.Optional(Type.String({ maxLength: 64 })),
    user: Type.Optional(Type.String({ maxLength: 512 })),
  },
  { additionalProperties: false },
)
const Params = Type.Object({ id: Type.String({ maxLength: 64 }) })

/** @param parts other calls for operators alone */
export function adminApi(
  engineOf: () => RelayEngine | undefined,
  ...parts: readonly FastifyPluginAsync[]
): FastifyPluginAsyncTypebox {
  const control = () => {
    const allocations = engineOf()?.allocations
    if (!allocations)
      throw new HttpError(501, 'TURN_NOT_SUPPORTED', 'This relay engine does not list or close its allocations.')
    return allocations
  }
  const unknown = () => new HttpError(404, 'TURN_NO_ALLOCATION', 'There is no such allocation; it may have ended.')
  return async (app) => {
    // A page in an operator's browser can make any name of its own mean this address (DNS rebinding).
    app.addHook('onRequest', async ({ hostname, host, headers: { origin } }) => {
      const bare = hostname.replace(/^\[|\]$/g, '')
      if (bare.includes('.') && isIP(bare) === 0)
        throw new HttpError(403, 'ADMIN_HOST_DENIED', 'Call the admin port by its address or as localhost.')
      // Nor may it send here what a browser sends without asking first.
      if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host))
        throw new HttpError(403, 'ADMIN_ORIGIN_DENIED', 'Pages of other origins may not call the admin port.')
    })
    for (const part of parts) await app.register(part)

    app.get('/admin/allocations', { schema: { querystring: Query } }, async ({ query: { peers, app, user } }) => {
      const all = await control().list({ peers: peers === '1', app, user })
      return { total: all.length, allocations: all.slice(0, MOST) }
    })

    app.get('/admin/allocations/:id', { schema: { querystring: Query, params: Params } }, async ({ params, query }) => {
      const [found] = await control().list({ peers: query.peers === '1', id: params.id })
      if (!found) throw unknown()
      return found
    })

    app.delete('/admin/allocations/:id', { schema: { params: Params } }, async ({ params }, reply) => {
      if (!(await control().close(params.id))) throw unknown()
      return reply.code(204).send()
    })
  }
}
