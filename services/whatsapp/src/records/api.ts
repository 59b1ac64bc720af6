/** `GET /api/v1/whatsapp/calls` and `/api/v1/whatsapp/calls.csv`: who called, who answered, and for how long. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Secrets } from '@hairpin/config'
import { HttpError } from '@hairpin/http'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { callsCsv } from './csv.ts'
import type { Customers } from './customers.ts'
import { CallsReport, queryCalls, type RecordQuery } from './query.ts'

export interface RecordsApiOptions {
  readonly db: DatabaseSync
  readonly customers: Pick<Customers, 'hash'>
  readonly secrets: Pick<Secrets, 'apiKeys' | 'internalKey'>
  /** The app whose keys count. */
  readonly app: string
  /** ms since 1970. */
  readonly now?: () => number
}

const When = Type.String({
  pattern: '^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,3})?)?(Z|[+-]\\d\\d:\\d\\d))?$',
})
const Query = Type.Object(
  {
    from: Type.Optional(When),
    to: Type.Optional(When),
    agent: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
    direction: Type.Optional(Type.Union([Type.Literal('user'), Type.Literal('business')])),
    outcome: Type.Optional(Type.String({ maxLength: 32 })),
    /** Digits. */
    number: Type.Optional(Type.String({ pattern: '^\\d{5,15}$' })),
    limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,4}$' })),
  },
  { additionalProperties: false },
)

/** ms that are shown when the question names no beginning. */
const SPAN = 30 * 86_400_000
const LIMIT = 1000

export function recordsApi(options: RecordsApiOptions): FastifyPluginAsyncTypebox {
  const { db, customers, now = Date.now } = options
  const report = (query: Static<typeof Query>) => queryCalls(db, queryOf(query, customers, now()))
  return async (app) => {
    // Before validation: a stranger learns nothing, not even what was wrong with the question.
    app.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store')
      authorize(request, options)
    })
    app.get(
      '/api/v1/whatsapp/calls',
      { schema: { querystring: Query, response: { 200: CallsReport } } },
      async (request) => report(request.query),
    )
    app.get('/api/v1/whatsapp/calls.csv', { schema: { querystring: Query } }, async (request, reply) => {
      reply.header('content-disposition', 'attachment; filename="whatsapp-calls.csv"')
      reply.type('text/csv; charset=utf-8; header=present')
      return callsCsv(report(request.query))
    })
  }
}

function authorize(request: FastifyRequest, { secrets, app }: RecordsApiOptions): void {
  const [, bearer = ''] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? []
  const given = sha256(bearer)
  let known = false
  // All are compared, digest with digest: the time tells nothing.
  for (const { app: holder, key } of secrets.apiKeys)
    if (timingSafeEqual(sha256(key), given) && holder === app) known = true
  if (!known)
    throw new HttpError(
      401,
      'WHATSAPP_UNAUTHORIZED',
      `Send an API key of the app "${app}": "Authorization: Bearer <it>".`,
      {
        'www-authenticate': 'Bearer',
      },
    )
}

function queryOf(query: Static<typeof Query>, customers: Pick<Customers, 'hash'>, now: number): RecordQuery {
  const to = query.to === undefined ? now : timeOf(query.to)
  const from = query.from === undefined ? to - SPAN : timeOf(query.from)
  if (to < from) throw new HttpError(400, 'WHATSAPP_RANGE_INVALID', '"to" is before "from".')
  const { agent, direction, outcome, number, limit } = query
  return {
    from,
    to,
    agent,
    direction,
    outcome,
    customer: number === undefined ? undefined : (customers.hash(number) ?? undefined),
    limit: limit === undefined ? LIMIT : Number(limit),
  }
}

/** A date alone is midnight UTC. */
function timeOf(text: string): number {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new HttpError(400, 'WHATSAPP_TIME_INVALID', `"${text}" is no date or time.`)
  return at
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
