import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import type { Endpoint } from '@hairpin/stun'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { STREAM_LIMITS } from '../../../src/datapath/stream-client.ts'
import {
  Certificate,
  certificateDoubts,
  type LoadedCertificate,
  loadCertificate,
} from '../../../src/net/streams/certificate.ts'
import { bindUdp } from '../../../src/net/udp-socket.ts'
import { CertificateFolder, type TestCertificate } from '../../support/certificates.ts'
import { credentialOf, loopback, streamRelay } from '../../support/relay.ts'
import { closedBy, connected, StreamRelayClient } from '../../support/stream-client.ts'

let folder: CertificateFolder
let first: TestCertificate
let second: TestCertificate
const cleanUp: (() => unknown)[] = []

beforeAll(() => {
  folder = new CertificateFolder()
  first = folder.make('first')
  second = folder.make('second', 'relay.example', 90)
})
afterAll(() => folder.remove())
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** A pair of files that may be overwritten. */
function inUse(name: string): TestCertificate {
  const files = { cert: join(folder.path, `${name}-cert`), key: join(folder.path, `${name}-key`) }
  install(files, first)
  return files
}
function install(files: TestCertificate, from: TestCertificate): void {
  copyFileSync(from.cert, files.cert)
  copyFileSync(from.key, files.key)
}

async function tlsRelay(files: TestCertificate, limits = {}) {
  const changed: LoadedCertificate[] = []
  const failed: Error[] = []
  const certificate = new Certificate(files, {
    changed: (loaded) => changed.push(loaded),
    failed: (error) => failed.push(error),
  })
  cleanUp.push(() => certificate.close())
  const secureContext = () => certificate.current.context
  const relay = await streamRelay({ transport: 'tls', secureContext, limits })
  cleanUp.push(() => relay.close())
  return { ...relay, certificate, changed, failed }
}

async function secureSocket(port: number, options = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: loopback, rejectUnauthorized: false, ...options })
  cleanUp.push(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}
const refusals = (relay: Awaited<ReturnType<typeof tlsRelay>>) => Object.fromEntries(relay.streams.refusals())

describe('a client over TLS', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('relays both ways over %s', async (version) => {
    const relay = await tlsRelay(first)
    const peer = bindUdp({ address: loopback, port: 0, family: 4 })
    cleanUp.push(() => peer.close())
    peer.on('message', (bytes, from) => peer.send(bytes, from.port, from.address))
    const endpoint: Endpoint = { address: loopback, port: peer.address().port, family: 4 }
    const socket = await secureSocket(relay.port, { minVersion: version, maxVersion: version })
    expect(socket.getProtocol()).toBe(version)
    const client = new StreamRelayClient(socket, credentialOf())
    await client.allocate()
    await client.bind(endpoint)
    for (const length of [0, 3, 1200, 9000]) {
      client.send(endpoint, Buffer.alloc(length, 5))
      expect(await client.receive()).toEqual(Buffer.alloc(length, 5))
    }
    expect([...relay.server.allocations][0]?.listener.transport).toBe('tls')
    socket.destroy()
    await expect.poll(() => relay.server.allocations.size).toBe(0)
  })

  it('gets every datagram of bursts, the last one too', async () => {
    const relay = await tlsRelay(first)
    const peer = bindUdp({ address: loopback, port: 0, family: 4 })
    cleanUp.push(() => peer.close())
    const endpoint: Endpoint = { address: loopback, port: peer.address().port, family: 4 }
    const client = new StreamRelayClient(await secureSocket(relay.port), credentialOf())
    const relayed = await client.allocate()
    await client.bind(endpoint)
    for (let burst = 1; burst <= 60; burst++) {
      for (let i = 0; i < burst; i++) peer.send(`${burst} ${i}`, relayed.port, relayed.address)
      for (let i = 0; i < burst; i++) expect((await client.receive()).toString()).toBe(`${burst} ${i}`)
    }
    expect(relay.dropped().size).toBe(0)
  })

  it('that does not read has a bounded queue too', async () => {
    const relay = await tlsRelay(first)
    const peer = bindUdp({ address: loopback, port: 0, family: 4 })
    cleanUp.push(() => peer.close())
    const socket = await secureSocket(relay.port)
    const client = new StreamRelayClient(socket, credentialOf())
    const relayed = await client.allocate()
    await client.bind({ address: loopback, port: peer.address().port, family: 4 })
    socket.pause()
    let most = 0
    for (let i = 0; i < 40_000 && !((relay.dropped().get('backpressure') ?? 0) > 100); i++) {
      peer.send(Buffer.alloc(1200), relayed.port, relayed.address)
      if (i % 50 === 0) await new Promise(setImmediate)
      const [allocation] = relay.server.allocations
      most = Math.max(most, (allocation && relay.streams.find(allocation.listener, allocation.client)?.queued) ?? 0)
    }
    expect(relay.dropped().get('backpressure')).toBeGreaterThan(100)
    expect(most).toBeLessThanOrEqual(STREAM_LIMITS.data + 1204)
  })

  it('may break off at any point', async () => {
    const relay = await tlsRelay(first, { perPrefix: 1000 })
    for (let round = 0; round < 10; round++) {
      const plain = await Promise.all(Array.from({ length: 10 }, () => connected(relay.port)))
      for (const [i, socket] of plain.entries()) {
        socket.on('error', () => {})
        socket.write(Buffer.from([0x16, 3, 1, 2, 0]).subarray(0, i % 6))
        if (i % 2) socket.resetAndDestroy()
        else socket.end()
      }
      const secure = await secureSocket(relay.port)
      const client = new StreamRelayClient(secure, credentialOf())
      await client.allocate()
      secure.on('error', () => {})
      secure.destroy(new Error('broken off'))
    }
    await expect.poll(() => relay.streams.count('tls'), { timeout: 5000 }).toBe(0)
    expect(relay.server.allocations.size).toBe(0)
    expect(relay.errors).toEqual([])
  })

  it('is refused with TLS 1.1, with plain STUN, with garbage; the relay lives', async () => {
    const relay = await tlsRelay(first)
    await expect(
      secureSocket(relay.port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow()
    for (const bytes of [Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]), Buffer.alloc(200, 0xff)]) {
      const socket = await connected(relay.port)
      socket.write(bytes)
      await closedBy(socket)
    }
    expect(refusals(relay)).toEqual({ handshake: 3 })
    await new StreamRelayClient(await secureSocket(relay.port), credentialOf()).allocate()
  })

  it('is cut off when its handshake takes too long', async () => {
    const relay = await tlsRelay(first, { greeting: 200, handshake: 200 })
    const socket = await connected(relay.port)
    socket.write(Buffer.from([0x16, 3, 1, 2, 0]))
    await closedBy(socket)
    expect(refusals(relay)).toEqual({ silent: 1 })
  })
})

