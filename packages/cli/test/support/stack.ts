import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Environment, loadConfig, loadSecrets } from '@hairpin/config'
import { addHealth, createApp, createLogger } from '@hairpin/http'
import { Registry } from 'prom-client'
import { signalingPlugin } from '../../../../services/signaling/src/plugins/signaling.ts'
import { createTurnService } from '../../../../services/turn/src/index.ts'
import { hostSurroundings } from '../../../../services/turn/src/net/surroundings.ts'

export const apiKey = 'the-key-of-the-demo'

/**
 * Relay, credentials API and signaling on loopback in this process: what `npm start` runs, without pages.
 * @param own addresses that the relay takes for those of its host, in place of all that it has
 */
export async function startStack(environment: Environment = {}, own?: readonly string[]) {
  const dataDir = mkdtempSync(join(tmpdir(), 'hairpin-doctor-'))
  const settings = {
    HAIRPIN_API_KEYS: `demo:${apiKey}`,
    HAIRPIN_DATA_DIR: dataDir,
    HAIRPIN_EXTERNAL_IP: '127.0.0.1',
    HAIRPIN_LISTEN_IPS: '127.0.0.1',
    HAIRPIN_STUN_SERVER: 'off',
    HAIRPIN_TURN_PORT: '0',
    HAIRPIN_WORKERS: '1',
    ...environment,
  }
  const config = loadConfig(settings)
  const logger = createLogger('silent')
  const registry = new Registry()
  const surroundings = { ...hostSurroundings(), ...(own ? { addresses: () => [...own] } : {}) }
  const turn = createTurnService({ config, secrets: loadSecrets(config), logger, registry, surroundings })
  const app = createApp({ logger })
  addHealth(app, () => turn.ready())
  await app.register(turn.apiPlugin)
  await app.register(signalingPlugin, { config, registry, logger, iceServers: turn })
  await turn.start()
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    turnPort: turn.addresses.port,
    turnsPort: turn.addresses.tlsPort,
    environment: { ...settings, HAIRPIN_HTTP_PORT: String(port) },
    async stop() {
      await app.close()
      await turn.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
