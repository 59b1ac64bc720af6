/** The signaling service in a process of its own, beside a relay that it reaches by HAIRPIN_TURN_API. */
import { ConfigError, loadSecrets, loadSettings } from '@hairpin/config'
import { remoteDesk } from '@hairpin/desk'
import { addHealth, createAdminApp, createApp, createLogger, listen, runService } from '@hairpin/http'
import { HttpIceServers } from '@hairpin/ice-servers'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { signalingPlugin } from './plugins/signaling.ts'
import { webPlugin } from './plugins/web.ts'
import { openPushGateway } from './push/gateway.ts'

await runService(async (stopWith) => {
  const { config } = loadSettings(process.env)
  const api = config.signaling.turnApi
  if (api === undefined)
    throw new ConfigError('HAIRPIN_TURN_API', 'say where the relay gives credentials: unix:/path or http://host:port')
  const secrets = loadSecrets(config)
  const logger = createLogger(config.logLevel)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })

  let ready = false
  const app = createApp({ logger, trustedProxies: config.trustedProxies })
  const admin = createAdminApp({ logger, registry, ready: () => ready })
  addHealth(app, () => ready)
  const iceServers = new HttpIceServers({ api, key: secrets.internalKey })
  const { api: deskApi, guests, app: deskApp } = config.desk
  const desk = deskApi === undefined ? undefined : remoteDesk({ api: deskApi, key: secrets.internalKey, log: logger })
  await app.register(signalingPlugin, {
    config,
    iceServers,
    registry,
    logger,
    push: openPushGateway(config),
    ...(desk && { desk: { desk, app: guests ? undefined : deskApp } }),
  })
  await app.register(webPlugin)

  stopWith(async () => {
    ready = false
    logger.info('stopping')
    await app.close()
    desk?.close()
    await admin.close()
  })
  logger.info({ address: await listen(app, config.http) }, 'signaling listens')
  logger.info({ address: await listen(admin, config.admin) }, 'admin listens')
  ready = true
})
