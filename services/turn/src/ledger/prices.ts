import { readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'

/** Which relayed bytes a provider bills; `billableBytes` says how each is counted. */
export const Basis = Type.Union([
  Type.Literal('egress'),
  Type.Literal('toClient'),
  Type.Literal('clientBoth'),
  Type.Literal('totalRelayed'),
])
export type Basis = Static<typeof Basis>

const Amount = Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,6})?$', description: 'Decimal text, at most six decimals.' })

export const Tier = Type.Object(
  {
    upTo: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
      description: 'Units of the month, counted from its first byte, up to which the price holds; null: no end.',
    }),
    price: Type.Union([Amount, Type.Null()], { description: 'Per unit; null: unknown.' }),
  },
  { additionalProperties: false },
)

export const Provider = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,39}$' }),
    name: Type.String({ minLength: 1 }),
    basis: Basis,
    unit: Type.Union([Type.Literal('GB'), Type.Literal('GiB')], { description: 'GB: 10^9 bytes. GiB: 2^30 bytes.' }),
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
    allowance: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
      description: 'Free units per month, the first of the month; null: unknown, none is assumed.',
    }),
    tiers: Type.Array(Tier, { minItems: 1 }),
    source: Type.String({ minLength: 1, description: 'Where the figures were read.' }),
    verified: Type.Union([Type.String({ pattern: '^\\d{4}-\\d{2}(-\\d{2})?$' }), Type.Null()], {
      description: 'When the source said so; null: not known.',
    }),
    confidence: Type.Union([
      Type.Literal('own'),
      Type.Literal('official'),
      Type.Literal('provider'),
      Type.Literal('third-party'),
      Type.Literal('conflicting'),
      Type.Literal('unverified'),
      Type.Literal('unknown'),
    ]),
    note: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
)
export type Provider = Static<typeof Provider>

export const PriceTable = Type.Object(
  {
    default: Type.String({ description: 'The entry that counts when HAIRPIN_PRICES names none.' }),
    providers: Type.Array(Provider, { minItems: 1 }),
  },
  { additionalProperties: false },
)
export type PriceTable = Static<typeof PriceTable>

/** A price table or a choice from it that cannot be used; the message says what to mend. */
export class PriceError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'PriceError'
  }
}

/**
 * Checks a parsed price table: form, ids, and that tiers rise and end.
 * @throws PriceError naming the entry
 */
export function parsePriceTable(json: unknown): PriceTable {
  if (!Value.Check(PriceTable, json)) {
    const [first] = Value.Errors(PriceTable, json)
    throw new PriceError(`price table: ${first ? `${first.instancePath || '/'} ${first.message}` : 'wrong form'}`)
  }
  const seen = new Set<string>()
  for (const provider of json.providers) {
    if (seen.has(provider.id)) throw new PriceError(`price table: "${provider.id}" stands there twice`)
    seen.add(provider.id)
    checkTiers(provider)
  }
  if (!seen.has(json.default)) throw new PriceError(`price table: default "${json.default}" is no entry`)
  return json
}

function checkTiers({ id, tiers }: Provider): void {
  let last = 0
  for (const [index, { upTo }] of tiers.entries()) {
    const isLast = index === tiers.length - 1
    if ((upTo === null) !== isLast)
      throw new PriceError(`price table: the last tier of "${id}", and only it, has upTo null`)
    if (upTo === null) return
    if (upTo <= last) throw new PriceError(`price table: tiers of "${id}" do not rise`)
    last = upTo
  }
}

/**
 * Reads a price table from a JSON file.
 * @throws PriceError when its contents are wrong; the file system's error when it cannot be read
 */
export function loadPriceTable(path: string | URL): PriceTable {
  const text = readFileSync(path, 'utf8')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new PriceError(`price table: not JSON (${(error as Error).message})`)
  }
  return parsePriceTable(json)
}

const own = /^(\S+) ([A-Z]{3})\/(GB|GiB)(?: (egress|toClient|clientBoth|totalRelayed))?(?: free (\d{1,12}))?$/

/**
 * What HAIRPIN_PRICES says: an entry's id, or an own price like `0.004 EUR/GB`, `0.4 USD/GB clientBoth`,
 * `0.01 USD/GiB egress free 500`. Unset: the table's default.
 * @throws PriceError when it is neither
 */
export function choosePrice(table: PriceTable, text: string | undefined): Provider {
  const id = text?.trim() || table.default
  const found = table.providers.find((provider) => provider.id === id)
  if (found) return found
  const match = own.exec(id)
  if (!match) {
    const ids = table.providers.map((provider) => provider.id).join(', ')
    throw new PriceError(`"${id}" is neither an entry (${ids}) nor a price like "0.004 EUR/GB egress free 1000"`)
  }
  const [, price, currency, unit, basis = 'egress', free = '0'] = match
  const provider = {
    id: 'own',
    name: 'Own price',
    basis,
    unit,
    currency,
    allowance: Number(free),
    tiers: [{ upTo: null, price }],
    source: 'HAIRPIN_PRICES',
    verified: null,
    confidence: 'own',
  }
  return parsePriceTable({ default: 'own', providers: [provider] }).providers[0]!
}
