import { Attribute, Class, type Endpoint, encodeChannelData, MessageWriter, Method, parseMessage } from '@hairpin/stun'
import { afterEach, describe, expect, it } from 'vitest'
import { STREAM_LIMITS } from '../../../src/datapath/stream-client.ts'
import { bindUdp } from '../../../src/net/udp-socket.ts'
import { credentialOf, loopback, streamRelay } from '../../support/relay.ts'
import { closedBy, connected, StreamRelayClient } from '../../support/stream-client.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function relayWith(options: Parameters<typeof streamRelay>[0] = {}) {
  const relay = await streamRelay(options)
  cleanUp.push(() => relay.close())
  return relay
}
async function socketTo(port: number) {
  const socket = await connected(port)
  cleanUp.push(() => socket.destroy())
  return socket
}
const clientOf = async (port: number) => new StreamRelayClient(await socketTo(port), credentialOf())

function udpPeer() {
  const socket = bindUdp({ address: loopback, port: 0, family: 4, bufferSize: 4 * 1024 * 1024 })
  cleanUp.push(() => socket.close())
  return { socket, endpoint: { address: loopback, port: socket.address().port, family: 4 } satisfies Endpoint }
}
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const binding = () => new MessageWriter(Method.Binding, Class.Request, new Uint8Array(12).fill(1)).finish()
const refusals = (relay: Awaited<ReturnType<typeof streamRelay>>) => Object.fromEntries(relay.streams.refusals())

describe('a client over TCP', () => {
  it('relays payloads of every padding both ways on a channel', async () => {
    const relay = await relayWith()
    const { socket, endpoint } = udpPeer()
    socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address))
    const client = await clientOf(relay.port)
    await client.allocate()
    await client.bind(endpoint)
    for (const length of [0, 1, 2, 3, 4, 5, 1200, 9000]) {
      const payload = Buffer.alloc(length, length)
      client.send(endpoint, payload)
      expect(await client.receive()).toEqual(payload)
    }
    const [allocation] = relay.server.allocations
    expect(allocation).toMatchObject({ clientToPeerPackets: 8, peerToClientPackets: 8, peerToClientBytes: 10_215 })
  })

  it('is told its address, and relays a burst cut at any place', async () => {
    const relay = await relayWith()
    const socket = await socketTo(relay.port)
    const request = binding()
    const all = Buffer.concat([request, request, request])
    socket.write(all.subarray(0, 33))
    await sleep(20)
    socket.write(all.subarray(33))
    let got = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      got = Buffer.concat([got, chunk])
    })
    await expect.poll(() => got.length).toBe(3 * (20 + 12))
    const answer = parseMessage(got.subarray(0, 32))
    expect(answer.ok && answer.message.get(Attribute.XorMappedAddress)).toBeDefined()
  })

  it('ends its allocation by closing, and its relayed port with it', async () => {
    const relay = await relayWith()
    const client = await clientOf(relay.port)
    const relayed = await client.allocate()
    expect(relay.server.allocations.size).toBe(1)
    client.socket.end()
    await expect.poll(() => relay.server.allocations.size).toBe(0)
    bindUdp({ address: loopback, port: relayed.port, family: 4 }).close()
    expect(relay.streams.count('tcp')).toBe(0)
  })

  it('may allocate again on the same connection', async () => {
    const relay = await relayWith()
    const client = await clientOf(relay.port)
    await client.allocate()
    await client.release()
    await client.allocate()
    expect(relay.server.allocations.size).toBe(1)
  })

  it('that does not read loses the newest datagrams, counted; memory stays bounded and the rest is whole', async () => {
    const relay = await relayWith()
    const { socket, endpoint } = udpPeer()
    const client = await clientOf(relay.port)
    const relayed = await client.allocate()
    await client.bind(endpoint)
    client.socket.pause()
    const size = 1200
    const sent = 30_000
    let most = 0
    for (let i = 0; i < sent; i++) {
      const payload = Buffer.alloc(size)
      payload.writeUInt32BE(i)
      socket.send(payload, relayed.port, relayed.address)
      if (i % 50 !== 0) continue
      await sleep(0)
      const [allocation] = relay.server.allocations
      const connection = allocation && relay.streams.find(allocation.listener, allocation.client)
      most = Math.max(most, connection?.queued ?? 0)
      if ((relay.dropped().get('backpressure') ?? 0) > 2000) break
    }
    expect(relay.dropped().get('backpressure')).toBeGreaterThan(2000)
    expect(most).toBeGreaterThan(STREAM_LIMITS.data / 2)
    expect(most).toBeLessThanOrEqual(STREAM_LIMITS.data + size + 4)

    const [allocation] = relay.server.allocations
    const relayedPackets = allocation?.peerToClientPackets ?? 0
    client.socket.resume()
    await expect.poll(() => client.waiting('data'), { timeout: 10_000 }).toBe(relayedPackets)
    let last = -1
    for (let i = 0; i < relayedPackets; i++) {
      const payload = await client.receive()
      expect(payload.length).toBe(size)
      expect(payload.readUInt32BE()).toBeGreaterThan(last)
      last = payload.readUInt32BE()
    }
    // It reads again, so it is sent to again.
    socket.send('fresh', relayed.port, relayed.address)
    expect((await client.receive()).toString()).toBe('fresh')
  })

  it('that asks and never reads is not answered without bound', async () => {
    const relay = await relayWith()
    const socket = await socketTo(relay.port)
    socket.pause()
    const many = Buffer.concat(Array.from({ length: 1000 }, binding))
    for (let i = 0; i < 2000 && !relay.dropped().has('backpressure'); i++) {
      socket.write(many)
      await sleep(1)
    }
    expect(relay.dropped().get('backpressure')).toBeGreaterThan(0)
  })
})

