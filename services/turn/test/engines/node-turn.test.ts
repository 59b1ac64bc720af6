import { once } from 'node:events'
import { loadConfig } from '@hairpin/config'
import { Attribute, encodeRequestedTransport, Method } from '@hairpin/stun'
import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import type { EngineOptions, Sample } from '../../src/engine.ts'
import { NodeTurnEngine } from '../../src/engines/node-turn/index.ts'
import { slot } from '../../src/ledger/counters.ts'
import { type SnapshotBatch, totalsOf } from '../../src/ledger/meter.ts'
import { relayMetrics } from '../../src/metrics/definitions.ts'
import type { ServerAddresses } from '../../src/net/addresses.ts'
import { codeOf, loopback, mint, TurnTestClient, udp } from './node-turn-client.ts'

const secrets = { turnSecrets: ['the newest secret of all', 'the one before the newest'] }
const relay = { family: 4, external: loopback, local: loopback, source: 'loopback', why: '' } as const

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function start(
  env: Record<string, string> = {},
  addresses: Partial<ServerAddresses> = {},
  options: Partial<EngineOptions> = {},
) {
  const socket = await udp()
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  const engine = new NodeTurnEngine({
    config: loadConfig({ HAIRPIN_PEER_ALLOW: '127.0.0.2', ...env }),
    addresses: { listen: [loopback], port, relay: [relay], own: [loopback], ...addresses },
    secrets,
    logger: pino({ level: 'silent' }),
    ...options,
  })
  closing.push(() => engine.stop())
  await engine.start()
  return { engine, port }
}

async function client(port: number, credentials = mint('demo/ada', 600, secrets.turnSecrets[0])) {
  const opened = await TurnTestClient.open(port, credentials)
  closing.push(() => opened.close())
  return opened
}

const value = (samples: Sample[], name: string, labels: Record<string, string>) =>
  samples.find((s) => s.name === name && Object.entries(labels).every(([key, wanted]) => s.labels[key] === wanted))
    ?.value

test('an app has its own secrets and number of allocations, and others have none of its', async () => {
  const quotas = { allocations: 1 }
  const { port, engine } = await start({}, {}, { apps: [{ id: 'shop', quotas, turnSecrets: ['of the shop alone'] }] })
  const allocate = async (user: string, secret: string | undefined) =>
    (await client(port, mint(user, 600, secret))).allocate()
  await allocate('shop/ada', 'of the shop alone')
  await allocate('demo/ada', secrets.turnSecrets[0])
  await expect(allocate('shop/bob', 'of the shop alone')).rejects.toThrow('486')
  await expect(allocate('shop/ada', secrets.turnSecrets[0])).rejects.toThrow('401')
  await expect(allocate('demo/ada', 'of the shop alone')).rejects.toThrow('401')

  engine.setApps([{ id: 'shop', quotas: {}, turnSecrets: ['the next one'] }])
  await allocate('shop/bob', 'the next one')
  await expect(allocate('shop/bob', 'of the shop alone')).rejects.toThrow('401')
})

test('credentials of every secret in force are accepted, and no others', async () => {
  const { port, engine } = await start()
  for (const secret of secrets.turnSecrets) await (await client(port, mint('demo/ada', 600, secret))).allocate()
  const stranger = await client(port, mint('demo/eve', 600, 'a secret that was never ours'))
  await expect(stranger.allocate()).rejects.toThrow('401')
  const late = await client(port, mint('demo/eve', -1, secrets.turnSecrets[0]))
  await expect(late.allocate()).rejects.toThrow('401')
  const samples = await engine.snapshot()
  expect(value(samples, 'hairpin_auth_failures_total', { reason: 'integrity' })).toBe(1)
  expect(value(samples, 'hairpin_auth_failures_total', { reason: 'expired' })).toBe(1)
})

test('bytes and packets are counted while the call runs', async () => {
  const { port, engine } = await start()
  const [ada, bob] = [await client(port), await client(port)]
  const [hers, his] = [await ada.allocate(), await bob.allocate()]
  await ada.bind(0x4000, his.port)
  await bob.bind(0x4000, hers.port)
  for (let i = 0; i < 10; i++) ada.sendChannelData(0x4000, Buffer.alloc(100))
  for (let i = 0; i < 10; i++) await bob.channelData()

  const samples = await engine.snapshot()
  const labels = { transport: 'udp', app: 'demo' }
  for (const direction of ['client_to_peer', 'peer_to_client']) {
    expect(value(samples, 'hairpin_relay_bytes_total', { direction, ...labels })).toBe(1000)
    expect(value(samples, 'hairpin_relay_packets_total', { direction, ...labels })).toBe(10)
  }
  // To the client alone: the peer is one of our own relayed addresses, and what goes there leaves no host.
  expect(value(samples, 'hairpin_relay_egress_bytes_total', { app: 'demo' })).toBe(10 * (100 + 4 + 28))
  expect(value(samples, 'hairpin_allocations', labels)).toBe(2)
  expect(value(samples, 'hairpin_stun_requests_total', { method: 'channel_bind', code: '200' })).toBe(2)

  const service = await udp()
  closing.push(() => service.close())
  await ada.permit(service.address().port, '127.0.0.2')
  ada.sendIndication(service.address().port, Buffer.alloc(50), '127.0.0.2')
  await vi.waitFor(async () => {
    const egress = value(await engine.snapshot(), 'hairpin_relay_egress_bytes_total', { app: 'demo' })
    expect(egress).toBe(10 * (100 + 4 + 28) + 50 + 28)
  })

  await ada.refresh(0)
  expect(value(await engine.snapshot(), 'hairpin_allocation_seconds_count', {})).toBe(1)
  expect(value(await engine.snapshot(), 'hairpin_allocations', labels)).toBe(1)
  expect(value(await engine.snapshot(), 'hairpin_allocations_total', labels)).toBe(2)
})

