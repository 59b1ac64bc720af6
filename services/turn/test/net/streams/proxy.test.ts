import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadCertificate } from '../../../src/net/streams/certificate.ts'
import { CertificateFolder, type TestCertificate } from '../../support/certificates.ts'
import { credentialOf, loopback, streamRelay } from '../../support/relay.ts'
import { closedBy, connected, StreamRelayClient } from '../../support/stream-client.ts'

const line = 'PROXY TCP4 203.0.113.9 10.0.0.1 49152 3478\r\n'
const cleanUp: (() => unknown)[] = []
let folder: CertificateFolder
let files: TestCertificate
beforeAll(() => {
  folder = new CertificateFolder()
  files = folder.make('proxied')
})
afterAll(() => folder.remove())
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function relayBehind(proxies: string[], options: Parameters<typeof streamRelay>[0] = {}) {
  const { context } = loadCertificate(files)
  const relay = await streamRelay({ proxies, secureContext: () => context, ...options })
  cleanUp.push(() => relay.close())
  return relay
}
async function socketTo(port: number) {
  const socket = await connected(port)
  cleanUp.push(() => socket.destroy())
  return socket
}
const refusals = (relay: Awaited<ReturnType<typeof streamRelay>>) => Object.fromEntries(relay.streams.refusals())

/** Forwards connections to `port`; the first bytes go as the pieces that are made of them. */
async function balancer(port: number, pieces: (first: Buffer) => Buffer[]): Promise<number> {
  const server = createServer(async (client) => {
    const relay = await socketTo(port)
    client.once('data', async (first) => {
      client.pause()
      for (const piece of pieces(first)) {
        relay.write(piece)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      client.pipe(relay).pipe(client)
    })
  }).listen(0, loopback)
  cleanUp.push(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe('behind a proxy', () => {
  it.each([
    ['at once with the first request', [line]],
    ['byte by byte before it', [...line]],
  ])('a TCP client has the address of the header, sent %s', async (_what, pieces) => {
    const relay = await relayBehind(['127.0.0.0/8'])
    const socket = await socketTo(relay.port)
    for (const piece of pieces) {
      socket.write(piece)
      if (pieces.length > 1) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const client = new StreamRelayClient(socket, credentialOf())
    await client.allocate()
    expect([...relay.server.allocations][0]?.client).toEqual({ address: '203.0.113.9', port: 49_152, family: 4 })
    socket.destroy()
    await expect.poll(() => relay.server.allocations.size).toBe(0)
  })

  it.each([
    ['together with the ClientHello', (hello: Buffer) => [Buffer.concat([Buffer.from(line), hello])]],
    ['before it', (hello: Buffer) => [Buffer.from(line), hello]],
    [
      'with half of it',
      (hello: Buffer) => [Buffer.concat([Buffer.from(line), hello.subarray(0, 99)]), hello.subarray(99)],
    ],
  ])('a TLS client has it too, the header coming %s', async (_what, pieces) => {
    const relay = await relayBehind(['127.0.0.0/8'], { transport: 'tls' })
    const socket = connectTls({ port: await balancer(relay.port, pieces), host: loopback, rejectUnauthorized: false })
    cleanUp.push(() => socket.destroy())
    await once(socket, 'secureConnect')
    await new StreamRelayClient(socket, credentialOf()).allocate()
    expect([...relay.server.allocations][0]?.client.address).toBe('203.0.113.9')
  })

  it('a health check (LOCAL) counts as the proxy itself', async () => {
    const relay = await relayBehind(['127.0.0.1/32'])
    const socket = await socketTo(relay.port)
    socket.write('PROXY UNKNOWN\r\n')
    await new StreamRelayClient(socket, credentialOf()).allocate()
    expect([...relay.server.allocations][0]?.client.address).toBe(loopback)
  })

  it('limits are those of the clients, not of the proxy', async () => {
    const relay = await relayBehind(['127.0.0.1/32'], { limits: { perPrefix: 1 } })
    const sockets = []
    for (const source of ['203.0.113.9', '198.51.100.9', '198.51.100.10']) {
      const socket = await socketTo(relay.port)
      socket.write(`PROXY TCP4 ${source} 10.0.0.1 49152 3478\r\n`)
      sockets.push(socket)
    }
    await closedBy(sockets[2]!)
    expect(refusals(relay)).toEqual({ limit: 1 })
    expect(relay.streams.count('tcp')).toBe(2)
  })

  it('a connection without the header is cut off, and so is one that keeps silent', async () => {
    const relay = await relayBehind(['127.0.0.1/32'], { limits: { greeting: 200 } })
    const [stun, silent] = [await socketTo(relay.port), await socketTo(relay.port)]
    stun.write(Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]))
    await Promise.all([closedBy(stun), closedBy(silent)])
    expect(refusals(relay)).toEqual({ 'proxy-header': 2 })
  })
})

it('from any other address a header is not believed', async () => {
  const relay = await relayBehind(['192.0.2.0/24'])
  const socket = await socketTo(relay.port)
  socket.write(line)
  await closedBy(socket)
  expect(refusals(relay)).toEqual({ 'not-stun': 1 })
})
