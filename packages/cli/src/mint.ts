import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, loadConfig, loadSecrets, loadSettings } from '@hairpin/config'
import {
  APPS_FILE,
  AppStore,
  detectAddresses,
  hostSurroundings,
  iceServersFor,
  isAppName,
  openAppsReader,
} from '@hairpin/turn/offline'
import { optionsOf, UsageError } from './options.ts'

/**
 * `hairpin mint`: a credential and where to use it, without asking any server.
 * @throws UsageError, ConfigError
 */
export async function mint(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const options = optionsOf(args, {
    user: { type: 'string' },
    app: { type: 'string', default: 'demo' },
    ttl: { type: 'string' },
    secret: { type: 'string' },
    host: { type: 'string' },
    port: { type: 'string' },
  })
  if (!isAppName(options.app)) throw new UsageError('--app is 1 to 64 letters, digits, "_", "." or "-"')
  const config = loadConfig({
    ...loadSettings(environment).environment,
    // Nobody is asked for the public address.
    HAIRPIN_STUN_SERVER: 'off',
    ...(options.host === undefined ? {} : { HAIRPIN_TURN_HOST: options.host }),
    ...(options.port === undefined ? {} : { HAIRPIN_TURN_PORT: options.port }),
  })
  const own = options.secret === undefined ? appOf(config, options.app) : undefined
  const ttl = options.ttl === undefined ? (own?.ttl.default ?? config.credentials.ttl.default) : Number(options.ttl)
  if (!Number.isInteger(ttl) || ttl < 1) throw new UsageError('--ttl is a whole number of seconds')
  const { warnings: _none, ...detected } = await detectAddresses(config, hostSurroundings())
  const { port, tls } = config.turn
  const streams = config.turn.engine === 'hairpin' ? { tcpPort: port, ...(tls ? { tlsPort: tls.port } : {}) } : {}
  const { iceServers, expiresAt } = iceServersFor(
    {
      config,
      secrets: { turnSecrets: own?.turnSecrets ?? secretsOf(config, options.secret) },
      addresses: { ...detected, port, ...streams },
    },
    { app: options.app, user: options.user, ttl },
  )
  const { username, credential } = iceServers.find((server) => server.username !== undefined)!
  const block = JSON.stringify({ iceServers }, null, 2)
  return `username:   ${username}\ncredential: ${credential}\nexpires:    ${expiresAt}\n\n${block}`
}

/** An app that has secrets of its own. */
function appOf(config: Config, name: string) {
  const file = join(config.dataDir, APPS_FILE)
  if (!existsSync(file)) return undefined
  const store = new AppStore(openAppsReader(file))
  try {
    return store.apps().find(({ id }) => id === name)
  } finally {
    store.close()
  }
}

/** Of the stack, as the relay has them; a folder without any gets none from here, or whoever mistypes its name would not notice. */
function secretsOf(config: Config, given: string | undefined): readonly string[] {
  if (given !== undefined) return [given]
  if (config.credentials.turnSecrets) return config.credentials.turnSecrets
  const file = join(config.dataDir, 'secrets.json')
  if (!existsSync(file))
    throw new UsageError(`no secrets in ${file}: start the relay once, set HAIRPIN_DATA_DIR or give --secret`)
  return loadSecrets(config).turnSecrets
}
