import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'

export interface WebOptions {
  /** The folder of the built pages; by default what the web build writes. */
  readonly root?: string
}

const builtPages = fileURLToPath(new URL('../../../../web/dist', import.meta.url))

const contentSecurityPolicy = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data:",
  "media-src 'self' blob: mediastream:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** esbuild's `name-HASH.ext`: the name changes with the content. */
const hashed = /-[A-Z0-9]{8}\.\w+(\.map)?$/

/** The demo and its sibling pages: static files with a strict content security policy. */
export const webPlugin: FastifyPluginAsync<WebOptions> = async (app, { root = builtPages }) => {
  if (!existsSync(join(root, 'index.html'))) throw new Error(`${root} holds no built pages: run the web build first`)
  await app.register(fastifyStatic, {
    root,
    extensions: ['html'],
    cacheControl: false,
    setHeaders(reply, file) {
      const lasting = hashed.test(file)
      reply.header('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache')
      reply.header('content-security-policy', contentSecurityPolicy)
      reply.header('x-content-type-options', 'nosniff')
      reply.header('referrer-policy', 'no-referrer')
      reply.header('cross-origin-opener-policy', 'same-origin')
      reply.header('permissions-policy', 'camera=(self), microphone=(self), display-capture=(self)')
    },
  })
}
