import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadSettings } from '@hairpin/config'
import {
  chosenPrice,
  type GroupKey,
  groupKeys,
  LEDGER_FILE,
  monthEnd,
  monthStart,
  openLedgerReader,
  queryUsage,
} from '@hairpin/turn/offline'
import { optionsOf, UsageError } from './options.ts'
import { usageTable } from './usage-table.ts'
import { whatsappUsage } from './whatsapp-usage.ts'

/**
 * `hairpin usage`: a month as a table, read from the ledger's file beside a running relay or without one. With `--whatsapp`
 * the month's WhatsApp calls instead.
 * @throws UsageError, ConfigError
 */
export function usage(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
  now: number = Date.now(),
): string {
  const options = optionsOf(withMonth(args), {
    month: { type: 'string', default: '' },
    by: { type: 'string', default: 'app' },
    app: { type: 'string' },
    json: { type: 'boolean', default: false },
    whatsapp: { type: 'boolean', default: false },
  })
  const at = options.month === '' ? now : monthOf(options.month)
  const config = loadSettings(environment).config
  if (options.whatsapp) return whatsappUsage(config.dataDir, monthStart(at), monthEnd(at), options.json)
  const { price } = chosenPrice(config.prices)
  const file = join(config.dataDir, LEDGER_FILE)
  if (!existsSync(file)) throw new UsageError(`no ledger at ${file}: set HAIRPIN_DATA_DIR to the relay's data folder`)
  const ledger = openLedgerReader(file)
  try {
    const report = queryUsage(ledger, price, {
      from: monthStart(at),
      to: monthEnd(at),
      groupBy: groupsOf(options.by),
      ...(options.app === undefined ? {} : { app: options.app }),
    })
    return options.json ? JSON.stringify(report, null, 2) : usageTable(report)
  } finally {
    ledger.close()
  }
}

/** `--month` alone is the present one. */
function withMonth(args: readonly string[]): string[] {
  return args.filter((arg, i) => arg !== '--month' || (args[i + 1] !== undefined && !args[i + 1]!.startsWith('-')))
}

function monthOf(text: string): number {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) throw new UsageError('--month is a month like 2026-03')
  return Date.parse(`${text}-01T00:00:00Z`)
}

function groupsOf(text: string): GroupKey[] {
  const wanted = [...new Set(text.split(','))]
  const known = groupKeys.filter((key) => key !== 'call')
  const wrong = wanted.find((key) => !known.some((name) => name === key))
  if (wrong !== undefined) throw new UsageError(`--by knows ${known.join(', ')}; "${wrong}" is none of them`)
  return wanted as GroupKey[]
}
