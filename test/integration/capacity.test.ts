/** As many allocations as a busy relay holds, live at once over two workers. */
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Endpoint } from '@hairpin/stun'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RelayClient } from '../../services/turn/test/support/relay-client.ts'
import { until } from '../helpers/exec.ts'
import { type RelayProcess, startRelay } from '../helpers/relay-process.ts'
import { metric } from '../helpers/standalone.ts'

const ALLOCATIONS = 10_000
/** Requests under way at once: what waits in the listening sockets meanwhile fits in them. */
const AT_ONCE = 64
/** Not the relay's: its relayed ports and the clients' own must not get in each other's way. */
const clientAddress = '127.0.0.3'

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
  const clients: RelayClient[] = []
  let folder: string
  let relay: RelayProcess

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hairpin-capacity-'))
    // They all come from one address and are one user.
    const unlimited = { HAIRPIN_USER_QUOTA: '0', HAIRPIN_CHALLENGE_RATE: '0' }
    relay = await startRelay(folder, { ...unlimited, HAIRPIN_PEER_ALLOW: '127.0.0.0/8' })
  })

  afterAll(async () => {
    for (const client of clients) client.close()
    await relay?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test(`holds ${ALLOCATIONS} allocations at once, each of which relays, and nothing of them afterwards`, async () => {
    const { username, credential } = await relay.mint()
    const before = { descriptors: descriptors(), memory: resident() }
    const server = { address: '127.0.0.1', port: relay.port }
    const account = { username, password: credential }
    for (let i = 0; i < ALLOCATIONS; i++)
      clients.push(new RelayClient(server, account, { from: clientAddress, tick: 1000 }))
    const relayed = new Map<RelayClient, Endpoint>()
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
      expect((await next.receive()).text).toBe(`from ${i}`)
    })

    await each((client) => client.release())
    await until('nothing is left', async () => {
      const left = metric(await relay.metrics(), 'hairpin_allocations') + descriptors() - before.descriptors
      return left <= 0 || undefined
    })
  }, 180_000)

  async function each(work: (client: RelayClient, index: number) => Promise<void>): Promise<void> {
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
