/** `GET /api/v1/price`: what a relayed byte costs here. Public: it tells the price, and nothing of anybody's usage. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Basis, type Provider } from './prices.ts'

const Price = Type.Object({
  name: Type.String(),
  basis: Basis,
  unit: Type.Integer({ description: 'Bytes that the price is for.' }),
  currency: Type.String(),
  price: Type.Union([Type.String(), Type.Null()], {
    description: 'Decimal text: of the first tier, as if the allowance were used up; null: unknown.',
  }),
})

const schema = {
  tags: ['Usage'],
  summary: 'What a relayed byte costs here',
  description: 'The price alone: nothing of anybody’s usage. Open to all.',
  response: { 200: Price },
}

export function priceApi({ name, basis, unit, currency, tiers }: Provider): FastifyPluginAsyncTypebox {
  const bytes = unit === 'GB' ? 1_000_000_000 : 1_073_741_824
  return async (app) => {
    app.get('/api/v1/price', { schema }, async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300')
      return { name, basis, unit: bytes, currency, price: tiers[0]!.price }
    })
  }
}
