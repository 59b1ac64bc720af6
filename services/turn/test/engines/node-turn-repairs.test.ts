import { createHmac, randomBytes } from 'node:crypto'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import {
  Attribute,
  Class,
  decodeChannelData,
  decodeXorAddress,
  encodeAddressFamily,
  encodeChannelData,
  encodeEvenPort,
  encodeRequestedTransport,
  encodeXorAddress,
  MessageWriter,
  Method,
} from '@hairpin/stun'
import Server from 'node-turn'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { RepairPolicies } from '../../src/engines/node-turn/hooks.ts'
import { Repairs } from '../../src/engines/node-turn/repairs.ts'
import {
  codeOf,
  isSigned,
  lifetimeOf,
  loopback,
  mint,
  peerAddress,
  secret,
  TurnTestClient,
  udp,
} from './node-turn-client.ts'

const realm = 'hairpin'
const minPort = 50_000
const maxPort = 50_999
const udpTransport: [number, Uint8Array] = [Attribute.RequestedTransport, encodeRequestedTransport(17)]

interface Log {
  allocated: number
  ended: number
  /** Units of quota. */
  held: number
  /** Payload bytes to and from peers. */
  sent: number
  heard: number
  answers: string[]
  dropped: string[]
  failures: string[]
}

const closing: (() => void)[] = []
afterEach(() => {
  vi.useRealTimers()
  for (const close of closing.splice(0)) close()
})

const passwords: RepairPolicies['passwords'] = (username, now) => {
  const expiresAt = Number.parseInt(username, 10) * 1000
  if (expiresAt <= now) return { ok: false, reason: 'expired' }
  const password = createHmac('sha1', secret).update(username).digest('base64')
  return { ok: true, passwords: ['of another secret', password], app: 'demo', user: 'ada', expiresAt }
}

async function freePort(): Promise<number> {
  const socket = await udp()
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

interface Setup {
  readonly port?: number
  readonly quota?: number
  readonly denied?: string
  /** Advertised instead of 127.0.0.1; with it the rules of own relayed addresses hold for both. */
  readonly external?: string
}

/** node-turn with all repairs, on loopback. */
async function start({ port: wanted, quota = Number.POSITIVE_INFINITY, denied, external }: Setup = {}) {
  const port = wanted ?? (await freePort())
  const log: Log = { allocated: 0, ended: 0, held: 0, sent: 0, heard: 0, answers: [], dropped: [], failures: [] }
  const server = new Server({
    listeningIps: [loopback],
    listeningPort: port,
    ...(external && { externalIps: { [loopback]: external } }),
    minPort,
    maxPort,
    authMech: 'long-term',
    realm,
    debugLevel: 'OFF',
    debug: () => {},
  })
  const source = { family: 4, local: loopback, source: 'configured', why: '' } as const
  const repairs = new Repairs(
    server,
    external ? [{ ...source, external }] : [],
    {
      passwords,
      quota: { acquire: () => log.held < quota && ++log.held > 0, release: () => log.held-- },
      peers: {
        check: (it) => (it === denied ? 'deny' : external && [external, loopback].includes(it) ? 'own' : 'allow'),
      },
    },
    {
      allocated: () => {
        log.allocated++
        return {
          clientToPeer: (bytes) => {
            log.sent += bytes
          },
          peerToClient: (bytes) => {
            log.heard += bytes
          },
          sentToClient: () => {},
          ended: () => log.ended++,
        }
      },
      answered: (method, code) => log.answers.push(`${method} ${code}`),
      authFailed: (reason) => log.failures.push(reason),
      dropped: (reason) => log.dropped.push(reason),
    },
  )
  closing.push(() => repairs.close())
  await repairs.listen()
  return { port, log, server, repairs }
}

async function client(port: number) {
  const opened = await TurnTestClient.open(port)
  closing.push(() => opened.close())
  return opened
}

async function peer() {
  const socket = await udp()
  closing.push(() => socket.close())
  return { socket, port: socket.address().port }
}

async function received(socket: Socket): Promise<Buffer> {
  const [bytes] = (await once(socket, 'message', { signal: AbortSignal.timeout(1_000) })) as [Buffer]
  return bytes
}

async function isFree(port: number): Promise<boolean> {
  const { createSocket } = await import('node:dgram')
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    socket.on('error', () => resolve(false))
    socket.bind({ port, address: loopback, exclusive: true }, () => socket.close(() => resolve(true)))
  })
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('ChannelData', () => {
  test('from the client reaches the peer, and the peer is heard through the channel', async () => {
    const { port, log } = await start()
    const [ada, bob] = [await client(port), await peer()]
    const relayed = await ada.allocate()
    expect(codeOf(await ada.bind(0x4000, bob.port))).toBe(0)

    const heard = received(bob.socket)
    ada.sendChannelData(0x4000, Buffer.from('media'))
    expect((await heard).toString()).toBe('media')

    bob.socket.send('answer', relayed.port, loopback)
    const frame = decodeChannelData(await ada.channelData())
    expect(frame.ok && Buffer.from(frame.data).toString()).toBe('answer')
    expect([log.sent, log.heard]).toEqual([5, 6])
  })

  test('of a channel that is not bound, or of no allocation, goes nowhere', async () => {
    const { port, log } = await start()
    const ada = await client(port)
    ada.sendChannelData(0x4000, Buffer.from('early'))
    await ada.allocate()
    ada.sendChannelData(0x4001, Buffer.from('unbound'))
    await vi.waitFor(() => expect(log.dropped).toEqual(['no-allocation', 'no-channel']))
  })

  test('ends ten minutes after the last ChannelBind', async () => {
    const { port, log, server } = await start()
    const [ada, bob] = [await client(port), await peer()]
    await ada.allocate()
    await ada.bind(0x4000, bob.port)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 599_000 })
    await pause(1_100)
    expect(Object.values(server.allocations)[0]!.permissions).toEqual({})
    ada.sendChannelData(0x4000, Buffer.from('bound, but the permission ended after five minutes'))
    await vi.waitFor(() => expect(log.dropped).toEqual(['no-permission']))
    vi.setSystemTime(Date.now() + 2_000)
    await pause(1_100)
    ada.sendChannelData(0x4000, Buffer.from('too late'))
    await vi.waitFor(() => expect(log.dropped).toEqual(['no-permission', 'no-channel']))
  })
})

