import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { background, until } from './exec.ts'

const main = join(import.meta.dirname, '..', '..', 'services', 'turn', 'src', 'main.ts')

/** An entry of RTCConfiguration.iceServers, as the credentials API gives it. */
export interface IceServer {
  readonly urls: readonly string[]
  readonly username: string
  readonly credential: string
}

export interface RelayProcess {
  readonly pid: number
  readonly port: number
  /** Of TURN over TLS; NaN without. */
  readonly tlsPort: number
  readonly metrics: () => Promise<string>
  /** The TURN server with fresh credentials of the API: URLs over UDP, TCP and, with a certificate, TLS. */
  readonly mint: () => Promise<IceServer>
  /** Asks the public API with the stack's internal key, which may see every app. */
  readonly get: <T>(path: string, key?: string) => Promise<T>
  /** Asks the admin API. */
  readonly admin: <T>(path: string) => Promise<T>
  readonly stop: () => Promise<void>
  /** As a power cut would, but for the disk. */
  readonly kill: () => Promise<void>
}

/** The relay on loopback as its container runs it: HTTP on Unix sockets in its data folder. */
export async function startRelay(folder: string, env: Readonly<Record<string, string>> = {}): Promise<RelayProcess> {
  const relay = background(process.execPath, [main], {
    HAIRPIN_DATA_DIR: folder,
    HAIRPIN_HTTP_SOCKET: join(folder, 'http.sock'),
    HAIRPIN_ADMIN_SOCKET: join(folder, 'admin.sock'),
    HAIRPIN_TURN_PORT: '0',
    HAIRPIN_TURNS_PORT: '0',
    HAIRPIN_TURN_HOST: 'localhost',
    HAIRPIN_LISTEN_IPS: '127.0.0.1',
    HAIRPIN_STUN_SERVER: 'off',
    HAIRPIN_WORKERS: '2',
    ...env,
  })
  const ask = async (socket: string, method: string, path: string, key?: string) => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const sent = request({ socketPath: join(folder, socket), method, path, headers }).end()
    const [response] = await once(sent, 'response')
    const body = await text(response)
    if (response.statusCode >= 300) throw new Error(`${path}: ${response.statusCode} ${body}`)
    return body
  }
  const kill = async () => {
    const ended = once(relay.process, 'exit')
    relay.process.kill('SIGKILL')
    await ended
  }
  try {
    await until('the relay is ready or ended', async () => {
      if (relay.process.exitCode !== null) return 'ended'
      return ask('admin.sock', 'GET', '/readyz')
    })
    if (relay.process.exitCode !== null) throw new Error('the relay ended')
  } catch (error) {
    await relay.stop()
    throw new Error(`${String(error)}\n${relay.output()}`)
  }
  const { apiKeys, internalKey } = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8'))
  const mint = async (): Promise<IceServer> =>
    JSON.parse(await ask('http.sock', 'POST', '/api/v1/turn/credentials', apiKeys[0].key)).iceServers[1]
  const { urls } = await mint()
  const portOf = (scheme: string) => Number(urls.find((url) => url.startsWith(`${scheme}:`))?.match(/:(\d+)\?/)?.[1])
  return {
    pid: relay.process.pid!,
    port: portOf('turn'),
    tlsPort: portOf('turns'),
    metrics: () => ask('admin.sock', 'GET', '/metrics'),
    mint,
    get: async (path, key = internalKey) => JSON.parse(await ask('http.sock', 'GET', path, key)),
    admin: async (path) => JSON.parse(await ask('admin.sock', 'GET', path)),
    stop: relay.stop,
    kill,
  }
}
