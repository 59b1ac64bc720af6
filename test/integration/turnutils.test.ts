/** The relay as its container runs it, against coturn's own client: every mode over UDP, TCP and TLS without a lost packet. */
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CertificateFolder } from '../../services/turn/test/support/certificates.ts'
import { has } from '../helpers/capabilities.ts'
import { type Background, background, until } from '../helpers/exec.ts'
import { expectLossless, uclient } from '../helpers/turnutils.ts'

const main = join(import.meta.dirname, '..', '..', 'services', 'turn', 'src', 'main.ts')
const secret = 'a-shared-secret-of-the-test'
/** Another address than the relay's: with node-turn an own address is a relayed port or nothing. */
const peerAddress = '127.0.0.2'
const peerPort = 33480

interface Credentials {
  readonly username: string
  readonly credential: string
  readonly urls: readonly string[]
  readonly host: string
  readonly port: string
  /** Only where TLS is listened to. */
  readonly tlsPort: string
}

function tlsSettings(certificates: CertificateFolder): Record<string, string> {
  const { cert, key } = certificates.make('relay')
  return {
    HAIRPIN_TURNS_PORT: '0',
    HAIRPIN_TLS_CERT: cert,
    HAIRPIN_TLS_KEY: key,
    HAIRPIN_TURN_HOST: '127.0.0.1',
  }
}