describe('Refresh', () => {
  test.each([undefined, 600, 99_999])('with lifetime %s keeps the allocation', async (lifetime) => {
    const { port, log } = await start()
    const [ada, bob] = [await client(port), await peer()]
    await ada.allocate()
    const answer = await ada.refresh(lifetime)
    expect([codeOf(answer), lifetimeOf(answer)]).toEqual([0, Math.min(lifetime ?? 600, 3600)])
    await pause(50)
    expect(codeOf(await ada.permit(bob.port))).toBe(0)
    const heard = received(bob.socket)
    ada.sendIndication(bob.port, Buffer.from('still here'))
    expect((await heard).toString()).toBe('still here')
    expect(log.ended).toBe(0)
  })

  test('with lifetime 0 closes the relayed socket', async () => {
    const { port, log } = await start()
    const ada = await client(port)
    const relayed = await ada.allocate()
    expect(await isFree(relayed.port)).toBe(false)
    expect(lifetimeOf(await ada.refresh(0))).toBe(0)
    expect(await isFree(relayed.port)).toBe(true)
    expect(log.ended).toBe(1)
    expect(codeOf(await ada.refresh())).toBe(437)
  })

  test('that is missing lets the allocation end, and its relayed socket with it', async () => {
    const { port, log } = await start()
    const ada = await client(port)
    const relayed = await ada.allocate()
    await ada.refresh(1)
    await vi.waitFor(() => expect(log.ended).toBe(1), 2_000)
    expect(await isFree(relayed.port)).toBe(true)
  })

  test('of an earlier allocation does not end the next one of the same five-tuple', async () => {
    const { port, log } = await start()
    const ada = await client(port)
    await ada.allocate()
    await ada.refresh(1)
    await ada.refresh(0)
    await ada.allocate()
    await pause(1_200)
    expect(codeOf(await ada.refresh())).toBe(0)
    expect([log.allocated, log.ended]).toEqual([2, 1])
  })
})

