/** coturn's client with the flags that misbehave, all of them at once, beside a call that goes on. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Endpoint } from '@hairpin/stun'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mintCredential } from '../../../services/turn/src/credentials/mint.ts'
import { bindUdp } from '../../../services/turn/src/net/udp-socket.ts'
import { CertificateFolder } from '../../../services/turn/test/support/certificates.ts'
import { RelayClient } from '../../../services/turn/test/support/relay-client.ts'
import { has } from '../../helpers/capabilities.ts'
import { type Background, background, sleep, until } from '../../helpers/exec.ts'
import { type RelayProcess, startRelay } from '../../helpers/relay-process.ts'
import { metric } from '../../helpers/standalone.ts'
import { attempt } from '../../helpers/turnutils.ts'

const secret = 'a-shared-secret-of-the-test'
const peerAddress = '127.0.0.2'
const [peerPort, echoPort] = [33_484, 33_486]
/** Negative tests, malformed messages, allocate and go, break off, requests that nobody asked for. */
const flags = ['-N', '-R', '-O', '-B', '-G']
/** Some of the malformed messages have no answer, which it waits for. */
const SECONDS = 4

const certificates = new CertificateFolder()
let folder: string
let relay: RelayProcess
let peer: Background

beforeAll(async () => {
  if (!has('coturn')) return
  folder = await mkdtemp(join(tmpdir(), 'hairpin-abuse-'))
  peer = background('turnutils_peer', ['-L', peerAddress, '-p', String(peerPort)])
  const { cert, key } = certificates.make('relay')
  relay = await startRelay(folder, {
    HAIRPIN_TURN_SECRETS: secret,
    HAIRPIN_TLS_CERT: cert,
    HAIRPIN_TLS_KEY: key,
    HAIRPIN_PEER_ALLOW: '127.0.0.2/32',
    HAIRPIN_USER_QUOTA: '0',
  })
})

afterAll(async () => {
  await peer?.stop()
  await relay?.stop()
  if (folder) await rm(folder, { recursive: true, force: true })
  certificates.remove()
})

describe.skipIf(!has('coturn'))('turnutils_uclient -N -R -O -B -G over UDP, TCP and TLS', () => {
  test('costs a live call no packet, the relay no memory, and leaves it serving', async () => {
    const call = await startCall()
    // The process warms up: code is compiled, and the heap takes the size that it works with.
    await abuseAll()
    const before = await residentBytes()
    await abuseAll()
    await abuseAll()
    const after = await residentBytes()
    const { sent, received } = await call.end()

    const metrics = await relay.metrics()
    for (const transport of ['udp', 'tcp', 'tls']) {
      const requests = (labels: Record<string, string>) =>
        metric(metrics, 'hairpin_stun_requests_total', { transport, ...labels })
      expect(requests({ method: 'allocate', code: '200' })).toBeGreaterThan(10)
      // Their bad requests came through and were refused.
      expect(requests({ code: '400' }) + requests({ code: '443' })).toBeGreaterThan(0)
    }
    expect(after - before).toBeLessThan(24 * 1024 ** 2)
    expect(sent).toBeGreaterThan(200)
    expect(received).toBe(sent)
    await until('no client connection is left', async () =>
      metric(await relay.metrics(), 'hairpin_client_connections') === 0 ? true : undefined,
    )
    const last = clientOf('the-last')
    await last.allocate()
    last.close()
  }, 90_000)
})

async function abuseAll(): Promise<void> {
  const ways = [
    ['-p', String(relay.port)],
    ['-t', '-p', String(relay.port)],
    ['-t', '-S', '-p', String(relay.tlsPort)],
  ]
  const peer = ['-e', peerAddress, '-r', String(peerPort)]
  const load = ['-n', '10', '-m', '4', '-z', '10', '-u', 'shop/eve', '-W', secret]
  const all = ways.flatMap((way) => flags.map((flag) => [flag, ...way, ...load, ...peer, '127.0.0.1']))
  await Promise.all(all.map((args) => attempt(SECONDS, args)))
}

/** Fifty packets a second to a peer that echoes them. */
async function startCall() {
  const socket = bindUdp({ address: peerAddress, port: echoPort, family: 4 })
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address))
  const echo: Endpoint = { address: peerAddress, port: echoPort, family: 4 }
  const client = clientOf('ada')
  await client.allocate()
  await client.bind(echo)
  let [sent, received] = [0, 0]
  client.socket.on('message', (bytes) => {
    if ((bytes[0]! & 0xc0) === 0x40) received++
  })
  const timer = setInterval(() => {
    client.send(echo, `packet ${sent++}`)
  }, 20)
  return {
    async end() {
      clearInterval(timer)
      for (let waited = 0; received < sent && waited < 20; waited++) await sleep(100)
      client.close()
      socket.close()
      return { sent, received }
    },
  }
}

function clientOf(user: string): RelayClient {
  const expiry = Math.floor(Date.now() / 1000) + 600
  const { username, credential } = mintCredential({ secret, app: 'shop', user, expiry })
  return new RelayClient({ address: '127.0.0.1', port: relay.port }, { username, password: credential })
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${relay.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}
