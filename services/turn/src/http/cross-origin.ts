/** Which pages may read the API's answers: those of the app's origins (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol). */
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import { callerOf } from './authorize.ts'

export interface Origins {
  /** Of one app; "*" is any. Undefined app: of callers who are not known, who may read that they are refused. */
  allowed(origin: string, app: string | undefined): boolean
}

/**
 * A preflight names no key, and so no app: it is granted to the origins of any app. The answer itself goes to the
 * origins of the caller's app.
 */
export async function crossOrigin(app: FastifyInstance, origins: Origins): Promise<void> {
  await app.register(cors, {
    delegator: ({ headers: { origin } }, done) =>
      done(null, {
        origin: origin !== undefined && origins.allowed(origin, undefined) ? origin : false,
        methods: ['GET', 'POST', 'PUT'],
        exposedHeaders: ['retry-after'],
        maxAge: 600,
      }),
  })
  app.addHook('onSend', async (request, reply) => {
    reply.header('vary', 'Origin')
    const caller = callerOf(request)
    const { origin } = request.headers
    if (caller?.app !== undefined && origin !== undefined && !origins.allowed(origin, caller.app))
      reply.removeHeader('access-control-allow-origin')
  })
}