describe.skipIf(!has('coturn')).each(['hairpin', 'node-turn'])('turnutils_uclient against %s', (engine) => {
  const certificates = new CertificateFolder()
  let folder: string
  let relay: Background
  let peer: Background

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hairpin-turn-'))
    peer = background('turnutils_peer', ['-L', peerAddress, '-p', String(peerPort)])
    relay = background(process.execPath, [main], {
      HAIRPIN_TURN_ENGINE: engine,
      HAIRPIN_DATA_DIR: folder,
      HAIRPIN_HTTP_SOCKET: join(folder, 'http.sock'),
      HAIRPIN_ADMIN_SOCKET: join(folder, 'admin.sock'),
      HAIRPIN_TURN_PORT: '0',
      ...(engine === 'hairpin' && tlsSettings(certificates)),
      HAIRPIN_TURN_SECRETS: `${secret},an-older-secret-of-the-test`,
      HAIRPIN_LISTEN_IPS: engine === 'hairpin' ? '127.0.0.1,::1' : '127.0.0.1',
      HAIRPIN_STUN_SERVER: 'off',
      HAIRPIN_PEER_ALLOW: '127.0.0.0/8',
      HAIRPIN_WORKERS: '2',
    })
    await until('the relay is ready', async () =>
      (await call('admin.sock', 'GET', '/readyz')).status === 200 ? true : undefined,
    ).catch((error) => {
      throw new Error(`${error}\n${relay.output()}`)
    })
  })

  afterAll(async () => {
    await peer?.stop()
    await relay?.stop()
    await rm(folder, { recursive: true, force: true })
    certificates.remove()
  })

  // Most of its time coturn's client waits.
  describe('relays', { concurrent: true }, () => {
    test('with credentials of the API, on channels', async () => {
      const { username, credential, host, port } = await mint()
      await relays(['-u', username, '-w', credential, ...echo, '-p', port, host])
    })

    test('with -W and no user: a bare expiry', async () => {
      const { port, host } = await mint()
      await relays(['-W', secret, ...echo, '-p', port, host])
    })

    test('with -W of the older secret and a user of an app', async () => {
      const { port, host } = await mint()
      await relays(['-u', 'shop/ada', '-W', 'an-older-secret-of-the-test', ...echo, '-p', port, host])
    })

    test('with Send and Data indications (-s)', async () => {
      const { port, host } = await mint()
      await relays(['-s', '-u', 'shop/cyd', '-W', secret, ...echo, '-p', port, host])
    })

    test('client to client through two relayed addresses (-y)', async () => {
      const { port, host } = await mint()
      await relays(['-y', '-c', '-m', '4', '-u', 'shop/bob', '-W', secret, '-p', port, host])
    })

    test('is refused with a wrong secret', async () => {
      const { port, host } = await mint()
      await expect(run(['-W', 'not-the-secret-of-the-relay', ...echo, '-p', port, host])).rejects.toThrow()
    })

    test.runIf(engine === 'hairpin').each([
      ['on channels', []],
      ['with Send and Data indications', ['-s']],
      ['client to client', ['-y', '-c']],
    ])('over TCP, %s', async (_what, flags) => {
      const { port, host } = await mint()
      const peer = flags.includes('-y') ? ['-m', '4'] : echo
      await relays(['-t', ...flags, '-u', 'tcp-shop/ada', '-W', secret, ...peer, '-p', port, host])
    })

    test.runIf(engine === 'hairpin').each([
      ['on channels', []],
      ['with Send and Data indications', ['-s']],
      ['client to client', ['-y', '-c']],
    ])(
      'over TLS, %s',
      async (_what, flags) => {
        const { tlsPort, host } = await mint()
        const peer = flags.includes('-y') ? ['-m', '4'] : echo
        const common = [...flags, '-u', 'tls-shop/ada', '-W', secret, ...peer]
        // Its own TLS reads one record at each wake-up and leaves the rest with OpenSSL when several came together, with
        // coturn's server too: it counts as lost what has arrived. So without loss is asked of it over TCP, TLS being added
        // on the way; and of its own TLS that it comes through, every packet as the relay's counters below have it.
        const tunnel = await tlsTunnel(Number(tlsPort))
        try {
          await relays(['-t', ...common, '-p', String(tunnel.port), host])
        } finally {
          tunnel.close()
        }
        expect(await run(['-t', '-S', ...common, '-p', tlsPort, host])).toMatch(/tot_recv_msgs=[1-9]/)
      },
      180_000,
    )

    test('is told to clients by the URLs of what it listens to', async () => {
      const { urls, host, port, tlsPort } = await mint()
      const streams = [`turn:${host}:${port}?transport=tcp`, `turns:${host}:${tlsPort}?transport=tcp`]
      expect(urls).toEqual([`turn:${host}:${port}?transport=udp`, ...(engine === 'hairpin' ? streams : [])])
    })

    test.runIf(engine === 'hairpin')('over TCP from an IPv6 client', async () => {
      const { port } = await mint()
      await relays(['-t', '-u', 'tcp-shop/eve', '-W', secret, ...echo, '-p', port, '::1'])
    })

    test.runIf(engine === 'hairpin')('from an IPv6 client', async () => {
      const { port } = await mint()
      await relays(['-u', 'shop/eve', '-W', secret, ...echo, '-p', port, '::1'])
    })

    test.runIf(engine === 'hairpin').each([
      ['over UDP', []],
      ['over TCP', ['-t']],
    ])('from another socket than it allocated by (-M), %s', async (_what, flags) => {
      const { port, host } = await mint()
      await relays(['-M', '-c', ...flags, '-u', `moving${flags.length}/ada`, '-W', secret, ...echo, '-p', port, host])
      const { body } = await call('admin.sock', 'GET', '/metrics')
      expect(Number(/^hairpin_allocation_moves_total (\d+)/m.exec(body)?.[1])).toBeGreaterThan(0)
    })
  })

  test('counts what went through, and ends cleanly', async () => {
    const { body } = await call('admin.sock', 'GET', '/metrics')
    const relayed = (direction: string, app: string, transport = 'udp') => {
      const labels = `direction="${direction}",transport="${transport}",app="${app}"`
      return Number(
        body
          .split('\n')
          .find((line) => line.startsWith(`hairpin_relay_packets_total{${labels}}`))
          ?.split(' ')[1],
      )
    }
    // No packet was lost, so as many came back as went.
    expect(relayed('client_to_peer', 'shop')).toBeGreaterThan(100)
    expect(relayed('peer_to_client', 'shop')).toBe(relayed('client_to_peer', 'shop'))
    if (engine === 'hairpin') {
      for (const transport of ['tcp', 'tls']) {
        const up = relayed('client_to_peer', `${transport}-shop`, transport)
        expect(up).toBeGreaterThan(100)
        expect(relayed('peer_to_client', `${transport}-shop`, transport)).toBe(up)
        expect(body).toContain(`hairpin_client_connections{transport="${transport}"}`)
      }
      const expiry = Number(/^hairpin_tls_certificate_expiry_timestamp_seconds (\d+)/m.exec(body)?.[1])
      expect(Math.round((expiry - Date.now() / 1000) / 86_400)).toBe(30)
    }
    const ended = once(relay.process, 'exit')
    relay.process.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })

  const echo = ['-e', peerAddress, '-r', String(peerPort), '-m', '2']

  function run(args: readonly string[]): Promise<string> {
    // Without -c it asks for an RTP and an RTCP port (EVEN-PORT), which node-turn does not know.
    const oneport = engine === 'hairpin' ? [] : ['-c']
    return uclient('-n', '40', ...oneport, ...args)
  }

  async function relays(args: readonly string[]): Promise<void> {
    expectLossless(await run(args))
  }

  async function mint(): Promise<Credentials> {
    const { apiKeys } = JSON.parse(await readFile(join(folder, 'secrets.json'), 'utf8'))
    const { status, body } = await call('http.sock', 'POST', '/api/v1/turn/credentials', apiKeys[0].key)
    expect(status).toBe(201)
    const { iceServers } = JSON.parse(body)
    const [, host = '', port = ''] = /^turn:([\d.]+):(\d+)\?transport=udp$/.exec(iceServers[1].urls[0]) ?? []
    const tlsPort = /:(\d+)\?/.exec(iceServers[1].urls.at(-1))?.[1]
    return { ...iceServers[1], host, port, tlsPort }
  }

  function call(socket: string, method: string, path: string, key?: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
      const sent = request({ socketPath: join(folder, socket), method, path, headers }, async (response) =>
        resolve({ status: response.statusCode ?? 0, body: await text(response) }),
      )
      sent.on('error', reject).end()
    })
  }
})

/** Takes TCP connections and carries them to the relay over TLS. */
async function tlsTunnel(relayPort: number): Promise<{ port: number; close: () => void }> {
  const server = createServer({ noDelay: true }, (plain) => {
    const secure = connectTls({ port: relayPort, host: '127.0.0.1', rejectUnauthorized: false })
    pipeline(plain, secure, plain, () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}
