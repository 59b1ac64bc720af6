/** An app's settings as options of the command line. */
import { ConfigError } from '@hairpin/config'
import { type AppSettings, parseBudgets } from '@hairpin/turn/offline'
import { UsageError } from './options.ts'

export const appOptions = {
  name: { type: 'string' },
  allocations: { type: 'string' },
  'user-allocations': { type: 'string' },
  'max-bps': { type: 'string' },
  'total-bps': { type: 'string' },
  'ttl-min': { type: 'string' },
  'ttl-default': { type: 'string' },
  'ttl-max': { type: 'string' },
  origins: { type: 'string' },
  budgets: { type: 'string' },
  webhook: { type: 'string' },
} as const

export const appOptionsHelp = `  --name TEXT                 for people
  --allocations N             allocations at a time, all users together; 0 = no limit
  --user-allocations N        allocations at a time, each user
  --max-bps N                 bytes a second for each allocation
  --total-bps N               bytes a second, all allocations together
  --ttl-min, --ttl-default, --ttl-max SECONDS
  --origins ORIGIN,…          pages that may call the API from a browser; "" for none
  --budgets "monthly 50 EUR: 80% webhook, 100% refuse; daily 20 GB: 100% close"; "" for none
  --webhook URL               where reached marks are sent; "" for nowhere`

type Given = { readonly [K in keyof typeof appOptions]?: string | undefined }

/**
 * The settings that were named. Quotas and ttl bounds that were not stay as `before` has them.
 * @param currency of budgets in money
 * @throws UsageError
 */
export function settingsOf(given: Given, before: Pick<AppSettings, 'quotas' | 'ttl'>, currency: string) {
  const quotas = {
    ...before.quotas,
    ...present('allocations', number(given, 'allocations')),
    ...present('userAllocations', number(given, 'user-allocations')),
    ...present('bytesPerSecond', number(given, 'max-bps')),
    ...present('totalBytesPerSecond', number(given, 'total-bps')),
  }
  const ttl = {
    ...before.ttl,
    ...present('min', number(given, 'ttl-min')),
    ...present('default', number(given, 'ttl-default')),
    ...present('max', number(given, 'ttl-max')),
  }
  const changes: Partial<AppSettings> = {
    quotas,
    ttl,
    ...present('name', given.name),
    ...present(
      'origins',
      given.origins?.split(',').filter((origin) => origin !== ''),
    ),
    ...present('webhook', given.webhook === '' ? null : given.webhook),
    ...present('budgets', given.budgets === undefined ? undefined : budgetsOf(given.budgets, currency)),
  }
  return changes
}

function number(given: Given, option: keyof Given): number | undefined {
  const text = given[option]
  if (text === undefined) return undefined
  if (!/^\d{1,12}$/.test(text)) throw new UsageError(`--${option} is a whole number`)
  return Number(text)
}

/** The form of HAIRPIN_BUDGETS, without the app. */
function budgetsOf(text: string, currency: string): AppSettings['budgets'] {
  try {
    const parts = text.split(';').filter((part) => part.trim() !== '')
    return parts.flatMap((part) => parseBudgets(`app ${part.trim()}`, currency)).map(({ app: _, ...budget }) => budget)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new UsageError(error.message.replace(`${error.variable}: "app `, '--budgets: "'))
  }
}

function present<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: T })
}
