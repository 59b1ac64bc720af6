/** `GET /api/v1/usage`, `/api/v1/usage.csv` and `/api/v1/usage/compare`: who used the relay, and what did it cost. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { HttpError } from '@hairpin/http'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { monthStart } from './calendar.ts'
import { usageCsv } from './csv.ts'
import { ComparedProvider, type GroupKey, groupKeys, type UsageQuery, UsageReport } from './usage.ts'

/** Where usage comes from: this thread's database or the ledger's thread. */
export interface UsageSource {
  query(query: UsageQuery): UsageReport | Promise<UsageReport>
  compare(of: {
    readonly at: number
    readonly app?: string | undefined
  }): ComparedProvider[] | Promise<ComparedProvider[]>
}

/** Who asks: one app sees its own usage only; without an app, everybody's. */
export interface UsageViewer {
  readonly app: string | undefined
}

export interface UsageApiOptions {
  readonly usage: UsageSource
  /** @throws HttpError 401 for who may see nothing */
  readonly authenticate: (request: FastifyRequest) => UsageViewer | Promise<UsageViewer>
  /** Milliseconds since 1970; injected for tests. */
  readonly now?: () => number
}

const When = Type.String({ maxLength: 40, description: 'Date (UTC) or date and time with its zone, ISO 8601.' })

const Query = Type.Object(
  {
    app: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    user: Type.Optional(Type.String({ maxLength: 512 })),
    from: Type.Optional(When),
    to: Type.Optional(When),
    groupBy: Type.Optional(Type.String({ maxLength: 64, description: `Comma-separated: ${groupKeys.join(', ')}.` })),
    limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,5}$', description: 'Rows at most; default 10,000.' })),
  },
  { additionalProperties: false },
)

const CompareQuery = Type.Object(
  {
    app: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    month: Type.Optional(Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])$', description: 'UTC; default: this one.' })),
  },
  { additionalProperties: false },
)

const about = {
  tags: ['Usage'],
  summary: 'What was relayed, by whom, and what it cost',
  security: [{ apiKey: [] }],
}

export function usageApi(options: UsageApiOptions): FastifyPluginAsyncTypebox {
  const now = options.now ?? Date.now
  const viewers = new WeakMap<FastifyRequest, UsageViewer>()
  const viewerOf = (request: FastifyRequest) => viewers.get(request)!
  return async (app) => {
    // Before validation: a stranger learns nothing, not even what was wrong with the question.
    app.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store')
      viewers.set(request, await options.authenticate(request))
    })

    app.get(
      '/api/v1/usage',
      { schema: { ...about, querystring: Query, response: { 200: UsageReport } } },
      async (request) => options.usage.query(queryOf(request.query, viewerOf(request), now())),
    )

    app.get(
      '/api/v1/usage.csv',
      { schema: { ...about, summary: 'The same as CSV', querystring: Query } },
      async (request, reply) => {
        const report = await options.usage.query(queryOf(request.query, viewerOf(request), now()))
        const name = `usage-${report.from.slice(0, 10)}-${report.to.slice(0, 10)}.csv`
        reply.header('content-disposition', `attachment; filename="${name}"`)
        reply.type('text/csv; charset=utf-8; header=present')
        return usageCsv(report)
      },
    )

    app.get(
      '/api/v1/usage/compare',
      {
        schema: {
          ...about,
          summary: 'What it would cost elsewhere',
          querystring: CompareQuery,
          response: { 200: Type.Array(ComparedProvider) },
        },
      },
      async (request) => {
        const viewer = viewerOf(request)
        const { month, app: wanted } = request.query
        const at = month === undefined ? now() : Date.parse(`${month}-01T00:00:00Z`)
        return options.usage.compare({ at, app: appOf(viewer, wanted) })
      },
    )
  }
}

function queryOf(query: Static<typeof Query>, viewer: UsageViewer, now: number): UsageQuery {
  const from = query.from === undefined ? monthStart(now) : timeOf('from', query.from)
  const to = query.to === undefined ? now : timeOf('to', query.to)
  if (to < from) throw new HttpError(400, 'USAGE_RANGE_INVALID', '"to" is before "from".')
  const app = appOf(viewer, query.app)
  return {
    from,
    to,
    groupBy: groupBy(query.groupBy),
    ...(app === undefined ? {} : { app }),
    ...(query.user === undefined ? {} : { user: query.user }),
    ...(query.limit === undefined ? {} : { limit: Number(query.limit) }),
  }
}

function appOf(viewer: UsageViewer, wanted: string | undefined): string | undefined {
  if (viewer.app === undefined) return wanted
  if (wanted !== undefined && wanted !== viewer.app)
    throw new HttpError(403, 'USAGE_APP_FORBIDDEN', 'This API key belongs to another app; leave "app" out.')
  return viewer.app
}

/** A date alone is midnight UTC; a time needs a zone, lest the server's own decide. */
function timeOf(name: string, text: string): number {
  const valid = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
  const at = valid ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at))
    throw new HttpError(
      400,
      'USAGE_TIME_INVALID',
      `"${name}" is not a date or time like 2026-03-01 or 2026-03-01T12:00:00Z.`,
    )
  return at
}

function groupBy(text: string | undefined): GroupKey[] {
  const keys = (text ?? '').split(',').map((key) => key.trim())
  const wanted = [...new Set(keys.filter((key) => key !== ''))]
  const wrong = wanted.find((key) => !groupKeys.includes(key as GroupKey))
  if (wrong !== undefined)
    throw new HttpError(
      400,
      'USAGE_GROUP_INVALID',
      `"groupBy" knows ${groupKeys.join(', ')}; "${wrong}" is none of them.`,
    )
  if (wanted.includes('call') && (wanted.includes('day') || wanted.includes('hour')))
    throw new HttpError(400, 'USAGE_GROUP_INVALID', 'Group by call, or by day or hour: a call may be in several.')
  return wanted as GroupKey[]
}