describe('what is no client', () => {
  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: relay\r\n\r\n')],
    ['ChannelData before anything else', Buffer.from(encodeChannelData(0x4000, new Uint8Array(4), true))],
    ['a PROXY header from nobody we know', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n')],
    ['zeros', Buffer.alloc(100)],
    ['a message whose attributes run over its end', brokenMessage()],
  ])('is cut off: %s', async (_what, bytes) => {
    const relay = await relayWith()
    const socket = await socketTo(relay.port)
    socket.write(bytes)
    expect(await closedBy(socket)).toHaveLength(0)
    expect(refusals(relay)).toEqual({ 'not-stun': 1 })
  })

  it('is cut off when it says nothing, and when it never allocates', async () => {
    const relay = await relayWith({ limits: { greeting: 300, unallocated: 900 } })
    const [silent, idle, client] = [await socketTo(relay.port), await socketTo(relay.port), await clientOf(relay.port)]
    idle.write(binding())
    await client.allocate()
    const started = performance.now()
    await closedBy(silent)
    expect(performance.now() - started).toBeLessThan(1200)
    await closedBy(idle)
    expect(refusals(relay)).toEqual({ silent: 1, 'no-allocation': 1 })
    await sleep(700)
    expect(relay.streams.count('tcp')).toBe(1)
  })

  it('is refused beyond the limit of its prefix; clients with an allocation do not count', async () => {
    const relay = await relayWith({ limits: { perPrefix: 2 } })
    await (await clientOf(relay.port)).allocate()
    const [first] = [await socketTo(relay.port), await socketTo(relay.port)]
    await closedBy(await socketTo(relay.port))
    expect(refusals(relay)).toEqual({ limit: 1 })
    first?.destroy()
    await expect.poll(() => relay.streams.count('tcp')).toBe(2)
    await (await clientOf(relay.port)).allocate()
  })

  it('makes room, the oldest first, when there are too many in all', async () => {
    const relay = await relayWith({ limits: { total: 3 } })
    const sockets = []
    for (let i = 0; i < 4; i++) sockets.push(await socketTo(relay.port))
    await closedBy(sockets[0]!)
    expect(refusals(relay)).toEqual({ 'crowded-out': 1 })
    await (await clientOf(relay.port)).allocate()
  })

  it('leaves nothing behind: a thousand connections come, send garbage and go', async () => {
    const relay = await relayWith({ limits: { perPrefix: 1000 } })
    for (let round = 0; round < 20; round++)
      await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const socket = await connected(relay.port)
          socket.on('error', () => {})
          socket.write(Buffer.from([i % 4 === 0 ? 0 : i * 5, i, 0, 4, 0x21, 0x12, 0xa4, 0x42]))
          socket.destroy()
        }),
      )
    await expect.poll(() => relay.streams.count('tcp'), { timeout: 5000 }).toBe(0)
    expect(relay.errors).toEqual([])
    await (await clientOf(relay.port)).allocate()
  })
})

/** Frames well: its length is right. Its attribute says that it is longer than the message. */
function brokenMessage(): Buffer {
  const bytes = Buffer.alloc(24)
  bytes.writeUInt32BE(0x00010004, 0)
  bytes.writeUInt32BE(0x2112a442, 4)
  bytes.writeUInt32BE(0x80220040, 20)
  return bytes
}
