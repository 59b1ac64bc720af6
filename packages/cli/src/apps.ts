/**
 * `hairpin apps`: works on the apps' file in the data folder. A relay that runs sees the change within a second, one that is
 * stopped at its next start.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, loadSettings } from '@hairpin/config'
import { APPS_FILE, AppError, type AppInfo, AppStore, chosenPrice, openAppsDatabase } from '@hairpin/turn/offline'
import { appOptions, appOptionsHelp, settingsOf } from './app-options.ts'
import { argumentsOf, UsageError } from './options.ts'

export const appsHelp = `usage: hairpin apps <command>

  list [--json]
  show APP [--json]
  add APP [--secret SECRET] [settings]     prints its first API key and TURN secret, this once
  set APP [settings]                       changes the settings that are named
  remove APP                               its keys and secrets count no more, its allocations end
  key add APP                              a further API key, printed this once
  key revoke APP KEY                       by the id that "show" gives
  secret rotate APP [--secret SECRET] [--keep SECONDS]
                                           a new TURN secret, which mints from now on; the older ones count for as long
                                           as credentials of theirs may be out, or for --keep
  secret remove APP ID                     it counts no more at once
  webhook-secret APP                       a new secret that signs webhooks

settings:
${appOptionsHelp}`

/** @throws UsageError, ConfigError */
export function apps(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): string {
  const { values, positionals } = argumentsOf(args, {
    ...appOptions,
    json: { type: 'boolean', default: false },
    keep: { type: 'string' },
    secret: { type: 'string' },
  })
  const [first = 'list', ...rest] = positionals
  if (first === 'help') return appsHelp
  const words = first === 'key' || first === 'secret' ? 2 : 1
  const command = [first, ...rest].slice(0, words).join(' ')
  const [id = '', ...items] = [first, ...rest].slice(words)
  const [item = '', ...extra] = ['key revoke', 'secret remove'].includes(command) ? items : ['', ...items]
  if (extra.length > 0) throw new UsageError(`"${extra[0]}" is one argument too many`)

  const config = loadConfig(loadSettings(environment).environment)
  const { currency } = chosenPrice(config.prices).price
  const keep = seconds(values.keep)
  const kept = (app: AppInfo) => keep ?? app.ttl.max ?? config.credentials.ttl.max
  const commands: Readonly<Record<string, (store: AppStore) => string>> = {
    list: (store) => (values.json ? json(store.list()) : listText(store.list())),
    show: (store) => (values.json ? json(store.get(id)) : showText(store.get(id))),
    add(store) {
      const made = store.add(id, settingsOf(values, { quotas: {}, ttl: {} }, currency), values.secret)
      return `app ${id} added. These are shown this once:\nAPI key:        ${made.key.key}\nTURN secret:    ${made.turnSecret.secret}\nwebhook secret: ${made.webhookSecret}`
    },
    set: (store) => showText(store.set(id, settingsOf(values, store.get(id), currency))),
    remove(store) {
      store.remove(id)
      return `app ${id} removed`
    },
    'key add'(store) {
      const { id: name, key } = store.addKey(id)
      return `API key ${name}, shown this once: ${key}`
    },
    'key revoke'(store) {
      store.revokeKey(id, item)
      return `API key ${item} revoked`
    },
    'secret rotate'(store) {
      const { id: name, secret } = store.rotateSecret(id, kept(store.get(id)), values.secret)
      return `TURN secret ${name}, shown this once: ${secret}`
    },
    'secret remove'(store) {
      store.removeSecret(id, Number(item))
      return `TURN secret ${item} removed`
    },
    'webhook-secret': (store) => `webhook secret, shown this once: ${store.rotateWebhookSecret(id)}`,
  }
  if (!Object.hasOwn(commands, command)) throw new UsageError(`there is no command "apps ${command}"\n\n${appsHelp}`)
  if (command !== 'list' && id === '') throw new UsageError(`"apps ${command}" needs the name of an app`)
  return withStore(config.dataDir, commands[command]!)
}

function withStore(dataDir: string, work: (store: AppStore) => string): string {
  // A folder made here would be a mistyped one.
  if (!existsSync(dataDir)) throw new UsageError(`there is no folder ${dataDir}: set HAIRPIN_DATA_DIR to the relay's`)
  const store = new AppStore(openAppsDatabase(join(dataDir, APPS_FILE)))
  try {
    return work(store)
  } catch (error) {
    throw error instanceof AppError ? new UsageError(`${error.message} (${error.code})`) : error
  } finally {
    store.close()
  }
}

function seconds(text: string | undefined): number | undefined {
  if (text !== undefined && !/^\d{1,8}$/.test(text)) throw new UsageError('--keep is a whole number of seconds')
  return text === undefined ? undefined : Number(text)
}

function listText(list: readonly AppInfo[]): string {
  if (list.length === 0) return 'No apps but those of HAIRPIN_API_KEYS. "hairpin apps add APP" makes one.'
  const rows = list.map(({ id, keys, turnSecrets, name }) => [
    id,
    String(keys.length),
    String(turnSecrets.length),
    name,
  ])
  const lines = [['app', 'keys', 'secrets', 'name'], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((cells) => cells[column]!.length)))
  return lines
    .map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function showText({ id, createdAt, keys, turnSecrets, ...settings }: AppInfo): string {
  return [
    `app ${id}, made ${createdAt}`,
    ...keys.map(
      (key) => `API key ${key.id} …${key.last4}, made ${key.createdAt}, last used ${key.lastUsedAt ?? 'never'}`,
    ),
    ...turnSecrets.map((secret, i) => {
      const state = secret.retiresAt === null ? (i === 0 ? 'mints' : 'counts') : `counts until ${secret.retiresAt}`
      return `TURN secret ${secret.id}, made ${secret.createdAt}, ${state}`
    }),
    ...Object.entries(settings).map(([setting, value]) => `${setting}: ${JSON.stringify(value)}`),
  ].join('\n')
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2)
}
