/** The same table over real sockets: a representative of each class x path x transport, against relays as they are shipped. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import {
  Attribute,
  type Endpoint,
  encodeAddressFamily,
  encodeChannelData,
  encodeRequestedTransport,
  Method,
  Transport,
} from '@hairpin/stun'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sample } from '../../../services/turn/src/engine.ts'
import { bindUdp } from '../../../services/turn/src/net/udp-socket.ts'
import { CertificateFolder, type TestCertificate } from '../../../services/turn/test/support/certificates.ts'
import { PATIENCE } from '../case.ts'
import { type ClientTransport, type Pair, peerAddress, TestClient } from '../client.ts'
import { type EngineName, IPV6, RELAY_V4, RELAY_V6, type Relay, SERVER, startRelay } from '../engines.ts'
import { CLASSES, DISGUISED } from './classes.ts'

interface SocketPath {
  readonly name: string
  /** Of the relayed address. */
  readonly relay: 'udp' | 'tcp'
  /** What the trap hears when it is reached. */
  readonly heard: string
  /** Tries to get `payload` to the target; the code of the request that asks for leave. */
  readonly attempt: (client: TestClient, target: Endpoint, payload: Buffer, channel: number) => Promise<number>
}

const PATHS: readonly SocketPath[] = [
  {
    name: 'CreatePermission and Send',
    relay: 'udp',
    heard: 'allowed',
    attempt: async (client, target, payload) => {
      const code = await client.permit(target)
      client.indicate(target, payload)
      return code
    },
  },
  {
    name: 'ChannelBind and ChannelData',
    relay: 'udp',
    heard: 'allowed',
    attempt: async (client, target, payload, channel) => {
      const code = await client.bind(channel, target)
      client.send(encodeChannelData(channel, payload, client.transport !== 'udp'))
      return code
    },
  },
  {
    name: 'Connect',
    relay: 'tcp',
    heard: 'a connection',
    attempt: (client, target) => client.code(Method.Connect, [peerAddress(target)]),
  },
]

const RELAYS: readonly (readonly [EngineName, ClientTransport])[] = [
  ['hairpin', 'udp'],
  ['hairpin', 'tcp'],
  ['hairpin', 'tls'],
  ['node-turn', 'udp'],
]
const DEFAULTS = {
  HAIRPIN_PEER_ALLOW: '',
  HAIRPIN_TCP_RELAY: '1',
  HAIRPIN_WORKERS: '1',
  HAIRPIN_RELAY_PORTS: '43600-43799',
}

const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
const own = [...new Set(interfaces.map(({ address }) => address))]

const folder = new CertificateFolder()
let certificate: TestCertificate
/** Hears whatever reaches this host on one port, at any of its addresses. */
const trap = bindUdp({ address: '0.0.0.0', port: 0, family: 4 })
const heard: string[] = []
trap.on('message', (bytes) => heard.push(bytes.toString()))
const { port } = trap.address()
const trapTcp = createServer((socket) => {
  heard.push('a connection')
  socket.destroy()
})
const trap6 = IPV6 ? bindUdp({ address: '::', port, family: 6 }) : undefined
trap6?.on('message', (bytes) => heard.push(bytes.toString()))

const relays: Relay[] = []
const clients: TestClient[] = []
async function start(engine: EngineName, settings: Record<string, string> = {}): Promise<Relay> {
  const relay = v6On(engine) ? [RELAY_V4, RELAY_V6] : [RELAY_V4]
  const started = await startRelay(engine, certificate, { ...DEFAULTS, ...settings }, { relay, own })
  relays.push(started)
  return started
}

beforeAll(async () => {
  certificate = folder.make('relay')
  trapTcp.listen({ host: IPV6 ? '::' : '0.0.0.0', port: 0 })
  await once(trapTcp, 'listening')
})
afterAll(async () => {
  await Promise.all(relays.map(({ engine }) => engine.stop()))
  for (const client of clients) client.close()
  trapTcp.close()
  trap.close()
  trap6?.close()
  folder.remove()
})