describe('Allocate', () => {
  test('sent again is answered the same and opens no second socket', async () => {
    const { port, log } = await start()
    const ada = await client(port)
    await ada.challenge()
    const id = randomBytes(12)
    const request = ada.build(Method.Allocate, [udpTransport], id)
    ada.send(request)
    ada.send(request)
    const first = await ada.answer(id)
    ada.send(request)
    const again = await ada.answer(id)
    expect(Buffer.from(again.bytes).equals(first.bytes)).toBe(true)
    await pause(50)
    expect([codeOf(await ada.refresh()), log.allocated, log.ended]).toEqual([0, 1, 0])
  })

  test('of a five-tuple that has one draws 437', async () => {
    const { port } = await start()
    const ada = await client(port)
    await ada.allocate()
    expect(codeOf(await ada.request(Method.Allocate, [udpTransport]))).toBe(437)
  })

  test('beyond the quota draws 486', async () => {
    const { port, log } = await start({ quota: 1 })
    const [ada, bob] = [await client(port), await client(port)]
    await ada.allocate()
    await bob.challenge()
    expect(codeOf(await bob.request(Method.Allocate, [udpTransport]))).toBe(486)
    await ada.refresh(0)
    const tcp: [number, Uint8Array] = [Attribute.RequestedTransport, encodeRequestedTransport(6)]
    expect(codeOf(await bob.request(Method.Allocate, [tcp]))).toBe(442)
    await bob.allocate()
    expect(codeOf(await bob.request(Method.Allocate, [udpTransport]))).toBe(437)
    expect(log.held).toBe(1)
  })

  test('with EVEN-PORT gets an even one', async () => {
    const { port } = await start()
    for (let i = 0; i < 8; i++) {
      const ada = await client(port)
      await ada.challenge()
      const answer = await ada.request(Method.Allocate, [udpTransport, [Attribute.EvenPort, encodeEvenPort(false)]])
      const relayed = decodeXorAddress(answer.get(Attribute.XorRelayedAddress)!, answer.transactionId)!
      expect(relayed.port % 2).toBe(0)
      expect(await isFree(relayed.port)).toBe(false)
    }
  })

  test('asking for what node-turn cannot do is answered, not ignored', async () => {
    const { port } = await start()
    const ada = await client(port)
    await ada.challenge()
    const ask = async (type: number, value: Uint8Array) =>
      codeOf(await ada.request(Method.Allocate, [udpTransport, [type, value]]))
    expect(await ask(Attribute.EvenPort, encodeEvenPort(true))).toBe(508)
    expect(await ask(Attribute.ReservationToken, randomBytes(8))).toBe(508)
    expect(await ask(Attribute.RequestedAddressFamily, encodeAddressFamily(6))).toBe(440)
    expect(await ask(0x7abc, new Uint8Array(4))).toBe(420)
    expect(await ask(0xff05, new Uint8Array(4))).toBe(0)
  })
})

describe('a datagram from a peer', () => {
  const payloads: [string, Buffer][] = [
    ['0 bytes', Buffer.alloc(0)],
    ['1 byte', Buffer.from([0x41])],
    ['2 bytes', Buffer.from([0x41, 0x00])],
    ['3 bytes', Buffer.from([0x41, 0x00, 0x00])],
    ['what looks like a ChannelData frame', Buffer.from(encodeChannelData(0x4321, Buffer.from('inner')))],
    ['what looks like a frame of its own channel', Buffer.from(encodeChannelData(0x4000, Buffer.from('inner')))],
  ]
  test.each(payloads)('with %s arrives whole', async (_, payload) => {
    const { port } = await start()
    const [ada, bob] = [await client(port), await peer()]
    const relayed = await ada.allocate()
    await ada.permit(bob.port)
    bob.socket.send(payload, relayed.port, loopback)
    expect(await ada.dataIndication()).toEqual(payload)

    await ada.bind(0x4000, bob.port)
    bob.socket.send(payload, relayed.port, loopback)
    const frame = decodeChannelData(await ada.channelData())
    expect(frame.ok && Buffer.from(frame.data)).toEqual(payload)
  })

  test('that cannot be received or sent on is counted, and no more', async () => {
    const { port, log, server, repairs } = await start()
    const ada = await client(port)
    await ada.allocate()
    await ada.permit(0)
    ada.sendIndication(0, Buffer.from('to port 0'))
    await vi.waitFor(() => expect(log.dropped).toEqual(['send-failed']))
    const socket = Object.values(server.allocations)[0]!.sockets[0]!
    socket.emit('error', new Error('recvmsg ENOBUFS'))
    expect(log.dropped).toEqual(['send-failed', 'send-failed'])

    // Its Data indication waits for random bytes while the listening socket closes.
    socket.emit('message', Buffer.alloc(4), { address: loopback, port: 9, family: 'IPv4', size: 4 })
    repairs.close()
    await vi.waitFor(() => expect(log.dropped).toHaveLength(3))
  })

  test('without a permission is dropped and counted', async () => {
    const { port, log } = await start()
    const [ada, bob] = [await client(port), await peer()]
    const relayed = await ada.allocate()
    bob.socket.send(Buffer.from([0x41, 0x00]), relayed.port, loopback)
    await vi.waitFor(() => expect(log.dropped).toEqual(['no-permission']))
    expect([log.sent, log.heard]).toEqual([0, 0])
  })
})

