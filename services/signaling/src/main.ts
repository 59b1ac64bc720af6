import { ConfigError, loadConfig, loadSecrets } from '@hairpin/config'
import { addHealth, createAdminApp, createApp, createLogger, listen } from '@hairpin/http'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { HttpIceServers } from './http-ice-servers.ts'
import { signalingPlugin } from './plugins/signaling.ts'
import { webPlugin } from './plugins/web.ts'

/** The signaling service in a process of its own, beside a relay that it reaches by HAIRPIN_TURN_API. */
async function main(): Promise<void> {
  const config = loadConfig(process.env)
  const api = config.signaling.turnApi
  if (api === undefined)
    throw new ConfigError('HAIRPIN_TURN_API', 'say where the relay gives credentials: unix:/path or http://host:port')
  const secrets = loadSecrets(config)
  const logger = createLogger(config.logLevel)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })

  let state: 'starting' | 'ready' | 'stopping' = 'starting'
  const ready = () => state === 'ready'
  const app = createApp({ logger, trustedProxies: config.trustedProxies })
  const admin = createAdminApp({ logger, registry, ready })
  addHealth(app, ready)
  const iceServers = new HttpIceServers({ api, key: secrets.internalKey })
  await app.register(signalingPlugin, { config, iceServers, registry, logger })
  await app.register(webPlugin)

  const stop = async (signal: NodeJS.Signals) => {
    if (state === 'stopping') return
    state = 'stopping'
    logger.info({ signal }, 'stopping')
    setTimeout(() => process.exit(1), 10_000).unref()
    await app.close()
    await admin.close()
    logger.info('stopped')
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop)

  logger.info({ address: await listen(app, config.http) }, 'signaling listens')
  logger.info({ address: await listen(admin, config.admin) }, 'admin listens')
  if (state === 'starting') state = 'ready'
}

try {
  await main()
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error)
  process.exit(1)
}
