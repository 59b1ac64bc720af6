/** `/dashboard` on the admin port: the page and its data. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import { HttpError } from '@hairpin/http'
import type { FastifyPluginAsync } from 'fastify'
import type { UsageSource } from '../ledger/http.ts'
import { type DashboardSource, type DashboardUsage, dashboardNow, dashboardUsage } from './data.ts'

export interface DashboardOptions {
  readonly now: () => Promise<DashboardSource>
  readonly usage: UsageSource
  /** The folder of the built page; by default what the web build writes. */
  readonly root?: string
}

const builtPage = fileURLToPath(new URL('../../../../web/dashboard/dist', import.meta.url))

const headers = {
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

/** Milliseconds for which an answer about the month serves everybody: it may read a million calls. */
const USAGE_FOR = 15_000

export function dashboard({ now, usage, root = builtPage }: DashboardOptions): FastifyPluginAsync {
  let known: { readonly at: number; readonly answer: Promise<DashboardUsage> } | undefined
  return async (app) => {
    app.addHook('onRequest', async (_request, reply) => {
      reply.headers(headers)
    })
    app.get('/dashboard/now', async () => dashboardNow(await now()))
    app.get('/dashboard/usage', async () => {
      if (!known || Date.now() > known.at + USAGE_FOR) {
        const asked = { at: Date.now(), answer: dashboardUsage(usage, Date.now()) }
        asked.answer.catch(() => {
          if (known === asked) known = undefined
        })
        known = asked
      }
      return known.answer
    })
    const built = existsSync(join(root, 'index.html'))
    if (built) await app.register(fastifyStatic, { root, serve: false, cacheControl: false })
    app.get('/dashboard', async (_request, reply) => {
      if (!built)
        throw new HttpError(
          503,
          'DASHBOARD_NOT_BUILT',
          'The page is not built: run "node web/build.ts" and start again.',
        )
      return reply.sendFile('index.html')
    })
    app.get<{ Params: { file: string } }>('/dashboard/assets/:file', async ({ params }, reply) => {
      if (!built) return reply.callNotFound()
      return reply.sendFile(params.file, join(root, 'assets'))
    })
  }
}
