/** `POST /api/v1/turn/credentials/{username}/revoke`: ends a username's allocations and lets it make no more. */
import { HttpError } from '@hairpin/http'
import type { FastifyPluginAsync } from 'fastify'
import { parseUsername } from '../credentials/username.ts'
import type { Authorize } from './authorize.ts'

export interface RevokeApiOptions {
  readonly authorize: Authorize
  readonly revoke: (username: string) => void
}

const SUFFIX = '/revoke'

export function revokeApi({ authorize, revoke }: RevokeApiOptions): FastifyPluginAsync {
  return async (app) => {
    // A wildcard: usernames are longer than a path parameter may be, and have a slash that clients may leave unescaped.
    app.post<{ Params: { '*': string } }>('/api/v1/turn/credentials/*', async (request, reply) => {
      reply.header('cache-control', 'no-store')
      const caller = await authorize(request)
      const path = request.params['*']
      if (!path.endsWith(SUFFIX)) return reply.callNotFound()
      const username = path.slice(0, -SUFFIX.length)
      const parsed = parseUsername(username)
      if (!parsed)
        throw new HttpError(400, 'TURN_USERNAME_INVALID', 'A username is <expiry>:<app>/<user>, escaped for a URL.')
      if (caller.app !== undefined && caller.app !== parsed.app)
        throw new HttpError(403, 'TURN_APP_FORBIDDEN', 'The username belongs to another app than this key.')
      revoke(username)
      return reply.code(204).send()
    })
  }
}
