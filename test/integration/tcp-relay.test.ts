/** TCP allocations (RFC 6062) of the relay as its container runs it, two workers: coturn's own client, and ours. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import type { Endpoint } from '@hairpin/stun'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mintCredential } from '../../services/turn/src/credentials/mint.ts'
import type { UsageReport } from '../../services/turn/src/ledger/usage.ts'
import { CertificateFolder } from '../../services/turn/test/support/certificates.ts'
import { connected } from '../../services/turn/test/support/stream-client.ts'
import { TcpAllocationClient } from '../../services/turn/test/support/tcp-allocation-client.ts'
import { has } from '../helpers/capabilities.ts'
import { exec, until } from '../helpers/exec.ts'
import { type RelayProcess, startRelay } from '../helpers/relay-process.ts'

const MEGABYTE = 1024 * 1024
const TRANSFERS = 8
const secret = 'a-shared-secret-of-the-test'
const loopback = '127.0.0.1'
/** Another address than the relay's. */
const peerAddress = '127.0.0.3'

describe('a relay of two workers with HAIRPIN_TCP_RELAY', () => {
  const certificates = new CertificateFolder()
  const cleanUp: (() => unknown)[] = []
  let folder: string
  let relay: RelayProcess

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hairpin-tcp-relay-'))
    const { cert, key } = certificates.make('relay')
    relay = await startRelay(folder, {
      HAIRPIN_TCP_RELAY: '1',
      HAIRPIN_TCP_RELAY_CONNECTIONS: '8',
      HAIRPIN_TLS_CERT: cert,
      HAIRPIN_TLS_KEY: key,
      HAIRPIN_TURN_SECRETS: secret,
      HAIRPIN_PEER_ALLOW: '127.0.0.0/8',
    })
  })

  afterAll(async () => {
    for (const step of cleanUp) await step()
    await relay?.stop()
    await rm(folder, { recursive: true, force: true })
    certificates.remove()
  })

  const credentialOf = (app: string) => {
    const expiry = Math.floor(Date.now() / 1000) + 600
    return mintCredential({ secret, app, user: 'ada', expiry })
  }
  async function overTcp(): Promise<Socket> {
    const socket = await connected(relay.port)
    cleanUp.push(() => socket.destroy())
    return socket
  }
  async function overTls(): Promise<Socket> {
    const socket = connectTls({ port: relay.tlsPort, host: loopback, rejectUnauthorized: false })
    cleanUp.push(() => socket.destroy())
    await once(socket, 'secureConnect')
    return socket
  }
  async function listeningPeer(): Promise<{ peer: Endpoint; arrived: Promise<Socket> }> {
    const { promise, resolve } = Promise.withResolvers<Socket>()
    const server = createServer({ allowHalfOpen: true }, resolve).listen(0, peerAddress)
    await once(server, 'listening')
    cleanUp.push(() => server.close())
    return { peer: { address: peerAddress, port: (server.address() as AddressInfo).port, family: 4 }, arrived: promise }
  }
  /** Scrapes close to each other share what the first one found. */
  async function counts(series: string, value: number): Promise<void> {
    await until(`${series} is ${value}`, async () => {
      const found = (await relay.metrics()).split('\n').find((line) => line.startsWith(`${series} `))
      return Number(found?.split(' ')[1]) === value || undefined
    })
  }

  test.each([
    ['tcp', overTcp],
    ['tls', overTls],
  ] as const)(
    'relays a megabyte each way over %s, whole and counted, whichever worker a data connection comes to',
    async (transport, open) => {
      const app = `${transport}-app`
      const client = await TcpAllocationClient.over(open, credentialOf(app))
      await client.allocate()
      // The kernel spreads them over the workers: some come to the one that has the allocation, some to the other.
      const pairs: [Socket, Socket][] = []
      for (let i = 0; i < TRANSFERS; i++) {
        const { peer, arrived } = await listeningPeer()
        pairs.push([await client.reach(peer), await arrived])
      }
      const exchanges = pairs.map(async ([data, atPeer]) => {
        const [up, down] = [randomBytes(MEGABYTE), randomBytes(MEGABYTE)]
        const received = Promise.all([buffer(atPeer), buffer(data)])
        data.end(up)
        atPeer.end(down)
        expect((await received).map(hashOf)).toEqual([hashOf(up), hashOf(down)])
      })
      await Promise.all(exchanges)
      for (const direction of ['client_to_peer', 'peer_to_client']) {
        const labels = `direction="${direction}",transport="${transport}",app="${app}"`
        await counts(`hairpin_relay_bytes_total{${labels}}`, TRANSFERS * MEGABYTE)
      }
      await counts('hairpin_tcp_relay_allocations', 1)
      await client.release()
      const report = await until('the ledger has it all', async () => {
        const { total } = await relay.get<UsageReport>(`/api/v1/usage?app=${app}`)
        return total.fromClient.payload === TRANSFERS * MEGABYTE ? total : undefined
      })
      expect(report.toClient.payload).toBe(TRANSFERS * MEGABYTE)
      await counts('hairpin_tcp_relay_allocations', 0)
      await counts('hairpin_tcp_relay_connections{state="bound"}', 0)
    },
  )

  test('lets in whom the client permits, and nobody else', async () => {
    const client = await TcpAllocationClient.over(overTcp, credentialOf('passive-app'))
    const relayed = await client.allocate()
    const stranger = connect({ host: relayed.address, port: relayed.port })
    expect((await buffer(stranger)).length).toBe(0)
    await client.permit({ address: loopback, port: 1, family: 4 })
    const atPeer = connect({ host: relayed.address, port: relayed.port, allowHalfOpen: true })
    const { id, peer } = await client.attempt()
    expect(peer).toEqual({ address: loopback, port: atPeer.localPort, family: 4 })
    const data = await client.bound(id)
    const sent = randomBytes(MEGABYTE)
    atPeer.end(sent)
    expect(hashOf(await buffer(data))).toBe(hashOf(sent))
    await counts('hairpin_dropped_total{reason="no-permission"}', 1)
  })

  test('refuses denied peers, peers twice and peers that do not listen', async () => {
    const client = await TcpAllocationClient.over(overTls, credentialOf('refused-app'))
    await client.allocate()
    expect(await client.connect({ address: '10.0.0.1', port: 80, family: 4 })).toEqual({ code: 403 })
    expect(await client.connect({ address: '192.88.99.1', port: 80, family: 4 })).toEqual({ code: 403 })
    const { peer } = await listeningPeer()
    await client.reach(peer)
    expect(await client.connect(peer)).toEqual({ code: 446 })
    expect(await client.connect({ address: peerAddress, port: 1, family: 4 })).toEqual({ code: 447 })
    expect(await client.bind(0xffffffff)).toEqual({ code: 400 })
  })

  test('shows operators TCP allocations and their connections', async () => {
    const client = await TcpAllocationClient.over(overTcp, credentialOf('seen-app'))
    await client.allocate()
    const { peer } = await listeningPeer()
    await client.reach(peer)
    const answer = await relay.admin('/admin/allocations?app=seen-app&peers=1')
    expect(answer).toMatchObject({
      allocations: [
        {
          transport: 'tcp',
          relayTransport: 'tcp',
          connections: 1,
          peers: { connections: [{ peer: `${peerAddress}:${peer.port}`, state: 'bound' }] },
        },
      ],
    })
  })

  test.runIf(has('coturn')).each([
    ['over TCP', [], () => relay.port],
    ['over TLS', ['-S'], () => relay.tlsPort],
  ] as const)('serves turnutils_uclient -T %s without loss', async (_what, flags, port) => {
    const args = ['-T', ...flags, '-n', '20', '-m', '1', '-u', 'uclient/bob', '-W', secret, '-p', String(port())]
    const output = await exec('timeout', '60', 'turnutils_uclient', ...args, loopback)
    expect(output).toContain('Total lost packets 0 (0.000000%)')
    const [, sent, received] = /tot_send_bytes ~ (\d+), tot_recv_bytes ~ (\d+)\s*(?![\s\S]*tot_send)/.exec(output) ?? []
    expect(Number(sent)).toBeGreaterThan(0)
    expect(received).toBe(sent)
  })
})

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
