/** TCP allocations (RFC 6062) over real sockets of loopback. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import type { Endpoint } from '@hairpin/stun'
import { afterEach, describe, expect, it } from 'vitest'
import { createPeerPolicy } from '../../../src/core/index.ts'
import { Certificate } from '../../../src/net/streams/certificate.ts'
import type { Handover } from '../../../src/net/tcp-relay/relay.ts'
import { creditsOf } from '../../core/world.ts'
import { CertificateFolder } from '../../support/certificates.ts'
import { credentialOf, loopback, streamRelay } from '../../support/relay.ts'
import { connected } from '../../support/stream-client.ts'
import { TcpAllocationClient } from '../../support/tcp-allocation-client.ts'

const MEGABYTE = 1024 * 1024
const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

const tcpRelay = { worker: 0, workers: 1, maxConnections: 4 }
type Options = NonNullable<Parameters<typeof streamRelay>[0]>
type Relay = Awaited<ReturnType<typeof streamRelay>>

async function relayWith({ core, ...options }: Options = {}): Promise<Relay> {
  const relay = await streamRelay({ ...options, core: { tcpRelay, ...core } })
  cleanUp.push(() => relay.close())
  return relay
}
async function socketTo(port: number): Promise<Socket> {
  const socket = await connected(port)
  socket.allowHalfOpen = true
  cleanUp.push(() => socket.destroy())
  return socket
}
async function clientOf(port: number): Promise<{ client: TcpAllocationClient; relayed: Endpoint }> {
  const client = await TcpAllocationClient.over(() => socketTo(port), credentialOf())
  return { client, relayed: await client.allocate() }
}
async function peerServer(onSocket: (socket: Socket) => void = () => {}): Promise<{ server: Server; peer: Endpoint }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    cleanUp.push(() => socket.destroy())
    socket.on('error', () => {})
    onSocket(socket)
  }).listen(0, loopback)
  await once(server, 'listening')
  cleanUp.push(() => server.close())
  return { server, peer: { address: loopback, port: (server.address() as AddressInfo).port, family: 4 } }
}
/** A peer's own connection to the relayed address. */
async function dial(relayed: Endpoint): Promise<Socket> {
  const socket = connect({ host: relayed.address, port: relayed.port, allowHalfOpen: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  cleanUp.push(() => socket.destroy())
  return socket
}
/** What it is sent until it is closed, or half of it. */
function ended(socket: Socket): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const got: Buffer[] = []
  const done = () => resolve(Buffer.concat(got))
  socket
    .on('data', (chunk) => got.push(chunk))
    .on('end', done)
    .on('close', done)
    .resume()
  AbortSignal.timeout(5000).addEventListener('abort', () => reject(new Error('it is not closed')))
  return promise
}
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
/** Bytes that went to the peer when no more do. */
async function heldBack(relay: Relay): Promise<number> {
  let last = 0
  const rests = () => {
    const before = last
    last = allocationOf(relay).clientToPeerBytes
    return last > 0 && last === before
  }
  await expect.poll(rests, { interval: 200, timeout: 10_000 }).toBe(true)
  return last
}
const allocationOf = (relay: Relay) => [...relay.server.allocations][0]!

/** Sends a megabyte each way at once; each arrives whole. */
async function exchange(a: Socket, b: Socket): Promise<void> {
  const [toB, toA] = [randomBytes(MEGABYTE), randomBytes(MEGABYTE)]
  const arrived = Promise.all([buffer(a), buffer(b)])
  a.end(toB)
  b.end(toA)
  const [atA, atB] = await arrived
  expect([hashOf(atA), hashOf(atB)]).toEqual([hashOf(toA), hashOf(toB)])
}

describe('a client that connects to a peer', () => {
  it('is seen there as the relayed address, and a megabyte each way is whole and counted', async () => {
    const relay = await relayWith()
    const { client, relayed } = await clientOf(relay.port)
    const seen = Promise.withResolvers<Socket>()
    const { peer } = await peerServer(seen.resolve)
    const data = await client.reach(peer)
    const atPeer = await seen.promise
    expect({ address: atPeer.remoteAddress, port: atPeer.remotePort }).toMatchObject({
      address: relayed.address,
      port: relayed.port,
    })
    await exchange(data, atPeer)
    const { clientToPeerBytes, clientToPeerPackets, peerToClientBytes } = allocationOf(relay)
    expect([clientToPeerBytes, peerToClientBytes]).toEqual([MEGABYTE, MEGABYTE])
    expect(clientToPeerPackets).toBeGreaterThanOrEqual(Math.ceil(MEGABYTE / 1448))
    await expect.poll(() => relay.server.connections.size).toBe(0)
  })

  it('gets what the peer sent before it bound the connection, be the peer gone', async () => {
    const relay = await relayWith()
    const { client } = await clientOf(relay.port)
    const { peer } = await peerServer((socket) => socket.end('early bird'))
    const data = await client.reach(peer)
    expect((await buffer(data)).toString()).toBe('early bird')
  })

  it('may send in the same breath as ConnectionBind succeeds, and half-close', async () => {
    const relay = await relayWith()
    const { client } = await clientOf(relay.port)
    const { peer } = await peerServer(async (socket) => socket.end(`heard ${(await buffer(socket)).toString()}`))
    const data = await client.reach(peer)
    data.end('all of it')
    expect((await buffer(data)).toString()).toBe('heard all of it')
  })

  it('has several connections to several peers from one port', async () => {
    const relay = await relayWith()
    const { client } = await clientOf(relay.port)
    for (let i = 0; i < 3; i++) {
      const { peer } = await peerServer((socket) => socket.pipe(socket))
      const data = await client.reach(peer)
      data.write(`hello ${i}`)
      data.resume()
      expect((await once(data, 'data'))[0].toString()).toBe(`hello ${i}`)
    }
    expect(relay.server.connections.size).toBe(3)
  })

  it('draws 447 where nobody listens, 446 for the same peer twice', async () => {
    const relay = await relayWith()
    const { client } = await clientOf(relay.port)
    const { server, peer } = await peerServer()
    await client.reach(peer)
    expect(await client.connect(peer)).toEqual({ code: 446 })
    const other = await peerServer()
    other.server.close()
    await once(other.server, 'close')
    expect(await client.connect(other.peer)).toEqual({ code: 447 })
    expect(server.listening).toBe(true)
  })

  it('reaches another client of the relay by its relayed address', async () => {
    const relay = await relayWith()
    const [ada, bob] = [await clientOf(relay.port), await clientOf(relay.port)]
    await bob.client.permit(ada.relayed)
    const data = await ada.client.reach(bob.relayed)
    const { id, peer } = await bob.client.attempt()
    expect(peer).toEqual(ada.relayed)
    await exchange(data, await bob.client.bound(id))
  })
})

describe('a client that another one reaches by its relayed address', () => {
  it('behind a 1:1 NAT, which no packet has to pass: both see advertised addresses', async () => {
    const external = '198.51.100.7'
    const relay = await relayWith({
      external,
      core: { peers: createPeerPolicy({ relayAddresses: [external, loopback] }) },
    })
    const [ada, bob] = [await clientOf(relay.port), await clientOf(relay.port)]
    expect(ada.relayed.address).toBe(external)
    await bob.client.permit(ada.relayed)
    const data = await ada.client.reach(bob.relayed)
    const { id, peer } = await bob.client.attempt()
    expect(peer).toEqual(ada.relayed)
    await exchange(data, await bob.client.bound(id))
    const [first] = relay.server.allocations
    // What stays on this host is told apart: nobody bills it.
    expect(first?.attachment).toMatchObject({ ownBytes: MEGABYTE })
    // Nothing else of this host is reachable by either address.
    const { peer: own } = await peerServer()
    expect(await ada.client.connect(own)).toEqual({ code: 403 })
    expect(await ada.client.connect({ ...own, address: external })).toEqual({ code: 403 })
  })
})

describe('clients behind a proxy', () => {
  it('are known by their own addresses, control and data connections alike', async () => {
    const relay = await relayWith({ proxies: ['127.0.0.1/32'] })
    let port = 40_000
    const open = async () => {
      const socket = await socketTo(relay.port)
      socket.write(`PROXY TCP4 192.0.2.9 192.0.2.1 ${port++} 3478\r\n`)
      return socket
    }
    const client = await TcpAllocationClient.over(open, credentialOf())
    await client.allocate()
    expect(allocationOf(relay).client).toEqual({ address: '192.0.2.9', port: 40_000, family: 4 })
    const seen = Promise.withResolvers<Socket>()
    const { peer } = await peerServer(seen.resolve)
    await exchange(await client.reach(peer), await seen.promise)
    expect(allocationOf(relay)).toMatchObject({ clientToPeerBytes: MEGABYTE, peerToClientBytes: MEGABYTE })
  })
})

describe('a peer that connects to the relayed address', () => {
  it('is announced when it is permitted, and a megabyte each way is whole', async () => {
    const relay = await relayWith()
    const { client, relayed } = await clientOf(relay.port)
    await client.permit({ address: loopback, port: 1, family: 4 })
    const atPeer = await dial(relayed)
    const { id, peer } = await client.attempt()
    expect(peer).toEqual({ address: loopback, port: atPeer.localPort, family: 4 })
    await exchange(await client.bound(id), atPeer)
    expect(allocationOf(relay)).toMatchObject({ clientToPeerBytes: MEGABYTE, peerToClientBytes: MEGABYTE })
  })

  it('is closed at once when it is not, and counted', async () => {
    const relay = await relayWith()
    const { relayed } = await clientOf(relay.port)
    expect(await ended(await dial(relayed))).toHaveLength(0)
    expect(relay.dropped().get('no-permission')).toBe(1)
  })

  it('is still let in while the client connects to others from that port', async () => {
    const relay = await relayWith()
    const { client, relayed } = await clientOf(relay.port)
    await client.permit({ address: loopback, port: 1, family: 4 })
    const { peer } = await peerServer()
    await client.reach(peer)
    for (let i = 0; i < 3; i++) {
      const atPeer = await dial(relayed)
      expect((await client.attempt()).peer.port).toBe(atPeer.localPort)
    }
  })
})

describe('data connections', () => {
  async function pair(options: Options = {}) {
    const relay = await relayWith(options)
    const { client, relayed } = await clientOf(relay.port)
    const seen = Promise.withResolvers<Socket>()
    const { peer } = await peerServer(seen.resolve)
    const data = await client.reach(peer)
    return { relay, client, relayed, peer, data, atPeer: await seen.promise }
  }

  it('close when the peer resets, and when the client does', async () => {
    const first = await pair()
    first.data.resume()
    first.atPeer.resetAndDestroy()
    await ended(first.data)
    const second = await pair()
    second.atPeer.resume()
    second.data.resetAndDestroy()
    await ended(second.atPeer)
    await expect.poll(() => second.relay.server.connections.size).toBe(0)
  })

  it('close when the allocation is deleted and when its control connection ends', async () => {
    const first = await pair()
    const both = Promise.all([ended(first.data), ended(first.atPeer)])
    await first.client.release()
    await both
    expect(first.relay.streams.count('tcp')).toBe(1)

    const second = await pair()
    second.data.resume()
    second.client.control.socket.destroy()
    await ended(second.data)
    await expect.poll(() => second.relay.streams.count('tcp')).toBe(0)
    expect(second.relay.tcpRelay?.samples().every(({ value }) => value === 0)).toBe(true)
  })

  it('hold a sender back when the other end does not read: nothing piles up', async () => {
    const { relay, data, atPeer } = await pair()
    atPeer.pause()
    const written = 64 * MEGABYTE
    data.write(Buffer.alloc(written))
    // What the kernel's buffers take, which is far from all of it.
    expect(await heldBack(relay)).toBeLessThan(written / 2)
    let got = 0
    atPeer.on('data', (chunk) => {
      got += chunk.length
    })
    atPeer.resume()
    await expect.poll(() => got, { timeout: 20_000 }).toBe(written)
    expect(allocationOf(relay).clientToPeerBytes).toBe(written)
  })

  it('keep to the allocation’s bandwidth by waiting: what is sent arrives whole, later', async () => {
    const rate = 2 * MEGABYTE
    const { relay, data, atPeer } = await pair({ core: { bandwidth: { perAllocation: rate, burst: 0.1 } } })
    const started = performance.now()
    const sent = randomBytes(MEGABYTE)
    data.end(sent)
    expect(hashOf(await buffer(atPeer))).toBe(hashOf(sent))
    // A megabyte at two a second, less what may burst.
    expect(performance.now() - started).toBeGreaterThan(300)
    expect(relay.dropped().get('bandwidth')).toBeUndefined()
  })

  it('close when the credential has nothing left to relay', async () => {
    const { data, atPeer, relay } = await pair({ core: { credits: creditsOf(1000) } })
    data.resume()
    data.write(Buffer.alloc(1001))
    expect(await ended(atPeer)).toHaveLength(0)
    await expect.poll(() => relay.server.connections.size).toBe(0)
  })

  it('work over TLS both for control and data', async () => {
    const certificates = new CertificateFolder()
    cleanUp.push(() => certificates.remove())
    const certificate = new Certificate(certificates.make('relay'), { changed() {}, failed() {} })
    const relay = await relayWith({ transport: 'tls', secureContext: () => certificate.current.context })
    const open = async () => {
      const socket = connectTls({ port: relay.port, host: loopback, rejectUnauthorized: false })
      cleanUp.push(() => socket.destroy())
      await once(socket, 'secureConnect')
      return socket
    }
    const client = await TcpAllocationClient.over(open, credentialOf())
    await client.allocate()
    const seen = Promise.withResolvers<Socket>()
    const { peer } = await peerServer(seen.resolve)
    const data = await client.reach(peer)
    await exchange(data, await seen.promise)
    expect(allocationOf(relay)).toMatchObject({ clientToPeerBytes: MEGABYTE, peerToClientBytes: MEGABYTE })
  })
})

describe('a data connection that comes to another worker', () => {
  /** Two workers in one thread, each with a port of its own: which one a connection comes to is for the test to say. */
  async function twoWorkers() {
    const nonceKey = randomBytes(32)
    const relays: Relay[] = []
    const handOver = (handover: Handover) => relays[handover.worker]?.tcpRelay?.take(handover)
    for (const worker of [0, 1])
      relays.push(
        await relayWith({ handOver, core: { nonceKey, tcpRelay: { worker, workers: 2, maxConnections: 4 } } }),
      )
    return relays as [Relay, Relay]
  }

  async function acrossWorkers() {
    const [owner, other] = await twoWorkers()
    let port = owner.port
    const client = await TcpAllocationClient.over(() => socketTo(port), credentialOf())
    await client.allocate()
    port = other.port
    const seen = Promise.withResolvers<Socket>()
    const { peer } = await peerServer(seen.resolve)
    return { owner, other, client, peer, seen: seen.promise }
  }

  it('is handed over, and a megabyte each way is whole and counted by its owner', async () => {
    const { owner, other, client, peer, seen } = await acrossWorkers()
    await exchange(await client.reach(peer), await seen)
    expect(allocationOf(owner)).toMatchObject({ clientToPeerBytes: MEGABYTE, peerToClientBytes: MEGABYTE })
    await expect.poll(() => other.streams.count('tcp')).toBe(0)
    await expect.poll(() => owner.server.connections.size).toBe(0)
    expect(owner.streams.count('tcp')).toBe(1)
  })

  it('is held back when its peer does not read', async () => {
    const { owner, client, peer, seen } = await acrossWorkers()
    const data = await client.reach(peer)
    ;(await seen).pause()
    const written = 64 * MEGABYTE
    data.write(Buffer.alloc(written))
    expect(await heldBack(owner)).toBeLessThan(written / 2)
  })

  it('is closed with its allocation, and by either end', async () => {
    const { owner, other, client, peer, seen } = await acrossWorkers()
    const data = await client.reach(peer)
    await seen
    await client.release()
    await ended(data)
    await expect.poll(() => other.streams.count('tcp')).toBe(0)
    expect(owner.server.connections.size).toBe(0)
  })

  it('is refused there like anywhere when it names nothing, and goes no further', async () => {
    const { owner, client } = await acrossWorkers()
    expect(await client.bind(7)).toEqual({ code: 400 })
    expect(owner.server.connections.size).toBe(0)
  })
})
