/** The relay on its own, as in its container: STUN/TURN, the credentials and usage APIs, metrics on the admin port. */
import { loadSecrets, loadSettings } from '@hairpin/config'
import { addHealth, createAdminApp, createApp, createLogger, listen, runService } from '@hairpin/http'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { createTurnService, stopSeconds } from './index.ts'

await runService(async (stopWith) => {
  const read = () => loadSettings(process.env)
  const first = read()
  const { config } = first
  const secrets = loadSecrets(config)
  const logger = createLogger(config.logLevel)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })

  const turn = createTurnService({ config, secrets, settings: { first, read }, logger, registry })
  const app = createApp({ logger, trustedProxies: config.trustedProxies })
  addHealth(app, () => turn.ready())
  await app.register(turn.apiPlugin)
  const admin = createAdminApp({ logger, registry, ready: () => turn.ready() })
  await admin.register(turn.adminPlugin)

  stopWith(async () => {
    await turn.drain()
    await app.close()
    await turn.stop()
    await admin.close()
  }, stopSeconds(config))
  process.on('SIGHUP', () => turn.reload())
  await turn.start()
  logger.info(`credentials and usage API at ${await listen(app, config.http)}`)
  logger.info(`metrics at ${await listen(admin, config.admin)}`)
})
