/** The ledger of a running relay: what it says was relayed is what was relayed, to the byte, and survives a kill. */
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import type { Endpoint } from '@hairpin/stun'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mintCredential } from '../../services/turn/src/credentials/mint.ts'
import { headerBytes } from '../../services/turn/src/ledger/counters.ts'
import type { UsageReport } from '../../services/turn/src/ledger/usage.ts'
import { bindUdp } from '../../services/turn/src/net/udp-socket.ts'
import { CertificateFolder } from '../../services/turn/test/support/certificates.ts'
import { RelayClient } from '../../services/turn/test/support/relay-client.ts'
import { connected, StreamRelayClient } from '../../services/turn/test/support/stream-client.ts'
import { sleep, until } from '../helpers/exec.ts'
import { type RelayProcess, startRelay } from '../helpers/relay-process.ts'
import { metric } from '../helpers/standalone.ts'

const secret = 'a-shared-secret-of-the-test'
const app = 'shop'
/** Another address than the relay's, whose own are relayed ports or nothing. */
const peerAddress = '127.0.0.2'
const CHANNEL_HEADER = 4

let folder: string
let relay: RelayProcess
const cleanUp: (() => unknown)[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hairpin-ledger-'))
  cleanUp.push(() => rm(folder, { recursive: true, force: true }))
})
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  const settings = { HAIRPIN_TURN_SECRETS: secret, HAIRPIN_PEER_ALLOW: '127.0.0.0/8', HAIRPIN_PRICES: '1 EUR/GB' }
  relay = await startRelay(folder, { ...settings, ...env })
  cleanUp.push(() => relay.stop())
}

/** Sends everything back as it came, and counts it. */
function echoPeer(): { endpoint: Endpoint; socket: Socket; seen: { bytes: number; packets: number } } {
  const socket = bindUdp({ address: peerAddress, port: 0, family: 4 })
  cleanUp.push(() => socket.close())
  const seen = { bytes: 0, packets: 0 }
  socket.on('message', (datagram, from) => {
    seen.bytes += datagram.length
    seen.packets++
    socket.send(datagram, from.port, from.address)
  })
  return { endpoint: { address: peerAddress, port: socket.address().port, family: 4 }, socket, seen }
}

function credentialOf(user: string): { username: string; credential: string } {
  return mintCredential({ secret, app, user, expiry: Math.floor(Date.now() / 1000) + 600 })
}

function udpClient(user: string): RelayClient {
  const { username, credential } = credentialOf(user)
  const client = new RelayClient({ address: '127.0.0.1', port: relay.port }, { username, password: credential })
  cleanUp.push(() => client.close())
  return client
}

