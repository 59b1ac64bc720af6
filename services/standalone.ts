/**
 * The whole stack in one process: `npm start`. Relay, credentials and usage API, signaling, demo page and metrics with
 * embedded defaults. A default port that is taken is replaced by the next free one; one that the environment names is not.
 */
import { type Config, loadSecrets, loadSettings } from '@hairpin/config'
import { addHealth, createAdminApp, createApp, createLogger, listen, runService } from '@hairpin/http'
import { openPushGateway, signalingPlugin, webPlugin } from '@hairpin/signaling'
import { createTurnService, stopSeconds } from '@hairpin/turn'
import { buildWeb } from '@hairpin/web'
import type { WhatsappServiceOptions } from '@hairpin/whatsapp'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { banner } from './standalone/banner.ts'
import { type ChosenPort, choosePort } from './standalone/ports.ts'

/** That Meta gets at most to hear that calls are over. */
const farewellSeconds = 8

interface Ports {
  readonly http: ChosenPort
  readonly admin: ChosenPort
  readonly turn: ChosenPort
}

await runService(async (stopWith) => {
  const read = () => loadSettings(process.env)
  const first = read()
  const { config, ports } = await choosePorts(first.config)
  const secrets = loadSecrets(config)
  const logger = createLogger(config.logLevel)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  await buildWeb()

  const turn = createTurnService({ config, secrets, settings: { first, read }, logger, registry })
  const app = createApp({ logger, trustedProxies: config.trustedProxies })
  const admin = createAdminApp({ logger, registry, ready: () => turn.ready() })
  await admin.register(turn.adminPlugin)
  addHealth(app, () => turn.ready())
  await app.register(turn.apiPlugin)
  const whatsapp = await openWhatsapp({ config, secrets, logger, registry, iceServers: turn })
  if (whatsapp) await app.register(whatsapp.plugin)
  await app.register(signalingPlugin, {
    config,
    registry,
    logger,
    iceServers: turn,
    push: openPushGateway(config),
    ...(whatsapp && { desk: { desk: whatsapp.desk, app: config.desk.guests ? undefined : config.desk.app } }),
  })
  await app.register(webPlugin)

  stopWith(
    async () => {
      await turn.drain()
      await whatsapp?.stop()
      await app.close()
      await turn.stop()
      await admin.close()
    },
    stopSeconds(config) + (whatsapp ? farewellSeconds : 0),
  )
  // A terminal that is closed sends it too, and means the end.
  if (!process.stdout.isTTY) process.on('SIGHUP', () => turn.reload())
  await turn.start()
  await whatsapp?.start()
  await listen(admin, config.admin)
  await listen(app, config.http)
  console.log(banner({ config, ports, addresses: turn.addresses }))
})

/** Its native module is loaded by those alone who use it. */
async function openWhatsapp(options: Omit<WhatsappServiceOptions, 'config'> & { readonly config: Config }) {
  const { config } = options
  if (!config.whatsapp) return undefined
  const { createWhatsappService } = await import('@hairpin/whatsapp')
  return createWhatsappService({ ...options, config: { ...config, whatsapp: config.whatsapp } })
}

async function choosePorts(wanted: Config): Promise<{ config: Config; ports: Ports }> {
  const ports = {
    http: await choosePort('tcp', wanted.http.port, 'HAIRPIN_HTTP_PORT', wanted.http.host),
    admin: await choosePort('tcp', wanted.admin.port, 'HAIRPIN_ADMIN_PORT', wanted.admin.host),
    turn: await choosePort(wanted.turn.engine === 'hairpin' ? 'both' : 'udp', wanted.turn.port, 'HAIRPIN_TURN_PORT'),
  }
  const config = {
    ...wanted,
    http: { ...wanted.http, port: ports.http.port },
    admin: { ...wanted.admin, port: ports.admin.port },
    turn: { ...wanted.turn, port: ports.turn.port },
  }
  return { config, ports }
}
