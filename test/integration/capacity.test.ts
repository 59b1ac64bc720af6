/** As many allocations as a busy relay holds, live at once over two workers. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClientOutput, type Endpoint, TurnClient } from '@hairpin/stun'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { steadyNow } from '../../services/turn/src/net/driver.ts'
import { bindUdp } from '../../services/turn/src/net/udp-socket.ts'
import { until } from '../helpers/exec.ts'
import { type RelayProcess, startRelay } from '../helpers/relay-process.ts'
import { metric } from '../helpers/standalone.ts'

const ALLOCATIONS = 10_000
/** Requests under way at once: what waits in the listening sockets meanwhile fits in them. */
const AT_ONCE = 64
/** Not the relay's: its relayed ports and the clients' own must not get in each other's way. */
const clientAddress = '127.0.0.3'

/** A client without timers of its own: ten thousand of them would do little else. */
class LeanClient {
  readonly socket = bindUdp({ address: clientAddress, port: 0, family: 4 })
  readonly #core: TurnClient
  readonly #port: number
  readonly #events: ClientOutput[] = []
  #wake: (() => void) | undefined

  constructor(port: number, username: string, password: string) {
    this.#port = port
    this.#core = new TurnClient({ username, password, randomBytes })
    this.socket.on('message', (bytes) => this.#perform(this.#core.receive(bytes, steadyNow())))
  }

  async allocate(): Promise<Endpoint> {
    this.#perform(this.#core.allocate(steadyNow()))
    return (await this.#next('allocated')).relayed
  }

  async permit(peer: Endpoint): Promise<void> {
    this.#perform(this.#core.createPermission([peer], steadyNow()))
    await this.#next('permitted')
  }

  send(peer: Endpoint, text: string): void {
    this.#sendRaw(this.#core.send(peer, Buffer.from(text)))
  }

  async receive(): Promise<string> {
    return Buffer.from((await this.#next('data')).payload).toString()
  }

  async release(): Promise<void> {
    this.#perform(this.#core.close(steadyNow()))
    await this.#next('closed')
  }

  async #next<T extends ClientOutput['type']>(type: T): Promise<Extract<ClientOutput, { type: T }>> {
    for (let tries = 0; ; tries++) {
      const at = this.#events.findIndex((event) => event.type === type)
      if (at >= 0) return this.#events.splice(at, 1)[0] as Extract<ClientOutput, { type: T }>
      if (tries > 100) throw new Error(`no "${type}", but ${JSON.stringify(this.#events)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          this.#perform(this.#core.handleTimeout(steadyNow()))
          resolve()
        }, 200)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  #perform(outputs: readonly ClientOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'send') this.#sendRaw(output.bytes)
      else this.#events.push(output)
    }
    this.#wake?.()
  }

  #sendRaw(bytes: Uint8Array): void {
    this.socket.send(bytes, this.#port, '127.0.0.1')
  }
}

/** Of this process, and so of its children. */
const openFiles = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readLimits())?.[1] ?? 0)

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}

describe.skipIf(openFiles < ALLOCATIONS + 1000)('a relay with two workers', () => {
  const clients: LeanClient[] = []
  let folder: string
  let relay: RelayProcess

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hairpin-capacity-'))
    // They all come from one address and are one user.
    const unlimited = { HAIRPIN_USER_QUOTA: '0', HAIRPIN_CHALLENGE_RATE: '0' }
    relay = await startRelay(folder, { ...unlimited, HAIRPIN_PEER_ALLOW: '127.0.0.0/8' })
  })

  afterAll(async () => {
    for (const { socket } of clients) socket.close()
    await relay?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test(`holds ${ALLOCATIONS} allocations at once, each of which relays, and nothing of them afterwards`, async () => {
    const { username, credential } = await relay.mint()
    const before = { descriptors: descriptors(), memory: resident() }
    for (let i = 0; i < ALLOCATIONS; i++) clients.push(new LeanClient(relay.port, username, credential))
    const relayed = new Map<LeanClient, Endpoint>()
    const started = performance.now()
    await each(async (client) => void relayed.set(client, await client.allocate()))
    const seconds = (performance.now() - started) / 1000
    expect(metric(await relay.metrics(), 'hairpin_allocations')).toBe(ALLOCATIONS)
    expect(new Set([...relayed.values()].map(({ port }) => port)).size).toBe(ALLOCATIONS)
    expect(descriptors() - before.descriptors).toBe(ALLOCATIONS)
    const kilobytes = (resident() - before.memory) / ALLOCATIONS
    console.log(
      `${ALLOCATIONS} allocations in ${seconds.toFixed(1)} s, ${kilobytes.toFixed(1)} KiB of process memory each`,
    )

    // Each talks to the next one, so all pairs of workers are among them. They share the relay's address: one permission.
    await each((client) => client.permit(relayed.get(client)!))
    await each(async (client, i) => {
      const next = clients[(i + 1) % ALLOCATIONS]!
      client.send(relayed.get(next)!, `from ${i}`)
      expect(await next.receive()).toBe(`from ${i}`)
    })

    await each((client) => client.release())
    await until('nothing is left', async () => {
      const left = metric(await relay.metrics(), 'hairpin_allocations') + descriptors() - before.descriptors
      return left <= 0 || undefined
    })
  }, 180_000)

  async function each(work: (client: LeanClient, index: number) => Promise<void>): Promise<void> {
    let next = 0
    const lane = async () => {
      while (next < clients.length) {
        const index = next++
        await work(clients[index]!, index)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
  }

  function descriptors(): number {
    return readdirSync(`/proc/${relay.pid}/fd`).length
  }

  /** KiB. */
  function resident(): number {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${relay.pid}/status`, 'utf8'))?.[1])
  }
})
