/** The relay on its own, as in its container: STUN/TURN, the credentials API, metrics on the admin port. */
import { ConfigError, loadConfig, loadSecrets } from '@hairpin/config'
import { addHealth, createAdminApp, createApp, createLogger, listen } from '@hairpin/http'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { createTurnService } from './index.ts'

async function start(): Promise<void> {
  const config = loadConfig(process.env)
  const secrets = loadSecrets(config)
  const logger = createLogger(config.logLevel)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })

  const turn = createTurnService({ config, secrets, logger, registry })
  const app = createApp({ logger, trustedProxies: config.trustedProxies })
  addHealth(app, () => turn.ready())
  await app.register(turn.credentialsPlugin)
  const admin = createAdminApp({ logger, registry, ready: () => turn.ready() })

  stopOnSignal(async () => {
    await app.close()
    await turn.stop()
    await admin.close()
  })
  await turn.start()
  logger.info(`credentials API at ${await listen(app, config.http)}`)
  logger.info(`metrics at ${await listen(admin, config.admin)}`)
}

/** The first SIGTERM or Ctrl-C ends cleanly, a second one at once. */
function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false
  const onSignal = () => {
    if (stopping) process.exit(1)
    stopping = true
    stop().then(
      () => process.exit(0),
      (error) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}

try {
  await start()
} catch (error) {
  // What the operator can mend is told in one line; anything else is ours and keeps its stack.
  console.error(error instanceof ConfigError ? `hairpin: ${error.message}` : error)
  process.exit(1)
}