test('the ledger has what each allocation relayed, to the byte', async () => {
  const reports: SnapshotBatch[] = []
  const ended: string[] = []
  const usage = {
    ingest: (batch: SnapshotBatch) => reports.push(batch),
    endEpoch: (epoch: string) => ended.push(epoch),
  }
  const { port, engine } = await start({ HAIRPIN_PEER_ALLOW: '127.0.0.0/8' }, {}, { usage })
  const ada = await client(port)
  await ada.allocate()
  const service = await udp()
  closing.push(() => service.close())
  service.on('message', (datagram, from) => service.send(datagram, from.port, from.address))
  const peer = service.address().port
  await ada.bind(0x4000, peer)
  for (let i = 0; i < 10; i++) {
    ada.sendChannelData(0x4000, Buffer.alloc(100))
    await ada.channelData()
  }
  await ada.refresh(0)
  await engine.stop()
  const last = reports.flatMap(({ allocations }) => allocations).at(-1)!
  expect(last).toMatchObject({ app: 'demo', user: 'ada', transport: 'udp', family: 4, closedAt: expect.any(Number) })
  const sums = totalsOf(last, last.closedAt!)
  const framed = 10 * (100 + 4 + 28)
  const plain = 10 * (100 + 28)
  expect(sums[slot.from_client_wire]).toBe(framed)
  expect(sums[slot.to_client_wire]).toBe(framed)
  expect(sums[slot.to_peer_wire]).toBe(plain)
  expect(sums[slot.from_peer_wire]).toBe(plain)
  expect(value(await engine.snapshot(), 'hairpin_relay_egress_bytes_total', { app: 'demo' })).toBe(framed + plain)
  expect(ended).toEqual([reports[0]!.epoch])
})

test('an app whose budget is used up gets no new allocations', async () => {
  const standings = new Map([['demo', { throttle: undefined, refuse: true, close: false }]])
  const { port, engine } = await start({}, {}, { standings })
  await expect((await client(port)).allocate()).rejects.toThrow('486')
  engine.enforce(new Map())
  await (await client(port)).allocate()
})

test('private networks, metadata services and the host itself are refused unless allowed', async () => {
  const { port } = await start({}, { own: [loopback, '192.0.2.1'] })
  const ada = await client(port)
  await ada.allocate()
  for (const address of ['10.0.0.1', '169.254.169.254', '192.168.1.1', '192.0.2.1', '127.0.0.3'])
    expect(codeOf(await ada.permit(80, address))).toBe(403)
  expect(codeOf(await ada.permit(80, '127.0.0.2'))).toBe(0)
  expect(codeOf(await ada.permit(80, '9.9.9.9'))).toBe(0)
})

test('the host itself is open to its clients when the allow list names it', async () => {
  const { port } = await start({ HAIRPIN_PEER_ALLOW: '127.0.0.0/8' })
  const ada = await client(port)
  await ada.allocate()
  const service = await udp()
  closing.push(() => service.close())
  await ada.bind(0x4000, service.address().port)
  const heard = once(service, 'message', { signal: AbortSignal.timeout(1_000) })
  ada.sendChannelData(0x4000, Buffer.from('hello'))
  expect(String((await heard)[0])).toBe('hello')
})

test('every metric it counts is one of those that are exported', async () => {
  const { port, engine } = await start()
  const ada = await client(port)
  await ada.allocate()
  await ada.refresh(0)
  const known = new Map(relayMetrics.map(({ name, labels }) => [name, [...labels].sort()]))
  for (const { name, labels } of await engine.snapshot())
    if (!name.startsWith('hairpin_allocation_seconds_')) expect(Object.keys(labels).sort()).toEqual(known.get(name))
})

test('a user gets no more allocations than the quota', async () => {
  const { port } = await start({ HAIRPIN_USER_QUOTA: '2' })
  const [first, , third] = [await client(port), await (await client(port)).allocate(), await client(port)]
  await first.allocate()
  await third.challenge()
  const transport = [Attribute.RequestedTransport, encodeRequestedTransport(17)] as [number, Uint8Array]
  expect(codeOf(await third.request(Method.Allocate, [transport]))).toBe(486)
  await (await client(port, mint('demo/bob', 600, secrets.turnSecrets[0]))).allocate()
  await first.refresh(0)
  await third.allocate()
})

test('without an IPv4 address it does not start, and says why', async () => {
  await expect(start({}, { listen: ['::1'] })).rejects.toThrow('IPv4 only')
})

test('it can be stopped twice, and before it was started', async () => {
  const { engine } = await start()
  await engine.stop()
  await engine.stop()
  const config = loadConfig({})
  await new NodeTurnEngine({
    config,
    addresses: { listen: [loopback], port: 1, relay: [relay], own: [] },
    secrets,
    logger: pino({ level: 'silent' }),
  }).stop()
})