async function streamClient(transport: 'tcp' | 'tls', user: string): Promise<StreamRelayClient> {
  if (transport === 'tcp') return new StreamRelayClient(await connected(relay.port), credentialOf(user))
  const socket = connectTls({ port: relay.tlsPort, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  return new StreamRelayClient(socket, credentialOf(user))
}

const usage = (query: string) => relay.get<UsageReport>(`/api/v1/usage?${query}`)

describe('the ledger', () => {
  test.each(['udp', 'tcp', 'tls'] as const)(
    'has over %s what the client sent and got, and so have the metrics',
    async (transport) => {
      const certificates = new CertificateFolder()
      cleanUp.push(() => certificates.remove())
      const { cert, key } = certificates.make('relay')
      await start(transport === 'tls' ? { HAIRPIN_TLS_CERT: cert, HAIRPIN_TLS_KEY: key } : {})
      const peer = echoPeer()
      const client = transport === 'udp' ? udpClient('ada') : await streamClient(transport, 'ada')
      await client.allocate()
      await client.bind(peer.endpoint)
      const sent = { bytes: 0, packets: 0, padding: 0 }
      for (let round = 0; round < 20; round++) {
        for (let i = 0; i < 10; i++) {
          const size = (sent.packets * 37) % 1200
          if (client instanceof RelayClient) client.send(peer.endpoint, 'x'.repeat(size))
          else client.send(peer.endpoint, Buffer.alloc(size))
          sent.bytes += size
          sent.packets++
          sent.padding += transport === 'udp' ? 0 : -size & 3
        }
        // Nothing may be lost: what is counted was received.
        for (let i = 0; i < 10; i++) await client.receive()
      }
      expect(peer.seen).toEqual({ bytes: sent.bytes, packets: sent.packets })
      const text = await relay.metrics()
      await client.release()

      const { bytes: payload, packets, padding } = sent
      const report = await until('the ledger has the end of the call', async () => {
        const answer = await usage('groupBy=call,app,user,transport')
        return answer.rows[0]?.closed ? answer : undefined
      })
      const framed = payload + packets * (CHANNEL_HEADER + headerBytes(transport, 4))
      const plain = { payload, packets, wire: payload + packets * headerBytes('udp', 4) }
      expect(report.rows).toEqual([
        expect.objectContaining({
          app,
          user: 'ada',
          transport,
          calls: 1,
          fromClient: { payload, packets, wire: framed },
          toClient: { payload, packets, wire: framed + padding },
          fromPeer: plain,
          toPeer: plain,
          localBytes: 0,
          billableBytes: framed + padding + plain.wire,
        }),
      ])
      for (const direction of ['client_to_peer', 'peer_to_client']) {
        expect(metric(text, 'hairpin_relay_bytes_total', { direction, transport, app })).toBe(payload)
        expect(metric(text, 'hairpin_relay_packets_total', { direction, transport, app })).toBe(packets)
      }
      expect(metric(text, 'hairpin_relay_egress_bytes_total', { app })).toBe(report.total.billableBytes)
      await until('the cost is in the metrics', async () => {
        const cost = metric(await relay.metrics(), 'hairpin_relay_cost_total', { app, currency: 'EUR' })
        if (cost === 0 || cost !== Number(report.total.cost)) throw new Error(`${cost}, not ${report.total.cost}`)
        return true
      })
      // Another app's key sees nothing of it.
      expect((await usage('app=demo')).total.bytes).toBe(0)
    },
  )

  test('has all of a clean stop, calls that were under way included', async () => {
    await start()
    const peer = echoPeer()
    const client = udpClient('ada')
    await client.allocate()
    await client.bind(peer.endpoint)
    for (let i = 0; i < 50; i++) {
      client.send(peer.endpoint, 'x'.repeat(100))
      await client.receive()
    }
    await relay.stop()
    await start()
    const { rows } = await usage('groupBy=call')
    expect(rows).toMatchObject([{ calls: 1, closed: expect.any(String), toPeer: { payload: 5000, packets: 50 } }])
  })

  test('loses at most the last moments to kill -9 under load, and counts nothing twice', async () => {
    await start()
    const peer = echoPeer()
    const clients = await Promise.all(
      ['ada', 'bob', 'cid'].map(async (user) => {
        const client = udpClient(user)
        await client.allocate()
        await client.bind(peer.endpoint)
        return client
      }),
    )
    // What the peer had seen, by time.
    const seen: { at: number; bytes: number }[] = []
    const load = setInterval(() => {
      for (const client of clients) for (let i = 0; i < 5; i++) client.send(peer.endpoint, 'x'.repeat(1000))
      seen.push({ at: Date.now(), bytes: peer.seen.bytes })
    }, 10)
    cleanUp.push(() => clearInterval(load))
    await sleep(5500)
    const killed = Date.now()
    await relay.kill()
    clearInterval(load)
    await sleep(100)
    const all = peer.seen.bytes
    const before = seen.findLast(({ at }) => at <= killed - 2000)!.bytes

    await start()
    const first = await usage('groupBy=user')
    const counted = first.total.toPeer.payload
    console.log(`kill -9: ${all} bytes relayed, ${counted} in the ledger, ${before} two seconds before`)
    expect(before).toBeGreaterThan(1_000_000)
    expect(counted).toBeLessThanOrEqual(all)
    expect(counted).toBeGreaterThanOrEqual(before)
    expect(first.rows.map(({ user, calls }) => `${user} ${calls}`).sort()).toEqual(['ada 1', 'bob 1', 'cid 1'])

    // A second life adds its own, exactly; a third one finds both.
    const client = udpClient('dan')
    await client.allocate()
    await client.bind(peer.endpoint)
    for (let i = 0; i < 20; i++) {
      client.send(peer.endpoint, 'x'.repeat(1000))
      await client.receive()
    }
    await sleep(2500)
    expect((await usage('')).total.toPeer.payload).toBe(counted + 20_000)
    await relay.kill()
    await start()
    expect((await usage('groupBy=user')).total.toPeer.payload).toBe(counted + 20_000)
    expect((await usage('groupBy=call')).total).toMatchObject({ calls: 4, toPeer: { payload: counted + 20_000 } })
  })
})
