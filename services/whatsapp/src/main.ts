/** The bridge for WhatsApp calls in a process of its own, beside signaling and a relay that it reaches by HAIRPIN_TURN_API. */
import { ConfigError, loadSecrets, loadSettings } from '@hairpin/config'
import { serveDesk } from '@hairpin/desk'
import { addHealth, createAdminApp, createApp, createLogger, listen, runService } from '@hairpin/http'
import { HttpIceServers } from '@hairpin/ice-servers'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { createWhatsappService } from './whatsapp.ts'

await runService(async (stopWith) => {
  const { config } = loadSettings(process.env)
  const { whatsapp, desk } = config
  if (!whatsapp)
    throw new ConfigError(
      'HAIRPIN_WHATSAPP_PHONE_NUMBER_ID',
      'name the business number, with its token and secrets (.env.example)',
    )
  if (desk.api === undefined)
    throw new ConfigError('HAIRPIN_WHATSAPP_DESK', 'say where signaling reaches this: unix:/path or ws://host:port')
  const api = config.signaling.turnApi
  if (api === undefined)
    throw new ConfigError('HAIRPIN_TURN_API', 'say where the relay gives credentials: unix:/path or http://host:port')
  const secrets = loadSecrets(config)
  const logger = createLogger(config.logLevel)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })

  const iceServers = new HttpIceServers({ api, key: secrets.internalKey })
  const service = createWhatsappService({ config: { ...config, whatsapp }, secrets, logger, registry, iceServers })
  const app = createApp({ logger, trustedProxies: config.trustedProxies })
  addHealth(app, () => service.ready())
  await app.register(service.plugin)
  const admin = createAdminApp({ logger, registry, ready: () => service.ready() })

  await service.start()
  const served = await serveDesk(service.desk, { api: desk.api, key: secrets.internalKey, log: logger })
  stopWith(async () => {
    logger.info('stopping')
    // Agents hear that their calls are over before their link ends.
    await service.stop()
    await served.close()
    await app.close()
    await admin.close()
  })
  logger.info(`webhook at ${await listen(app, config.http)}, desk at ${served.api}, mode ${whatsapp.mode}`)
  logger.info(`metrics at ${await listen(admin, config.admin)}`)
})
