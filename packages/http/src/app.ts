import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  fastify,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify'
import ipaddr from 'ipaddr.js'
import { handleError, handleNotFound } from './errors.ts'

export interface AppOptions {
  readonly logger: FastifyBaseLogger
  /** CIDR ranges whose X-Forwarded-For is believed. A request on a Unix socket comes from the proxy that shares it. */
  readonly trustedProxies?: readonly string[]
  /** Bytes; larger request bodies draw 413. */
  readonly bodyLimit?: number
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** A Fastify application with our error form, strict validation and proxy trust. It does not listen yet. */
export function createApp(options: AppOptions): App {
  const app = fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimit ?? 16 * 1024,
    trustProxy: trust(options.trustedProxies ?? []),
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setErrorHandler(handleError)
  app.setNotFoundHandler(handleNotFound)
  return app
}

/** Believes one hop: the directly connected proxy. What the client itself wrote into the header stays unbelieved. */
function trust(ranges: readonly string[]): (address: string | undefined, hop: number) => boolean {
  const parsed = ranges.map((range) => ipaddr.parseCIDR(range))
  return (address, hop) => {
    if (hop > 0) return false
    if (!address) return true
    if (!ipaddr.isValid(address)) return false
    const ip = ipaddr.process(address)
    return parsed.some(([range, bits]) => range.kind() === ip.kind() && ip.match(range, bits))
  }
}
