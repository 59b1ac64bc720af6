/** What clients notice when a relay worker that is not theirs crashes and is started again: nothing. */
import { loadConfig } from '@hairpin/config'
import { createLogger } from '@hairpin/http'
import type { Endpoint } from '@hairpin/stun'
import { afterEach, expect, it, vi } from 'vitest'
import { mintCredential } from '../../src/credentials/mint.ts'
import { HairpinEngine } from '../../src/engines/hairpin/pool.ts'
import { claimPort } from '../../src/net/listen-port.ts'
import { bindUdp } from '../../src/net/udp-socket.ts'
import { RelayClient } from '../support/relay-client.ts'

const secret = 'a-secret-of-the-tests'
const loopback = '127.0.0.1'
const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function engine(): Promise<{ engine: HairpinEngine; port: number }> {
  const config = loadConfig({
    HAIRPIN_WORKERS: '2',
    HAIRPIN_RELAY_PORTS: '41300-41399',
    HAIRPIN_PEER_ALLOW: '127.0.0.0/8',
    HAIRPIN_USER_QUOTA: '0',
  })
  const port = claimPort([loopback], 0)
  const relay = [{ family: 4, external: loopback, local: loopback, source: 'configured', why: '' } as const]
  const addresses = { listen: [loopback], own: [loopback], port, relay }
  const options = { config, addresses, secrets: { turnSecrets: [secret] }, logger: createLogger('silent') }
  const engine = new HairpinEngine(options)
  cleanUp.push(() => engine.stop())
  await engine.start()
  return { engine, port }
}

async function sampleOf(engine: HairpinEngine, name: string): Promise<number> {
  const samples = (await engine.snapshot()).filter((sample) => sample.name === name)
  return samples.reduce((sum, { value }) => sum + value, 0)
}

interface Echo {
  readonly relay: HairpinEngine
  readonly port: number
  readonly peer: Endpoint
}

async function engineWithEcho(): Promise<Echo> {
  const { engine: relay, port } = await engine()
  const echo = bindUdp({ address: loopback, port: 0, family: 4 })
  cleanUp.push(() => echo.close())
  echo.on('message', (bytes, from) => echo.send(bytes, from.port, from.address))
  return { relay, port, peer: { address: loopback, port: echo.address().port, family: 4 } }
}

/** Clients of that worker, half of them on channels, the others with permissions; those that came to others are closed. */
async function clientsOf(worker: number, { relay, port, peer }: Echo): Promise<RelayClient[]> {
  const { username, credential } = mintCredential({ secret, app: 'shop', user: 'ada', expiry: 4_000_000_000 })
  const options = { username, password: credential }
  const clients = Array.from({ length: 32 }, () => new RelayClient({ address: loopback, port }, options))
  cleanUp.push(() => {
    for (const client of clients) client.close()
  })
  await Promise.all(clients.map((client) => client.allocate()))
  await Promise.all(clients.map((client, i) => (i % 2 ? client.bind(peer) : client.permit(peer))))
  const found = await relay.allocations.list({ peers: true })
  const mine = new Set(found.filter(({ id }) => id.startsWith(`${worker}-`)).map(({ client }) => client))
  const isMine = (client: RelayClient) => mine.has(`${loopback}:${client.socket.address().port}`)
  await Promise.all(clients.filter((client) => !isMine(client)).map((client) => client.release()))
  return clients.filter(isMine)
}

// Which of the two crashes makes the kernel mix up the clients of the other depends on who had bound first.
it('a crash of either of two workers loses nothing for the clients of the other', async () => {
  const echo = await engineWithEcho()
  const { relay, peer } = echo
  for (const killed of [0, 1]) {
    const clients = await clientsOf(1 - killed, echo)
    expect(clients.length).toBeGreaterThan(0)
    let sent = 0
    const talk = setInterval(() => {
      for (const client of clients) client.send(peer, `${sent}`)
      sent++
    }, 10)
    cleanUp.push(() => clearInterval(talk))
    const crashed = relay.workers[killed]!
    await crashed.kill()
    await vi.waitFor(() => expect(relay.workers[killed]).not.toBe(crashed), 5000)
    await relay.workers[killed]!.listening
    const enough = sent + 20
    await vi.waitFor(() => expect(sent).toBeGreaterThan(enough), 5000)
    clearInterval(talk)

    // Requests find their way too: a channel or a permission is refreshed where it is.
    await Promise.all(clients.map((client, i) => (i % 2 ? client.bind(peer) : client.permit(peer))))
    for (const client of clients) {
      const got = new Set<string>()
      while (got.size < sent) got.add((await client.receive()).text)
    }
    expect(await sampleOf(relay, 'hairpin_allocations')).toBe(clients.length)
    await Promise.all(clients.map((client) => client.release()))
  }
  expect(await sampleOf(relay, 'hairpin_handovers_total')).toBeGreaterThan(0)
  expect(await sampleOf(relay, 'hairpin_dropped_total')).toBe(0)
})
