import { ConfigError } from '@hairpin/config'
import { choosePrice, loadPriceTable, PriceError, type PriceTable, type Provider } from './prices.ts'

/** Lies beside the code: another price is named or given by HAIRPIN_PRICES. */
const priceTable = new URL('../../../../infra/prices.json', import.meta.url)

/**
 * The price that HAIRPIN_PRICES chooses, and the whole table.
 * @throws ConfigError naming the variable
 */
export function chosenPrice(wanted: string | undefined): { price: Provider; providers: PriceTable['providers'] } {
  try {
    const table = loadPriceTable(priceTable)
    return { price: choosePrice(table, wanted), providers: table.providers }
  } catch (error) {
    if (error instanceof PriceError) throw new ConfigError('HAIRPIN_PRICES', error.message)
    throw error
  }
}
