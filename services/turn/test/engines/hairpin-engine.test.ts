import { type Environment, loadConfig } from '@hairpin/config'
import { createLogger } from '@hairpin/http'
import type { Endpoint } from '@hairpin/stun'
import { afterEach, describe, expect, it } from 'vitest'
import { mintCredential } from '../../src/credentials/mint.ts'
import { HairpinEngine } from '../../src/engines/hairpin/pool.ts'
import type { RelayAddress } from '../../src/net/addresses.ts'
import { claimPort } from '../../src/net/listen-port.ts'
import { bindUdp } from '../../src/net/udp-socket.ts'
import { RelayClient } from '../support/relay-client.ts'

const secret = 'a-secret-of-the-tests'
const loopback = '127.0.0.1'
const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function engineWith(environment: Environment = {}, external = loopback) {
  const config = loadConfig({ HAIRPIN_WORKERS: '2', HAIRPIN_RELAY_PORTS: '41000-41099', ...environment })
  const relay: RelayAddress[] = [{ family: 4, external, local: loopback, source: 'configured', why: '' }]
  const port = claimPort([loopback], 0)
  const addresses = { listen: [loopback], own: [loopback], port, relay }
  const options = { config, addresses, secrets: { turnSecrets: [secret] }, logger: createLogger('silent') }
  const engine = new HairpinEngine(options)
  cleanUp.push(() => engine.stop())
  await engine.start()
  return { engine, port }
}

function clientOf(port: number, user = 'ada', ttl = 600): RelayClient {
  const expiry = Math.floor(Date.now() / 1000) + ttl
  const { username, credential } = mintCredential({ secret, app: 'shop', user, expiry })
  const client = new RelayClient({ address: loopback, port }, { username, password: credential })
  cleanUp.push(() => client.close())
  return client
}

async function sampleOf(engine: HairpinEngine, name: string, labels: Record<string, string> = {}): Promise<number> {
  const samples = (await engine.snapshot()).filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )
  return samples.reduce((sum, { value }) => sum + value, 0)
}

