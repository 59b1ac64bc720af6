import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Environment, loadConfig, loadSecrets } from '@hairpin/config'
import { createAdminApp, createApp, createLogger } from '@hairpin/http'
import { Registry } from 'prom-client'
import { createTurnService } from '../../src/index.ts'
import { loopback } from './relay.ts'
import { RelayClient } from './relay-client.ts'

/** An entry of iceServers in any of its forms. */
export interface AnyIceServer {
  readonly urls: string | readonly string[]
  readonly username?: string | undefined
  readonly credential?: string | undefined
}

/** The whole relay service on loopback, its public API and its admin API, in a folder of its own. */
export async function turnService(environment: Environment = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'hairpin-turn-'))
  const config = loadConfig({
    HAIRPIN_API_KEYS: 'demo:the-key-of-the-demo',
    HAIRPIN_DATA_DIR: folder,
    HAIRPIN_EXTERNAL_IP: loopback,
    HAIRPIN_LISTEN_IPS: loopback,
    HAIRPIN_RELAY_PORTS: '42000-42099',
    HAIRPIN_STUN_SERVER: 'off',
    HAIRPIN_TURN_PORT: '0',
    HAIRPIN_TURN_SECRETS: 'the-secret-of-the-stack',
    HAIRPIN_WORKERS: '1',
    ...environment,
  })
  const logger = createLogger('silent')
  const registry = new Registry()
  const turn = createTurnService({ config, secrets: loadSecrets(config), logger, registry })
  const app = createApp({ logger, trustedProxies: config.trustedProxies })
  await app.register(turn.apiPlugin)
  const admin = createAdminApp({ logger, registry, ready: () => turn.ready() })
  await admin.register(turn.adminPlugin)
  await turn.start()
  await app.listen({ host: loopback, port: 0 })
  await admin.ready()
  const clients: RelayClient[] = []
  return {
    turn,
    app,
    admin,
    folder,
    url: `http://${loopback}:${(app.server.address() as AddressInfo).port}`,
    /** A client that is told this and no more. */
    clientOf(servers: readonly AnyIceServer[]) {
      const entries = servers.flatMap(({ urls, ...login }) => [urls].flat().map((url) => ({ url, ...login })))
      const server = entries.find(({ url }) => /^turn:.*transport=udp$/.test(url))
      const [, address = '', port = ''] = /^turn:([\d.]+):(\d+)\?/.exec(server?.url ?? '') ?? []
      const { username = '', credential: password = '' } = server ?? {}
      const client = new RelayClient({ address, port: Number(port) }, { username, password })
      clients.push(client)
      return client
    },
    async close() {
      for (const client of clients) client.close()
      await app.close()
      await admin.close()
      await turn.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type TestService = Awaited<ReturnType<typeof turnService>>
