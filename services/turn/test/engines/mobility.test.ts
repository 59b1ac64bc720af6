/** RFC 8016 over real sockets: a client goes from address to address and from transport to transport, and the call goes on. */
import { loadConfig } from '@hairpin/config'
import { createLogger } from '@hairpin/http'
import type { Endpoint } from '@hairpin/stun'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { mintCredential } from '../../src/credentials/mint.ts'
import { HairpinEngine } from '../../src/engines/hairpin/pool.ts'
import { headerBytes, slot } from '../../src/ledger/counters.ts'
import type { SnapshotBatch } from '../../src/ledger/meter.ts'
import { totalsOf } from '../../src/ledger/meter.ts'
import { claimPort, claimTcpPort } from '../../src/net/listen-port.ts'
import { bindUdp } from '../../src/net/udp-socket.ts'
import { RoamingClient } from '../support/roaming-client.ts'

const secret = 'a-secret-of-the-tests'
const loopback = '127.0.0.1'
const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function relayWithEcho(workers: number) {
  const config = loadConfig({
    HAIRPIN_WORKERS: String(workers),
    HAIRPIN_RELAY_PORTS: '41500-41599',
    HAIRPIN_PEER_ALLOW: '127.0.0.0/8',
  })
  const port = claimPort([loopback], 0)
  const tcpPort = await claimTcpPort([loopback], 0, 'tcp')
  const relay = [{ family: 4, external: loopback, local: loopback, source: 'configured', why: '' } as const]
  const addresses = { listen: [loopback], own: [loopback], port, tcpPort, relay }
  const batches: SnapshotBatch[] = []
  const usage = { ingest: (batch: SnapshotBatch) => void batches.push(batch), endEpoch: () => {} }
  const logger = createLogger('silent')
  const engine = new HairpinEngine({ config, addresses, secrets: { turnSecrets: [secret] }, logger, usage })
  cleanUp.push(() => engine.stop())
  await engine.start()
  const echo = bindUdp({ address: loopback, port: 0, family: 4 })
  cleanUp.push(() => echo.close())
  echo.on('message', (bytes, from) => echo.send(bytes, from.port, from.address))
  const peer: Endpoint = { address: loopback, port: echo.address().port, family: 4 }
  const { username, credential } = mintCredential({ secret, app: 'shop', user: 'ada', expiry: 4_000_000_000 })
  const client = new RoamingClient({ address: loopback, port, tcpPort }, { username, password: credential })
  cleanUp.push(() => client.close())
  return { engine, client, peer, echo, batches }
}

async function sampleOf(engine: HairpinEngine, name: string, labels: Record<string, string> = {}): Promise<number> {
  const samples = (await engine.snapshot()).filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )
  return samples.reduce((sum, { value }) => sum + value, 0)
}

/** Says something to the echo and hears it, `times` times. */
async function talk(client: RoamingClient, peer: Endpoint, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    client.send(peer, `word ${100 + i}`)
    expect(await client.receive()).toBe(`word ${100 + i}`)
  }
}
const WORD = 8

describe('a client that moves', () => {
  it.each([
    [1, 4],
    [2, 24],
  ])('from port to port keeps its relayed address and its channel, with %i workers', async (workers, moves) => {
    const { engine, client, peer } = await relayWithEcho(workers)
    await client.over('udp')
    await client.allocate()
    await client.bind(peer)
    await talk(client, peer, 2)
    for (let i = 0; i < moves; i++) {
      const leave = await client.over('udp')
      await client.move()
      await leave()
      await talk(client, peer, 2)
    }
    expect(await sampleOf(engine, 'hairpin_allocations')).toBe(1)
    expect(await sampleOf(engine, 'hairpin_allocation_moves_total')).toBe(moves)
    for (const direction of ['client_to_peer', 'peer_to_client'])
      expect(await sampleOf(engine, 'hairpin_relay_bytes_total', { direction })).toBe((moves + 1) * 2 * WORD)
    await client.release()
    expect(await sampleOf(engine, 'hairpin_allocations')).toBe(0)
    // Of so many new ports some came to the worker that does not have the allocation.
    if (workers > 1) expect(await sampleOf(engine, 'hairpin_handovers_total')).toBeGreaterThan(0)
  })

  it('is reached where it was until it speaks from where it is', async () => {
    const { client, peer, echo } = await relayWithEcho(2)
    await client.over('udp')
    const relayed = await client.allocate()
    await client.bind(peer)
    await client.over('udp')
    await client.move()
    const answers = client.heard
    echo.send('to the old place', relayed.port, relayed.address)
    expect(await client.receive()).toBe('to the old place')
    expect(client.heard).toBe(answers)
    await talk(client, peer, 1)
    expect(client.heard).toBe(answers + 1)
  })

  it.each([1, 2])('from UDP to TCP and back is counted where it was, with %i workers', async (workers) => {
    const { engine, client, peer, batches } = await relayWithEcho(workers)
    await client.over('udp')
    await client.allocate()
    await client.bind(peer)
    await talk(client, peer, 3)
    for (const [transport, times] of [
      ['tcp', 5],
      ['udp', 7],
      ['tcp', 2],
    ] as const) {
      const leave = await client.over(transport)
      await client.move()
      await talk(client, peer, times)
      await leave()
    }
    const count = (transport: string) =>
      sampleOf(engine, 'hairpin_relay_packets_total', { transport, direction: 'client_to_peer' })
    expect([await count('udp'), await count('tcp')]).toEqual([10, 7])
    expect(await sampleOf(engine, 'hairpin_allocations', { transport: 'tcp' })).toBe(1)
    expect(await sampleOf(engine, 'hairpin_allocations', { transport: 'udp' })).toBe(0)
    // To the peer, and with the headers of the transport of the time to the client.
    const toClient = 17 * (WORD + 4) + 10 * headerBytes('udp', 4) + 7 * headerBytes('tcp', 4)
    const toPeer = 17 * (WORD + 28)
    expect(await sampleOf(engine, 'hairpin_relay_egress_bytes_total')).toBe(toPeer + toClient)
    await client.release()
    await vi.waitFor(() => expect(batches.at(-1)?.allocations[0]?.closedAt).toBeDefined(), 5000)
    const totals = totalsOf(batches.at(-1)!.allocations[0]!, 0)
    expect([totals[slot.to_peer_wire], totals[slot.to_client_wire]]).toEqual([toPeer, toClient])
    expect(totals[slot.from_client_wire]).toBe(toClient)
  })

  it('that loses its connection has a minute to come back by another', async () => {
    const { engine, client, peer } = await relayWithEcho(1)
    await client.over('tcp')
    await client.allocate()
    await client.bind(peer)
    await talk(client, peer, 1)
    const leave = await client.over('udp')
    await leave()
    await vi.waitFor(async () => expect(await sampleOf(engine, 'hairpin_client_connections')).toBe(0), 5000)
    expect(await sampleOf(engine, 'hairpin_allocations')).toBe(1)
    await client.move()
    await talk(client, peer, 1)
  })
})