async function eventually(check: () => Promise<void>, milliseconds = 5000): Promise<void> {
  const until = performance.now() + milliseconds
  for (;;) {
    try {
      await check()
      return
    } catch (error) {
      if (performance.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

describe('the hairpin engine', () => {
  it.each([
    ['with the address it is bound to', loopback],
    ['behind a 1:1 NAT that does not hairpin', '93.184.216.34'],
  ])('relays between two clients on one server %s', async (_what, external) => {
    const { engine, port } = await engineWith({}, external)
    const [ada, bob] = [clientOf(port, 'ada'), clientOf(port, 'bob')]
    const [adas, bobs] = [await ada.allocate(), await bob.allocate()]
    expect([adas.address, bobs.address]).toEqual([external, external])

    await ada.permit(bobs)
    const channel = await bob.bind(adas)
    ada.send(bobs, 'as an indication')
    expect(await bob.receive()).toEqual({ text: 'as an indication', from: adas, channel })
    bob.send(adas, 'on a channel')
    expect(await ada.receive()).toEqual({ text: 'on a channel', from: bobs, channel: undefined })

    const traffic = { transport: 'udp', app: 'shop' }
    const bytes = 'as an indication'.length + 'on a channel'.length
    for (const direction of ['client_to_peer', 'peer_to_client']) {
      expect(await sampleOf(engine, 'hairpin_relay_bytes_total', { ...traffic, direction })).toBe(bytes)
      expect(await sampleOf(engine, 'hairpin_relay_packets_total', { ...traffic, direction })).toBe(2)
    }
    // From one relayed address here to the other nothing leaves the host: only what goes to the clients counts.
    const framed = 28 + 4 + 'as an indication'.length + (28 + 20 + 12 + 4 + 'on a channel'.length)
    expect(await sampleOf(engine, 'hairpin_relay_egress_bytes_total', { app: 'shop' })).toBe(framed)
  })

  it('relays to a peer that the allow list opens, ChannelData both ways', async () => {
    const { port, engine } = await engineWith({ HAIRPIN_PEER_ALLOW: '127.0.0.0/8' })
    const peerSocket = bindUdp({ address: loopback, port: 0, family: 4 })
    cleanUp.push(() => peerSocket.close())
    peerSocket.on('message', (bytes, from) => peerSocket.send(`echo ${bytes}`, from.port, from.address))
    const peer: Endpoint = { address: loopback, port: peerSocket.address().port, family: 4 }

    const client = clientOf(port)
    await client.allocate()
    const channel = await client.bind(peer)
    client.send(peer, 'hello')
    expect(await client.receive()).toEqual({ text: 'echo hello', from: peer, channel })
    expect(await sampleOf(engine, 'hairpin_relay_egress_bytes_total')).toBe(5 + 28 + (10 + 28 + 4))
  })

  it('denies private peers and everything of this host that is no live relayed port', async () => {
    const { port, engine } = await engineWith()
    const client = clientOf(port)
    await client.allocate()
    expect(await client.bindRefused({ address: '10.0.0.1', port: 80, family: 4 })).toBe(403)
    expect(await client.bindRefused({ address: '127.0.0.2', port: 80, family: 4 })).toBe(403)
    const before = await sampleOf(engine, 'hairpin_relay_packets_total')
    const self: Endpoint = { address: loopback, port, family: 4 }
    await client.permit(self)
    client.send(self, 'to the listening port')
    await eventually(async () => expect(await sampleOf(engine, 'hairpin_dropped_total')).toBeGreaterThan(0))
    expect(await sampleOf(engine, 'hairpin_relay_packets_total')).toBe(before)
  })

  it('counts allocations while they live and closes their sockets when they end', async () => {
    const { port, engine } = await engineWith()
    const client = clientOf(port)
    const relayed = await client.allocate()
    const labels = { transport: 'udp', family: 'ipv4', app: 'shop' }
    expect(await sampleOf(engine, 'hairpin_allocations', labels)).toBe(1)
    await client.release()
    expect(await sampleOf(engine, 'hairpin_allocations', labels)).toBe(0)
    expect(await sampleOf(engine, 'hairpin_allocations_total', labels)).toBe(1)
    expect(await sampleOf(engine, 'hairpin_allocation_seconds_count')).toBe(1)
    bindUdp({ address: loopback, port: relayed.port, family: 4 }).close()
  })

  it('drops garbage by reason and lives', async () => {
    const { port, engine } = await engineWith()
    const client = clientOf(port)
    for (const bytes of [[], [0], [0x40, 0, 0, 1], [0x80, 1], [0xff], new Array(30).fill(0)])
      client.sendRaw(Uint8Array.from(bytes))
    await client.allocate()
    for (const bytes of [[0x40], [0x40, 0, 0, 9, 1], [0x41, 0, 0, 0], [0x4f, 0xff, 0xff, 0xff]])
      client.sendRaw(Uint8Array.from(bytes))
    await eventually(async () => expect(await sampleOf(engine, 'hairpin_dropped_total')).toBe(10))
    expect(await sampleOf(engine, 'hairpin_relay_worker_restarts_total')).toBe(0)
  })

  it('keeps the user quota over all workers', async () => {
    const { port } = await engineWith({ HAIRPIN_USER_QUOTA: '3' })
    const clients = Array.from({ length: 6 }, () => clientOf(port, 'ada'))
    const results = await Promise.allSettled(clients.map((client) => client.allocate()))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    for (const [i, result] of results.entries())
      if (result.status === 'rejected') expect((await clients[i]!.next('failed')).code).toBe(486)
    await clientOf(port, 'bob').allocate()
  })

  it('has a budget for strangers that fifty clients behind one NAT do not feel', async () => {
    const { port, engine } = await engineWith()
    const clients = Array.from({ length: 50 }, (_, i) => clientOf(port, `user-${i}`))
    await Promise.all(clients.map((client) => client.allocate()))
    expect(await sampleOf(engine, 'hairpin_allocations')).toBe(50)
    expect(await sampleOf(engine, 'hairpin_dropped_total', { reason: 'rate-limited' })).toBe(0)
  })

  it('answers no more strangers of one prefix than its budget says', async () => {
    const { port, engine } = await engineWith({ HAIRPIN_WORKERS: '1', HAIRPIN_CHALLENGE_RATE: '10' })
    const client = clientOf(port)
    const allocate = Buffer.from('000300002112a442000000000000000000000000', 'hex')
    for (let i = 0; i < 100; i++) client.sendRaw(allocate)
    await eventually(async () =>
      expect(await sampleOf(engine, 'hairpin_dropped_total', { reason: 'rate-limited' })).toBeGreaterThan(50),
    )
  })

  it.each([
    ['for each allocation', { HAIRPIN_MAX_BPS: '10000' }],
    ['for all together, with the workers sharing', { HAIRPIN_TOTAL_BPS: '20000' }],
  ])('drops and counts what exceeds the bandwidth limit %s', async (_what, limit) => {
    const { port, engine } = await engineWith({ HAIRPIN_PEER_ALLOW: '127.0.0.0/8', ...limit })
    const peerSocket = bindUdp({ address: loopback, port: 0, family: 4 })
    cleanUp.push(() => peerSocket.close())
    const peer: Endpoint = { address: loopback, port: peerSocket.address().port, family: 4 }
    const client = clientOf(port)
    const relayed = await client.allocate()
    await client.bind(peer)
    const started = performance.now()
    for (let i = 0; i < 30; i++) client.send(peer, 'x'.repeat(1000))
    for (let i = 0; i < 10; i++) peerSocket.send('y'.repeat(1000), relayed.port, loopback)
    await eventually(async () =>
      expect(await sampleOf(engine, 'hairpin_dropped_total', { reason: 'bandwidth' })).toBeGreaterThanOrEqual(20),
    )
    const seconds = 1 + (performance.now() - started) / 1000
    expect(await sampleOf(engine, 'hairpin_relay_bytes_total')).toBeLessThanOrEqual(10_000 * seconds + 1000)
  })

  it.each([
    ['allow', {}, true],
    ['grace', { HAIRPIN_CREDENTIAL_GRACE: '1' }, false],
    ['disconnect', {}, false],
  ])('at the expiry of its credential the policy %s counts for an allocation', async (policy, more, lives) => {
    const { port, engine } = await engineWith({ HAIRPIN_CREDENTIAL_EXPIRY: policy, ...more })
    await clientOf(port, 'ada', 3).allocate()
    expect(await sampleOf(engine, 'hairpin_allocations')).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 4500))
    expect(await sampleOf(engine, 'hairpin_allocations')).toBe(lives ? 1 : 0)
  })

  it('starts a crashed worker again: counters keep, ports and quota come back', async () => {
    const { port, engine } = await engineWith({
      HAIRPIN_WORKERS: '1',
      HAIRPIN_USER_QUOTA: '1',
      HAIRPIN_RELAY_PORTS: '41100-41100',
    })
    await clientOf(port, 'ada').allocate()
    expect(await sampleOf(engine, 'hairpin_allocations_total')).toBe(1)
    await engine.workers[0]!.kill()
    await eventually(async () => expect(await sampleOf(engine, 'hairpin_relay_worker_restarts_total')).toBe(1))
    expect(await sampleOf(engine, 'hairpin_allocations')).toBe(0)
    await engine.workers[0]!.listening
    // A port is never given out again in the second in which it came back.
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const again = await clientOf(port, 'ada').allocate()
    expect(again.port).toBe(41_100)
    expect(await sampleOf(engine, 'hairpin_allocations_total')).toBe(2)
  })

  it('stops twice, and tells why it cannot start', async () => {
    const { engine, port } = await engineWith()
    await engine.stop()
    await engine.stop()
    const taken = bindUdp({ address: loopback, port, family: 4 })
    cleanUp.push(() => taken.close())
    await expect(engine.start()).rejects.toMatchObject({ code: 'TURN_PORT_IN_USE', variable: 'HAIRPIN_TURN_PORT' })
  })
})