describe('the certificate', () => {
  it('changes for new connections while an old one keeps its allocation', async () => {
    const files = inUse('changing')
    const relay = await tlsRelay(files)
    relay.certificate.watch(50)
    const client = new StreamRelayClient(await secureSocket(relay.port), credentialOf())
    await client.allocate()
    install(files, second)
    await expect.poll(() => relay.changed.length, { timeout: 5000 }).toBe(1)
    const later = await secureSocket(relay.port)
    expect(later.getPeerCertificate().subject.CN).toBe('relay.example')
    expect(relay.server.allocations.size).toBe(1)
    await client.release()
    await client.allocate()
  })

  it('stays when the new files are broken, missing or do not belong together', async () => {
    const files = inUse('broken')
    const relay = await tlsRelay(files)
    copyFileSync(second.cert, files.cert)
    relay.certificate.reload()
    writeFileSync(files.cert, 'no certificate')
    relay.certificate.reload()
    install(files, first)
    writeFileSync(files.key, readFileSync(first.key, 'utf8').slice(0, 60))
    relay.certificate.reload()
    expect(relay.failed.map(({ message }) => message.split(':')[0])).toEqual([
      'HAIRPIN_TLS_KEY',
      'HAIRPIN_TLS_CERT',
      'HAIRPIN_TLS_KEY',
    ])
    expect((await secureSocket(relay.port)).getPeerCertificate().subject.CN).toBe('localhost')
    install(files, first)
    relay.certificate.reload()
    expect(relay.changed).toEqual([])
  })

  it('is told apart: expiry, and what makes it doubtful', () => {
    const loaded = loadCertificate(second)
    const days = (loaded.expiresAt * 1000 - Date.now()) / 86_400_000
    expect(Math.round(days)).toBe(90)
    expect(certificateDoubts(loaded, 'relay.example', Date.now())).toEqual([])
    expect(certificateDoubts(loaded, loopback, Date.now())).toEqual([])
    expect(certificateDoubts(loaded, 'other.example', Date.now())[0]).toContain('not for other.example')
    expect(certificateDoubts(loaded, undefined, Date.now())[0]).toContain('HAIRPIN_TURN_HOST')
    expect(certificateDoubts(loaded, 'relay.example', Date.now() + 91 * 86_400_000)[0]).toContain('expired')
  })

  it('that cannot be used names its variable', () => {
    expect(() => loadCertificate({ cert: '/nowhere', key: first.key })).toThrow(/^HAIRPIN_TLS_CERT/)
    expect(() => loadCertificate({ cert: first.cert, key: '/nowhere' })).toThrow(/^HAIRPIN_TLS_KEY/)
    expect(() => loadCertificate({ cert: first.cert, key: second.key })).toThrow(/^HAIRPIN_TLS_KEY.*not the key/)
  })
})