/** The relay's own relayed addresses are left out: they may be permitted, but see the test below. */
const TARGETS = [
  ...[...CLASSES, ...DISGUISED].map(({ name, addresses }) => ({
    what: name,
    address: addresses.find(isForeign) ?? '',
  })),
  ...own.filter(isForeign).map((address) => ({ what: 'an interface of the host', address })),
].filter(({ address }) => address !== '' && (IPV6 || !address.includes(':')))

function isForeign(address: string): boolean {
  return address !== SERVER && address !== '::1' && !address.startsWith('fe80:')
}

describe.each(RELAYS)('%s over %s', (engine, transport) => {
  let relay: Relay
  beforeAll(async () => {
    relay = await start(engine)
  })

  const paths = PATHS.filter((path) => path.relay === 'udp' || (engine === 'hairpin' && transport !== 'udp'))

  describe.each(paths)('$name', ({ name, relay: kind, heard: expected, attempt }) => {
    const trapPort = () => (kind === 'udp' ? port : (trapTcp.address() as AddressInfo).port)

    test('reach none of the denied classes', async () => {
      const client = {
        4: await clientOf(relay, transport, 4, kind),
        6: await clientOf(relay, transport, v6On(engine) ? 6 : 4, kind),
      }
      const payload = Buffer.from(`${name} of ${engine} over ${transport}`)
      for (const [i, { what, address }] of TARGETS.entries()) {
        const family = address.includes(':') ? 6 : 4
        const code = await attempt(client[family], { address, port: trapPort(), family }, payload, 0x4000 + i)
        expect([what, code]).toEqual([what, family === 6 && !v6On(engine) ? 443 : 403])
        expect(await client[family].answers()).toEqual([])
      }
      expect(await relayedPackets(relay)).toBe(0)
      expect(heard).toEqual([])
    })

    test('reach nothing of the relay’s own addresses but live relayed ports', async () => {
      for (const address of v6On(engine) ? [SERVER, '::1'] : [SERVER]) {
        const family = address === SERVER ? 4 : 6
        const client = await clientOf(relay, transport, family, kind)
        for (const [i, target] of [trapPort(), relay.port('udp'), 53].entries())
          await attempt(client, { address, port: target, family }, Buffer.from('own'), 0x4000 + i)
        expect(await client.answers()).toEqual([])
      }
      expect(await relayedPackets(relay)).toBe(0)
      expect(heard).toEqual([])
    })

    test('reach what the allow list opens: the table can fail', async () => {
      const open = await start(engine, { HAIRPIN_PEER_ALLOW: '127.0.0.53' })
      const client = await clientOf(open, transport, 4, kind)
      const target: Endpoint = { address: '127.0.0.53', port: trapPort(), family: 4 }
      expect(await attempt(client, target, Buffer.from('allowed'), 0x4000)).toBe(200)
      await expect.poll(() => heard.splice(0)).toEqual([expected])
    })
  })
})

function v6On(engine: EngineName): boolean {
  return IPV6 && engine === 'hairpin'
}

async function clientOf(
  relay: Relay,
  transport: ClientTransport,
  family: 4 | 6,
  kind: 'udp' | 'tcp',
): Promise<TestClient> {
  const options = { server: SERVER, transport, credentials: relay.credentials('eve'), patience: PATIENCE.supported }
  const client = await TestClient.open(relay.port(transport), options)
  clients.push(client)
  const pairs: Pair[] = family === 4 ? [] : [[Attribute.RequestedAddressFamily, encodeAddressFamily(6)]]
  if (kind === 'udp') await client.allocate(...pairs)
  else {
    await client.challenge()
    const tcp: Pair = [Attribute.RequestedTransport, encodeRequestedTransport(Transport.Tcp)]
    expect(await client.code(Method.Allocate, [tcp, ...pairs])).toBe(200)
  }
  return client
}

async function relayedPackets({ engine }: Relay): Promise<number> {
  const samples: readonly Sample[] = await engine.snapshot()
  const packets = samples.filter(({ name }) => name === 'hairpin_relay_packets_total')
  return packets.reduce((sum, { value }) => sum + value, 0)
}
