/** The public HTTP API: credentials in every shape, revocation, usage, and its description at `/docs`. */

import type { ApiRates } from '@hairpin/config'
import type { TokenKeys } from '@hairpin/tokens'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { type UsageSource, usageApi } from '../ledger/http.ts'
import { priceApi } from '../ledger/price-http.ts'
import type { Provider } from '../ledger/prices.ts'
import { authorizer, keyAuthorizer } from './authorize.ts'
import { credentialsApi } from './credentials.ts'
import { crossOrigin, type Origins } from './cross-origin.ts'
import { describeApi, documentation } from './documentation.ts'
import type { Issuer } from './issuer.ts'
import type { KeyRing } from './key-ring.ts'
import { apiLimits } from './limits.ts'
import { revokeApi } from './revoke.ts'
import { shapes } from './shapes/index.ts'

export interface PublicApiOptions {
  readonly issuer: Issuer
  readonly keys: Pick<KeyRing, 'find'>
  readonly tokens?: TokenKeys
  readonly rates: ApiRates
  readonly origins: Origins
  readonly usage: UsageSource
  readonly price: Provider
  readonly revoke: (username: string) => void
}

export function publicApi(options: PublicApiOptions): FastifyPluginAsync {
  return async (app) => {
    await describeApi(app)
    await app.register((scope) => calls(scope, options))
    await app.register(priceApi(options.price))
    await app.register(documentation)
  }
}

async function calls(app: FastifyInstance, options: PublicApiOptions): Promise<void> {
  const { issuer, keys, tokens, origins, rates, revoke, usage } = options
  // Credentials must not lie about in a cache (draft-uberti-behave-turn-rest-00 section 2.2), errors neither.
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })
  await crossOrigin(app, origins)
  const limits = await apiLimits(app, rates)
  const authorize = authorizer({ keys, tokens, limits })
  const authorizeByKey = authorizer({ keys, limits })
  await app.register(credentialsApi({ issuer, authorize }))
  await app.register(revokeApi({ authorize: authorizeByKey, revoke }))
  await app.register(usageApi({ usage, authenticate: authorizeByKey }))
  await app.register(shapes({ issuer, authorize, authorizeKey: keyAuthorizer({ keys, limits }), limits, revoke }))
}
