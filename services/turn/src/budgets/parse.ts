/** HAIRPIN_BUDGETS: `* monthly 50 EUR: 80% webhook, 100% webhook refuse; shop daily 20 GB: 100% throttle:50000`. */
import { ConfigError } from '@hairpin/config'
import { Value } from 'typebox/value'
import { isAppName } from '../credentials/username.ts'
import { Budget, type BudgetAction, EVERY_APP } from '../ledger/budget.ts'

const VARIABLE = 'HAIRPIN_BUDGETS'

const byteUnits: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12, MiB: 2 ** 20, GiB: 2 ** 30 }

/**
 * Budgets separated by `;`. Each is an app (`*`: each app that has none of its own), a period, an amount with a currency or
 * MB, GB, TB, MiB, GiB, a colon, and its marks separated by commas: a percentage and what it does.
 * @param currency of the price that counts; a budget in another one could never be measured
 * @throws ConfigError naming the variable
 */
export function parseBudgets(text: string | undefined, currency: string): Budget[] {
  return (text ?? '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseBudget(part, currency))
}

const form = /^(\S+) +(monthly|daily) +(\d+(?:\.\d+)?) +([A-Za-z]+) *: *(.+)$/

function parseBudget(text: string, currency: string): Budget {
  const [, app = '', period, amount = '', unit = '', marks = ''] = form.exec(text) ?? []
  if (period === undefined) throw wrong(text, 'is not like "* monthly 50 EUR: 80% webhook, 100% refuse"')
  if (app !== EVERY_APP && !isAppName(app)) throw wrong(text, `has no app name, nor *, but "${app}"`)
  const budget = {
    app,
    period,
    limit: limitOf(text, amount, unit, currency),
    marks: marks.split(',').map((mark) => parseMark(text, mark.trim())),
  }
  if (!Value.Check(Budget, budget)) {
    const [first] = Value.Errors(Budget, budget)
    throw wrong(text, `${first?.instancePath ?? ''} ${first?.message ?? 'has a wrong form'}`)
  }
  return budget
}

function limitOf(text: string, amount: string, unit: string, currency: string) {
  const size = byteUnits[unit]
  if (size !== undefined) return { bytes: Math.round(Number(amount) * size) }
  if (unit === currency) return { money: amount, currency }
  throw wrong(text, `is neither in ${currency}, the currency of HAIRPIN_PRICES, nor in MB, GB, TB, MiB or GiB`)
}

function parseMark(text: string, mark: string) {
  const [percent = '', ...actions] = mark.split(/ +/)
  if (!/^\d{1,4}%$/.test(percent)) throw wrong(text, `has a mark "${mark}" that does not begin like 80%`)
  return { percent: Number(percent.slice(0, -1)), actions: actions.map((action) => parseAction(text, action)) }
}

function parseAction(text: string, action: string): BudgetAction {
  if (action === 'webhook' || action === 'refuse' || action === 'close') return { type: action }
  const bytesPerSecond = /^throttle:(\d{1,12})$/.exec(action)?.[1]
  if (bytesPerSecond !== undefined) return { type: 'throttle', bytesPerSecond: Number(bytesPerSecond) }
  throw wrong(text, `knows webhook, throttle:<bytes a second>, refuse and close; "${action}" is none of them`)
}

function wrong(budget: string, what: string): ConfigError {
  return new ConfigError(VARIABLE, `"${budget}" ${what}`)
}
