import { type IdentityConfig, loadConfig, type SignalingLimits } from '@hairpin/config'
import { type App, createApp, createLogger } from '@hairpin/http'
import type { IceServersSource } from '@hairpin/ice-servers'
import { Registry } from 'prom-client'
import { onTestFinished } from 'vitest'
import { type SignalingOptions, signalingPlugin } from '../../src/plugins/signaling.ts'
import type { PushGateway } from '../../src/push/gateway.ts'
import { Client, type ClientOptions } from './client.ts'

export interface TestServer {
  readonly app: App
  readonly port: number
  readonly registry: Registry
  /** A WebSocket that is open; it has its `id`. */
  connect(options?: ClientOptions): Promise<Client>
  /** A client that has joined and has its servers and a user list with itself. */
  join(name: string, options?: ClientOptions): Promise<Client>
  /** The value of one series of the metrics, 0 when absent. */
  metric(series: string): Promise<number>
}

export const someIceServers: IceServersSource = {
  iceServersFor: async ({ app, user }) => ({
    iceServers: [{ urls: ['turn:127.0.0.1:3478?transport=udp'], username: `1:${app}/${user}`, credential: 'c' }],
    ttl: 3600,
    expiresAt: '2030-01-01T00:00:00.000Z',
  }),
}

const defaults = loadConfig({}).signaling.limits

export interface TestOptions {
  readonly demo?: boolean
  readonly origins?: readonly string[]
  readonly iceServers?: IceServersSource
  readonly identity?: IdentityConfig
  readonly limits?: SignalingOptions['limits']
  readonly trustedProxies?: readonly string[]
  readonly push?: PushGateway
  readonly desk?: SignalingOptions['desk']
  /** What the operator configured. */
  readonly configured?: Partial<SignalingLimits>
}

/** The plugin in a real, listening application that ends with the test. */
export async function startServer(options: TestOptions = {}): Promise<TestServer> {
  const logger = createLogger('silent')
  const registry = new Registry()
  const app = createApp({ logger, trustedProxies: options.trustedProxies ?? [] })
  await app.register(signalingPlugin, {
    config: {
      demo: options.demo ?? true,
      signaling: { origins: options.origins ?? [], resumeGrace: 30, limits: { ...defaults, ...options.configured } },
      identity: options.identity ?? { secrets: [], sources: [] },
    },
    iceServers: options.iceServers ?? someIceServers,
    registry,
    logger,
    ...(options.limits && { limits: options.limits }),
    ...(options.push && { push: options.push }),
    ...(options.desk && { desk: options.desk }),
  })
  app.get('/other', async () => 'other')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  onTestFinished(() => app.close())

  const connect = async (clientOptions: ClientOptions = {}) => {
    const client = new Client(`ws://127.0.0.1:${port}/ws`, clientOptions)
    onTestFinished(() => client.socket.terminate())
    await client.next('id')
    return client
  }
  const join = async (name: string, clientOptions: ClientOptions = {}) => {
    const client = await connect(clientOptions)
    client.send({ type: 'username', name })
    await client.next('ice-servers')
    await client.next('userlist', (message) => message.users.includes(name))
    return client
  }
  const metric = async (series: string) => {
    const line = (await registry.metrics()).split('\n').find((text) => text.startsWith(`${series} `))
    return line === undefined ? 0 : Number(line.slice(series.length + 1))
  }
  return { app, port, registry, connect, join, metric }
}
