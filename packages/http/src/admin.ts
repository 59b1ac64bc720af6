import type { FastifyBaseLogger } from 'fastify'
import type { Registry } from 'prom-client'
import { type App, createApp } from './app.ts'

export interface AdminOptions {
  readonly logger: FastifyBaseLogger
  readonly registry: Registry
  /** False while starting or draining: /readyz answers 503. */
  readonly ready: () => boolean
}

/** The application of the admin port: Prometheus text and health, for addresses that are not public. */
export function createAdminApp(options: AdminOptions): App {
  const app = createApp({ logger: options.logger })
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', options.registry.contentType)
    return options.registry.metrics()
  })
  addHealth(app, options.ready)
  return app
}

/** `/healthz`: the process answers. `/readyz`: it wants traffic. */
export function addHealth(app: App, ready: () => boolean): void {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    if (ready()) return { status: 'ready' }
    reply.code(503)
    return { error: { code: 'NOT_READY', message: 'The service is starting or draining.' } }
  })
}
