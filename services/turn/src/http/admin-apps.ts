/** `/admin/apps` on the admin port: the apps, their keys and secrets. A key or secret is in the answer that makes it, and in no other. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { HttpError } from '@hairpin/http'
import { Type } from 'typebox'
import { AppError, type AppErrorCode } from '../apps/errors.ts'
import type { LiveApps } from '../apps/live.ts'
import type { AppStore } from '../apps/store.ts'
import { AppSettings } from '../apps/types.ts'

const STATUS: Readonly<Partial<Record<AppErrorCode, number>>> = {
  APP_EXISTS: 409,
  APP_KEY_UNKNOWN: 404,
  APP_SECRET_LAST: 409,
  APP_SECRET_UNKNOWN: 404,
  APP_UNKNOWN: 404,
}

const Changes = Type.Partial(AppSettings, { additionalProperties: false })
const Secret = Type.Optional(Type.String({ minLength: 16, maxLength: 256 }))
const Params = Type.Object({ id: Type.String() })
const NewApp = Type.Object(
  { ...Changes.properties, id: Type.String(), turnSecret: Secret },
  { additionalProperties: false },
)
const Rotation = Type.Object(
  { keep: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000 })), secret: Secret },
  { additionalProperties: false },
)

/** @param keepOf seconds for which credentials of an app may be out */
export function adminApps(apps: LiveApps, keepOf: (app: string) => number): FastifyPluginAsyncTypebox {
  const manage = <T>(work: (store: AppStore) => T): T => {
    try {
      return apps.manage(work)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      throw new HttpError(STATUS[error.code] ?? 400, error.code, error.message)
    }
  }
  return async (app) => {
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('cache-control', 'no-store')
    })
    app.addHook('preValidation', async (request) => {
      if (request.body === undefined && request.method === 'POST') request.body = {}
    })

    app.get('/admin/apps', async () => ({ apps: manage((store) => store.list()) }))
    app.post('/admin/apps', { schema: { body: NewApp } }, async ({ body }, reply) => {
      const { id, turnSecret, ...settings } = body
      reply.code(201)
      return manage((store) => store.add(id, settings, turnSecret))
    })
    app.get('/admin/apps/:id', { schema: { params: Params } }, async ({ params }) =>
      manage((store) => store.get(params.id)),
    )
    app.patch('/admin/apps/:id', { schema: { params: Params, body: Changes } }, async ({ params, body }) =>
      manage((store) => store.set(params.id, body)),
    )
    app.delete('/admin/apps/:id', { schema: { params: Params } }, async ({ params }, reply) => {
      manage((store) => store.remove(params.id))
      return reply.code(204).send()
    })

    app.post('/admin/apps/:id/keys', { schema: { params: Params } }, async ({ params }, reply) => {
      reply.code(201)
      return manage((store) => store.addKey(params.id))
    })
    const KeyParams = Type.Object({ ...Params.properties, key: Type.String() })
    app.delete('/admin/apps/:id/keys/:key', { schema: { params: KeyParams } }, async ({ params }, reply) => {
      manage((store) => store.revokeKey(params.id, params.key))
      return reply.code(204).send()
    })

    app.post('/admin/apps/:id/secrets', { schema: { params: Params, body: Rotation } }, async (request, reply) => {
      const { params, body } = request
      const keep = body.keep ?? keepOf(params.id)
      reply.code(201)
      return manage((store) => store.rotateSecret(params.id, keep, body.secret))
    })
    const SecretParams = Type.Object({ ...Params.properties, secret: Type.String({ pattern: '^\\d{1,15}$' }) })
    app.delete('/admin/apps/:id/secrets/:secret', { schema: { params: SecretParams } }, async ({ params }, reply) => {
      manage((store) => store.removeSecret(params.id, Number(params.secret)))
      return reply.code(204).send()
    })

    app.post('/admin/apps/:id/webhook-secret', { schema: { params: Params } }, async ({ params }, reply) => {
      reply.code(201)
      return { secret: manage((store) => store.rotateWebhookSecret(params.id)) }
    })
  }
}