describe('peers that are not allowed', () => {
  const metadata = '169.254.169.254'

  test('are refused with 403 by CreatePermission and ChannelBind', async () => {
    const { port } = await start({ denied: metadata })
    const ada = await client(port)
    await ada.allocate()
    const refused = await ada.permit(80, metadata)
    expect([codeOf(refused), isSigned(refused, ada)]).toEqual([403, true])
    expect(codeOf(await ada.bind(0x4000, 80, metadata))).toBe(403)
    expect(codeOf(await ada.permit(80))).toBe(0)
  })

  test('are those beyond 256 permissions or channels of one allocation: 508', async () => {
    const { port } = await start()
    const ada = await client(port)
    await ada.allocate()
    for (let i = 0; i < 256; i++) await ada.bind(0x4000 + i, 1_000 + i, `198.51.100.${i}`)
    expect(codeOf(await ada.permit(9, '192.0.2.1'))).toBe(508)
    expect(codeOf(await ada.permit(9, '198.51.100.7'))).toBe(0)
    expect(codeOf(await ada.bind(0x5000, 2_000, '198.51.100.7'))).toBe(508)
    expect(codeOf(await ada.bind(0x4007, 1_007, '198.51.100.7'))).toBe(0)
  })

  test('include our own address, except its live relayed ports', async () => {
    const { port, log } = await start({ external: loopback })
    const [ada, bob, service] = [await client(port), await client(port), await peer()]
    const [hers, his] = [await ada.allocate(), await bob.allocate()]
    await ada.bind(0x4000, service.port)
    await ada.bind(0x4001, his.port)
    await bob.permit(hers.port)
    ada.sendChannelData(0x4000, Buffer.from('out'))
    ada.sendIndication(service.port, Buffer.from('out'))
    service.socket.send('in', hers.port, loopback)
    await vi.waitFor(() => expect(log.dropped).toEqual(['peer-denied', 'peer-denied', 'peer-denied']))
    expect([log.sent, log.heard]).toEqual([0, 0])

    ada.sendChannelData(0x4001, Buffer.from('relay to relay'))
    expect((await bob.dataIndication()).toString()).toBe('relay to relay')
    await bob.refresh(0)
    ada.sendChannelData(0x4001, Buffer.from('nobody there'))
    await vi.waitFor(() => expect(log.dropped).toHaveLength(4))
  })

  test('are no obstacle behind a 1:1 NAT: two clients meet by their advertised addresses', async () => {
    const external = '192.0.2.7'
    const { port } = await start({ external })
    const [ada, bob] = [await client(port), await client(port)]
    const [hers, his] = [await ada.allocate(), await bob.allocate()]
    expect([hers.address, his.address]).toEqual([external, external])
    await ada.bind(0x4000, his.port, external)
    await bob.bind(0x4000, hers.port, external)
    ada.sendChannelData(0x4000, Buffer.from('through the hairpin'))
    expect((await bob.channelData()).subarray(4, 23).toString()).toBe('through the hairpin')
  })

  test('of the other family are refused with 443', async () => {
    const { port } = await start()
    const ada = await client(port)
    await ada.allocate()
    expect(codeOf(await ada.permit(80, '2001:db8::1'))).toBe(443)
    expect(codeOf(await ada.bind(0x4000, 80, '::1'))).toBe(443)
  })

  test('cannot be smuggled in behind MESSAGE-INTEGRITY', async () => {
    const { port } = await start()
    const ada = await client(port)
    const relayed = await ada.allocate()
    const id = randomBytes(12)
    const signed = ada.build(Method.CreatePermission, [[Attribute.XorPeerAddress, peerAddress(9, '192.0.2.1')]], id)
    const extra = Buffer.alloc(12)
    extra.writeUInt16BE(Attribute.XorPeerAddress, 0)
    extra.writeUInt16BE(8, 2)
    extra.set(encodeXorAddress({ address: loopback, port: 9 }, id), 4)
    const bytes = Buffer.concat([signed.subarray(0, -8), extra])
    bytes.writeUInt16BE(bytes.length - 20, 2)
    ada.send(bytes)
    expect(codeOf(await ada.answer(id))).toBe(0)

    const bob = await peer()
    bob.socket.send('in', relayed.port, loopback)
    await expect(ada.dataIndication(200)).rejects.toThrow('nothing came')
  })
})

