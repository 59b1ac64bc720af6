/** WebRTC stacks other than the browser's: a data channel between two peers of each, through the relay only. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CertificateFolder } from '../../../services/turn/test/support/certificates.ts'
import { has } from '../../helpers/capabilities.ts'
import { exec } from '../../helpers/exec.ts'
import { type RelayProcess, startRelay } from '../../helpers/relay-process.ts'
import { metric } from '../../helpers/standalone.ts'
import type { Peers } from './peers.ts'
import { weriftPeers } from './werift-peers.ts'

type Transport = 'udp' | 'tcp' | 'tls'

const [messages, size] = [40, 1000]
const wayTo = { udp: /^turn:.*transport=udp/, tcp: /^turn:.*transport=tcp/, tls: /^turns:/ }

const certificates = new CertificateFolder()
let folder: string
let certificate: string
let relay: RelayProcess

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hairpin-clients-'))
  const { cert, key } = certificates.make('relay')
  certificate = cert
  relay = await startRelay(folder, {
    HAIRPIN_TLS_CERT: cert,
    HAIRPIN_TLS_KEY: key,
    // GStreamer resolves no names for its ICE.
    HAIRPIN_TURN_HOST: '127.0.0.1',
  })
})

afterAll(async () => {
  await relay?.stop()
  await rm(folder, { recursive: true, force: true })
  certificates.remove()
})

describe('two peers of werift', () => {
  test.each(['udp', 'tcp', 'tls'] as const)('talk through the relay over %s', (way) => talk(weriftPeers, way))
})

describe.skipIf(!has('aiortc'))('two peers of aiortc', () => {
  test.each(['udp', 'tcp', 'tls'] as const)('talk through the relay over %s', (way) =>
    talk(script('aiortc_peers.py'), way),
  )
})

describe.skipIf(!has('gstreamer'))('two peers of GStreamer (libnice)', () => {
  // Its turns: is a plain TCP connection to the TLS port: libnice brings no TLS.
  test.each(['udp', 'tcp'] as const)('talk through the relay over %s', (way) => talk(script('webrtcbin_peers.py'), way))
})

async function talk(peers: Peers, transport: Transport): Promise<void> {
  const { urls, ...server } = await relay.mint()
  const before = await relay.metrics()
  const report = await peers({
    iceServers: [{ ...server, urls: urls.filter((url) => wayTo[transport].test(url)) }],
    messages,
    size,
  })
  expect(report).toMatchObject({ echoed: messages, candidates: ['relay'] })
  const after = await relay.metrics()
  const grown = (name: string, labels: Record<string, string>) =>
    metric(after, name, { transport, ...labels }) - metric(before, name, { transport, ...labels })
  // libnice allocates over TCP for each of its TCP candidates.
  expect(grown('hairpin_stun_requests_total', { method: 'allocate', code: '200' })).toBeGreaterThanOrEqual(2)
  // Both allocations carry every message there and back, as payload of DTLS.
  for (const direction of ['client_to_peer', 'peer_to_client'])
    expect(grown('hairpin_relay_bytes_total', { direction })).toBeGreaterThan(2 * messages * size)
}

/** A program that takes the task as JSON and prints the report as JSON, run by the Python that has Debian's packages. */
function script(name: string): Peers {
  return async (task) => {
    const path = join(import.meta.dirname, name)
    const command = ['timeout', '60', '/usr/bin/python3', path, JSON.stringify(task)]
    // The Python standard library takes the trusted certificates from this file.
    const stdout = await exec('env', `SSL_CERT_FILE=${certificate}`, ...command)
    return JSON.parse(stdout)
  }
}
