/** Limits of the configuration through running workers, and new ones under live allocations. */
import { type Environment, livePolicies, loadConfig } from '@hairpin/config'
import { createLogger } from '@hairpin/http'
import { afterEach, expect, it } from 'vitest'
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

/** Two workers that may talk to loopback. */
async function engineWith(environment: Environment = {}) {
  const base = { HAIRPIN_WORKERS: '2', HAIRPIN_RELAY_PORTS: '41100-41199', HAIRPIN_PEER_ALLOW: '127.0.0.0/8' }
  const config = loadConfig({ ...base, ...environment })
  const relay = [{ family: 4, external: loopback, local: loopback, source: 'configured', why: '' }] as const
  const port = claimPort([loopback], 0)
  const addresses = { listen: [loopback], own: [loopback], port, relay }
  const engine = new HairpinEngine({
    config,
    addresses,
    secrets: { turnSecrets: [secret] },
    logger: createLogger('silent'),
  })
  cleanUp.push(() => engine.stop())
  await engine.start()
  const change = async (changes: Environment) => {
    engine.setPolicies(livePolicies(loadConfig({ ...base, ...environment, ...changes }).turn))
    await heard(engine)
  }
  const dropped = async (reason: string) =>
    (await engine.snapshot()).find(({ name, labels }) => name === 'hairpin_dropped_total' && labels.reason === reason)
      ?.value ?? 0
  return { engine, relay, port, change, dropped }
}

/** Workers take messages in order: once they have answered this, they have heard what was told before. */
async function heard(engine: HairpinEngine): Promise<void> {
  for (;;) {
    const started = performance.now()
    await engine.snapshot()
    // A worker that is too busy to answer in half a second is passed over.
    if (performance.now() - started < 400) return
  }
}

function clientOf(port: number, credential = credentialOf('ada')): RelayClient {
  const { username, credential: password } = credential
  const client = new RelayClient({ address: loopback, port }, { username, password })
  cleanUp.push(() => client.close())
  return client
}

function credentialOf(user: string) {
  return mintCredential({ secret, app: 'shop', user, expiry: Math.floor(Date.now() / 1000) + 600 })
}

function echo() {
  const socket = bindUdp({ address: loopback, port: 0, family: 4 })
  cleanUp.push(() => socket.close())
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address))
  return { address: loopback, port: socket.address().port, family: 4 as const }
}

it('bounds channels and lifetimes as the configuration says, and as it says from now on', async () => {
  const { port, change } = await engineWith({ HAIRPIN_MAX_CHANNELS: '1', HAIRPIN_LIFETIME: '120' })
  const [first, second] = [echo(), echo()]
  const ada = clientOf(port)
  await ada.allocate()
  await ada.bind(first)
  expect(await ada.bindRefused(second)).toBe(508)
  await change({ HAIRPIN_MAX_CHANNELS: '2' })
  expect(await ada.bind(second)).toBeGreaterThan(0)
})

it('takes up a bandwidth limit while a call runs, counts what it drops, and lifts it again', async () => {
  const { port, change, dropped } = await engineWith()
  const peer = echo()
  const ada = clientOf(port)
  await ada.allocate()
  await ada.bind(peer)
  ada.send(peer, 'before')
  expect((await ada.receive()).text).toBe('before')

  await change({ HAIRPIN_MAX_BPS: '4' })
  ada.send(peer, 'more than four bytes')
  await expect.poll(() => dropped('bandwidth'), { timeout: 10_000 }).toBe(1)
  await change({})
  ada.send(peer, 'after')
  expect((await ada.receive()).text).toBe('after')
})

it('lets a credential relay its bytes over all workers, then drops, counts and refuses with 486', async () => {
  const { port, dropped } = await engineWith({ HAIRPIN_BYTES_PER_CREDENTIAL: '100000', HAIRPIN_WORKERS: '3' })
  const peer = echo()
  const credential = credentialOf('ada')
  // Whichever worker each of them comes to.
  const [first, second, third] = [1, 2, 3].map(() => clientOf(port, credential)) as [
    RelayClient,
    RelayClient,
    RelayClient,
  ]
  for (const client of [first, second]) {
    await client.allocate()
    await client.bind(peer)
  }
  first.send(peer, 'x'.repeat(40_000))
  expect((await first.receive()).text).toHaveLength(40_000)
  second.send(peer, 'x'.repeat(40_000))
  await expect.poll(() => dropped('credit'), { timeout: 10_000 }).toBe(1)
  second.send(peer, 'x'.repeat(10_000))
  expect((await second.receive()).text).toHaveLength(10_000)
  first.send(peer, 'x')
  await expect.poll(() => dropped('credit'), { timeout: 10_000 }).toBe(2)
  expect(await third.allocateRefused()).toBe(486)
  await clientOf(port, credentialOf('bob')).allocate()
})

it('advertises another address to new allocations, in every worker, and relays between them', async () => {
  const { engine, relay, port } = await engineWith()
  const before = clientOf(port)
  expect((await before.allocate()).address).toBe(loopback)
  engine.setRelayAddresses(relay.map((address) => ({ ...address, external: '93.184.216.34' })))
  await heard(engine)
  const [ada, bob] = [clientOf(port, credentialOf('ada')), clientOf(port, credentialOf('bob'))]
  const [adas, bobs] = [await ada.allocate(), await bob.allocate()]
  expect([adas.address, bobs.address]).toEqual(['93.184.216.34', '93.184.216.34'])
  await bob.permit(adas)
  await ada.bind(bobs)
  ada.send(bobs, 'from the new address')
  expect(await bob.receive()).toMatchObject({ text: 'from the new address', from: adas })
})