describe('authentication', () => {
  test('signs every answer to an authenticated request', async () => {
    const { port } = await start()
    const [ada, bob] = [await client(port), await peer()]
    await ada.allocate()
    expect(isSigned(await ada.permit(bob.port), ada)).toBe(true)
    expect(isSigned(await ada.bind(0x4000, bob.port), ada)).toBe(true)
    const error = await ada.bind(0x4000, bob.port + 1)
    expect([codeOf(error), isSigned(error, ada)]).toEqual([400, true])
  })

  test.each([
    ['a password of another secret', mint('demo/eve', 600, 'another secret'), 'integrity'],
    ['credentials that have expired', mint('demo/eve', -1), 'expired'],
  ])('rejects %s with 401', async (_, credentials, reason) => {
    const { port, log } = await start()
    const eve = await TurnTestClient.open(port, credentials)
    closing.push(() => eve.close())
    await eve.challenge()
    expect(codeOf(await eve.request(Method.Allocate, [udpTransport]))).toBe(401)
    expect(log.failures).toEqual([reason])
  })

  test('lets a call outlive its credentials, and nobody else use it', async () => {
    const { port, log } = await start()
    const [ada, eve] = [await client(port), await TurnTestClient.open(port, mint('demo/eve'))]
    closing.push(() => eve.close())
    await ada.allocate()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 })
    expect(codeOf(await ada.refresh())).toBe(0)
    expect(codeOf(await ada.bind(0x4000, 9))).toBe(0)
    await eve.challenge()
    expect(codeOf(await eve.request(Method.Allocate, [udpTransport]))).toBe(401)
    expect(log.failures).toEqual(['expired'])
  })

  test('answers 441 to another user on the same five-tuple', async () => {
    const { port } = await start()
    const ada = await client(port)
    await ada.allocate()
    ada.credentials = mint('demo/eve')
    expect(codeOf(await ada.refresh())).toBe(441)
  })

  test('keeps no table of nonces, and a nonce serves only the address that got it, for an hour', async () => {
    const { port, server } = await start()
    const [ada, bob] = [await client(port), await client(port)]
    for (let i = 0; i < 100; i++) await ada.challenge().finally(() => Object.assign(ada, { nonce: '' }))
    expect((server.authentification as unknown as { nonces: object }).nonces).toEqual({})

    await bob.challenge()
    Object.assign(ada, { nonce: bob.nonce })
    expect(codeOf(await ada.request(Method.Allocate, [udpTransport]))).toBe(438)
    Object.assign(ada, { nonce: '' })
    await ada.allocate()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_620_000 })
    expect(codeOf(await ada.refresh())).toBe(438)
  })
})

describe('the listening socket', () => {
  test('outlives ten thousand random, short and mutated datagrams', { timeout: 30_000 }, async () => {
    const { port, server } = await start()
    const [ada, bob] = [await client(port), await peer()]
    const relayed = await ada.allocate()
    await ada.permit(bob.port)
    const sample = ada.build(Method.ChannelBind, [[Attribute.XorPeerAddress, peerAddress(bob.port)]])
    for (let i = 0; i < 10_000; i++) {
      const bytes = i % 2 ? randomBytes(i % 64) : Buffer.from(sample)
      if (i % 2 === 0) bytes[i % bytes.length] = i & 0xff
      ada.send(bytes)
      bob.socket.send(bytes, relayed.port, loopback)
      if (i % 50 === 0) await pause(1)
    }
    await pause(100)
    const fresh = await client(port)
    expect(codeOf(await fresh.request(Method.Binding))).toBe(0)
    expect(Object.keys(server.allocations)).toHaveLength(1)
  })

  test('does not answer an answer', async () => {
    const { port, log } = await start()
    const ada = await client(port)
    ada.send(new MessageWriter(Method.Refresh, Class.Error, randomBytes(12)).finish())
    await vi.waitFor(() => expect(log.dropped).toEqual(['not-stun']))
    await expect(ada.receive(undefined, 100)).rejects.toThrow('nothing came')
  })

  test('that cannot be bound is an error which names it', async () => {
    const { port } = await start()
    await expect(start({ port })).rejects.toThrow(`UDP port ${port} is taken`)
  })

  test('closes with all relayed ones, also while an Allocate is under way', async () => {
    const { port, log, server, repairs } = await start()
    const [ada, bob] = [await client(port), await client(port)]
    const relayed = await ada.allocate()
    await bob.challenge()
    server.once('allocate', () => repairs.close())
    bob.send(bob.build(Method.Allocate, [udpTransport]))
    await vi.waitFor(() => expect([log.allocated, log.ended]).toEqual([2, 2]))
    repairs.close()
    expect([await isFree(port), await isFree(relayed.port), log.held]).toEqual([true, true, 0])
    expect(server.allocations).toEqual({})
  })
})
