/** `POST /api/v1/turn/credentials/{username}/revoke`: ends a username's allocations and lets it make no more. */
import { HttpError } from '@hairpin/http'
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { parseUsername } from '../credentials/username.ts'
import type { Authorize, Caller } from './authorize.ts'

export interface RevokeApiOptions {
  readonly authorize: Authorize
  readonly revoke: (username: string) => void
}

const SUFFIX = '/revoke'

export const RevokeParams = Type.Object({
  '*': Type.String({ description: 'Escaped for a URL.' }),
})

export function revokeApi({ authorize, revoke }: RevokeApiOptions): FastifyPluginAsync {
  return async (app) => {
    const schema = {
      tags: ['Hairpin'],
      summary: 'Ends the allocations of a username and lets it make no more',
      security: [{ apiKey: [] }],
      params: RevokeParams,
      response: { 204: Type.Null() },
    }
    // A wildcard: usernames are longer than a path parameter may be, and have a slash that clients may leave unescaped.
    app.post<{ Params: { '*': string } }>('/api/v1/turn/credentials/*', { schema }, async (request, reply) => {
      const caller = await authorize(request)
      const username = revokedBy(caller, request.params['*'])
      if (username === undefined) return reply.callNotFound()
      revoke(username)
      return reply.code(204).send()
    })
  }
}

/**
 * The username that a path `{username}/revoke` names; undefined for another path.
 * @throws HttpError 400 for what is no username, 403 for one of another app than the caller's
 */
export function revokedBy(caller: Caller, path: string): string | undefined {
  if (!path.endsWith(SUFFIX)) return undefined
  const username = path.slice(0, -SUFFIX.length)
  const parsed = parseUsername(username)
  if (!parsed)
    throw new HttpError(400, 'TURN_USERNAME_INVALID', 'A username is <expiry>:<app>/<user>, escaped for a URL.')
  if (caller.app !== undefined && caller.app !== parsed.app)
    throw new HttpError(403, 'TURN_APP_FORBIDDEN', 'The username belongs to another app than this key.')
  return username
}
