/** How often a key, and an address without one, may call. */
import rateLimit from '@fastify/rate-limit'
import type { ApiRates } from '@hairpin/config'
import { HttpError } from '@hairpin/http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { prefix, readPrefix } from '../core/source-prefix.ts'

const WINDOW = 60_000

/**
 * Each counts a request and throws HttpError 429 when it is one too many. The library remembers 5,000 keys and as many
 * addresses; who called longest ago is forgotten first.
 */
export interface ApiLimits {
  byKey(request: FastifyRequest, key: string): Promise<void>
  byAddress(request: FastifyRequest): Promise<void>
}

export async function apiLimits(app: FastifyInstance, rates: ApiRates): Promise<ApiLimits> {
  await app.register(rateLimit, { global: false })
  const keys = new WeakMap<FastifyRequest, string>()
  const limiter = (max: number, keyGenerator: (request: FastifyRequest) => string) => {
    if (max === 0) return async () => {}
    const check = app.createRateLimit({ max, timeWindow: WINDOW, keyGenerator })
    return async (request: FastifyRequest) => {
      const limit = await check(request)
      if (limit.isAllowed || !limit.isExceeded) return
      throw new HttpError(
        429,
        'TURN_RATE_LIMITED',
        `More than ${limit.max} requests a minute; try again in ${limit.ttlInSeconds} s.`,
        { 'retry-after': String(limit.ttlInSeconds) },
      )
    }
  }
  const byKey = limiter(rates.key, (request) => keys.get(request)!)
  return {
    async byKey(request, key) {
      keys.set(request, key)
      await byKey(request)
    },
    byAddress: limiter(rates.address, networkOf),
  }
}

/** Without an address, on a Unix socket, all count as one. */
function networkOf({ ip }: FastifyRequest): string {
  return readPrefix(ip ?? '', 32, 64) === 0 ? 'none' : prefix.join(':')
}
