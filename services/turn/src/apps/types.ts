/** An app: a tenant of the stack, with its own keys, secrets, limits and budgets. */
import { type Static, Type } from 'typebox'
import { Budget } from '../ledger/budget.ts'

const count = (description: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: 1e12, description }))
const seconds = (description: string) => Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000, description }))

/** A budget without the app, which is the one that has it. */
export const AppBudget = Type.Omit(Budget, ['app'], { additionalProperties: false })
export type AppBudget = Static<typeof AppBudget>

/** Bounds of a credential's life; what is left out is the stack's own. */
export const Ttl = Type.Object(
  {
    min: seconds('Seconds.'),
    default: seconds('Seconds; for requests that name none.'),
    max: seconds('Seconds.'),
  },
  { additionalProperties: false },
)

/** Besides the stack's own limits, of which none is lifted. 0 or left out: no limit of the app's own. */
export const Quotas = Type.Object(
  {
    allocations: count('Allocations at a time, all users together.'),
    userAllocations: count('Allocations at a time, each user.'),
    bytesPerSecond: count('Bytes of payload a second for each allocation, both directions together.'),
    totalBytesPerSecond: count('Bytes of payload a second, all allocations together.'),
  },
  { additionalProperties: false },
)
export type Quotas = Static<typeof Quotas>

/** What an operator sets. */
export const AppSettings = Type.Object(
  {
    name: Type.String({ maxLength: 200, description: 'For people.' }),
    ttl: Ttl,
    quotas: Quotas,
    budgets: Type.Array(AppBudget, { maxItems: 16 }),
    origins: Type.Array(Type.String({ maxLength: 300 }), {
      maxItems: 100,
      description: 'Origins whose pages may call the API from a browser, like https://app.example.com; "*" is any.',
    }),
    webhook: Type.Union([Type.String({ maxLength: 2000 }), Type.Null()], {
      description: 'URL that budget events are sent to, signed with a secret of its own.',
    }),
  },
  { additionalProperties: false },
)
export type AppSettings = Static<typeof AppSettings>

/** As the relay's own parts have it. Holds secrets: it goes neither into an answer nor into a log. */
export interface App extends Omit<AppSettings, 'webhook'> {
  /** 1 to 64 letters, digits, "_", "." or "-": what usernames, the ledger and metrics call it. */
  readonly id: string
  /** Newest first: the first one mints, all of them verify. */
  readonly turnSecrets: readonly string[]
  readonly webhook: { readonly url: string; readonly secret: string } | undefined
}
