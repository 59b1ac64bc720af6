/** The API's description without a service behind it: for docs/openapi.json. */
import { createApp, createLogger } from '@hairpin/http'
import { chosenPrice } from '../ledger/chosen-price.ts'
import { publicApi } from './api.ts'

export async function openApi(): Promise<object> {
  const nobody = () => {
    throw new Error('there is no service behind this')
  }
  const app = createApp({ logger: createLogger('silent') })
  await app.register(
    publicApi({
      issuer: { boundsOf: nobody, iceServersFor: nobody, keyOf: nobody, byKey: nobody },
      keys: { find: () => undefined },
      rates: { key: 0, address: 0 },
      origins: { allowed: () => false },
      usage: { query: nobody, compare: nobody },
      price: chosenPrice(undefined).price,
      revoke: nobody,
    }),
  )
  const description = (await app.inject('/docs/json')).json()
  await app.close()
  return description
}
