/** The credentials API as other services have it: an app moves by changing an address and a key. */
import type { FastifyPluginAsync } from 'fastify'
import type { Authorize, AuthorizeKey } from '../authorize.ts'
import type { Issuer } from '../issuer.ts'
import type { ApiLimits } from '../limits.ts'
import { cloudflareApi } from './cloudflare.ts'
import { matrixApi } from './matrix.ts'
import { meteredApi } from './metered.ts'
import { turnRestApi } from './turn-rest.ts'
import { twilioApi } from './twilio.ts'
import { xirsysApi } from './xirsys.ts'

export interface ShapeOptions {
  readonly issuer: Issuer
  /** API keys and signaling tokens. */
  readonly authorize: Authorize
  readonly authorizeKey: AuthorizeKey
  readonly limits?: ApiLimits | undefined
  readonly revoke: (username: string) => void
}

export function shapes(options: ShapeOptions): FastifyPluginAsync {
  return async (app) => {
    for (const shape of [turnRestApi, matrixApi, twilioApi, cloudflareApi, meteredApi, xirsysApi])
      await app.register(shape(options))
  }
}
