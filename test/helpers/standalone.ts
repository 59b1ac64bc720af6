import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Background, background, exec, until } from './exec.ts'

export interface StandaloneOptions {
  /** Address of the pages and of the relay. */
  readonly host?: string
  readonly env?: Readonly<Record<string, string>>
  /** Command and arguments to run it by, as in a network namespace. */
  readonly prefix?: readonly string[]
}

export interface Standalone {
  /** Of the demo page. */
  readonly url: string
  readonly host: string
  /** The admin port, which is on the loopback address. */
  readonly adminUrl: string
  readonly dataDir: string
  readonly turnPort: number
  /** Prometheus text. */
  readonly metrics: () => Promise<string>
  readonly output: () => string
  readonly stop: () => Promise<void>
}

const entry = join(import.meta.dirname, '..', '..', 'services', 'standalone.ts')

/** Starts what `npm start` starts, on free ports and with a data folder of its own, and waits until it is ready. */
export async function startStandalone(options: StandaloneOptions = {}): Promise<Standalone> {
  const host = options.host ?? '127.0.0.1'
  const prefix = options.prefix ?? []
  const dataDir = await mkdtemp(join(tmpdir(), 'hairpin-data-'))
  const ports = { http: await freeTcpPort(), admin: await freeTcpPort(), turn: await freeRelayPort() }
  const [command = '', ...args] = [...prefix, process.execPath, entry]
  const stack: Background = background(command, args, {
    HAIRPIN_HTTP_HOST: host,
    HAIRPIN_HTTP_PORT: String(ports.http),
    HAIRPIN_ADMIN_PORT: String(ports.admin),
    HAIRPIN_TURN_PORT: String(ports.turn),
    HAIRPIN_EXTERNAL_IP: host,
    HAIRPIN_STUN_SERVER: 'off',
    HAIRPIN_DATA_DIR: dataDir,
    HAIRPIN_LOG_LEVEL: 'warn',
    ...options.env,
  })
  const stop = async () => {
    await stack.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  /** From where the stack runs: its admin port is on the loopback address there. */
  const get = (path: string) => {
    const [program = '', ...rest] = [...prefix, process.execPath, '-e', fetcher]
    return exec(program, ...rest, `http://127.0.0.1:${ports.admin}${path}`)
  }
  try {
    await until('the stack is ready', async () => {
      if (stack.process.exitCode !== null) throw new Error('it ended')
      return (await get('/readyz')) || undefined
    })
  } catch (error) {
    await stop()
    throw new Error(`${String(error)}\n${stack.output()}`)
  }
  return {
    url: `http://${host}:${ports.http}/`,
    host,
    adminUrl: `http://127.0.0.1:${ports.admin}`,
    dataDir,
    turnPort: ports.turn,
    metrics: () => get('/metrics'),
    output: stack.output,
    stop,
  }
}

const fetcher = `
  const answer = await fetch(process.argv[1])
  if (!answer.ok) throw new Error(String(answer.status))
  process.stdout.write(await answer.text())
`

/** Sum of a counter's samples whose labels contain all of `labels`. */
export function metric(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  let total = 0
  for (const line of text.split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? ([^ ]+)/.exec(line)
    if (match?.[1] !== name) continue
    const wanted = Object.entries(labels).every(([key, value]) => match[2]?.includes(`${key}="${value}"`))
    if (wanted) total += Number(match[3])
  }
  return total
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Free for UDP and TCP both. */
async function freeRelayPort(): Promise<number> {
  for (;;) {
    const port = await freeTcpPort()
    const socket = createSocket('udp4').on('error', () => {})
    const free = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false))
      socket.bind(port, () => resolve(true))
    })
    socket.close()
    if (free) return port
  }
}
