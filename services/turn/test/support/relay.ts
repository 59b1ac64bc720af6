import { randomBytes } from 'node:crypto'
import { RelayPorts, TurnServer, type TurnServerOptions } from '../../src/core/index.ts'
import { mintCredential } from '../../src/credentials/mint.ts'
import { timeLimitedPasswords } from '../../src/credentials/password-policy.ts'
import { Drops } from '../../src/datapath/data-path.ts'
import { DgramDataPath } from '../../src/datapath/dgram.ts'
import { Driver, steadyNow } from '../../src/net/driver.ts'
import { claimTcpPort } from '../../src/net/listen-port.ts'
import { OwnAddresses } from '../../src/net/own-addresses.ts'
import { StreamListeners, type StreamListenersOptions } from '../../src/net/streams/listeners.ts'
import { type Handover, TcpRelay } from '../../src/net/tcp-relay/relay.ts'

export const loopback = '127.0.0.1'
const secret = 'a-secret-of-the-tests'

/** One relay worker for stream clients on a loopback port, in this thread. */
export async function streamRelay(
  options: Partial<StreamListenersOptions> & {
    readonly transport?: 'tcp' | 'tls'
    /** What the core is told besides; with `tcpRelay`, TCP allocations are relayed. */
    readonly core?: Partial<TurnServerOptions>
    readonly handOver?: (handover: Handover) => void
    /** Advertised instead of loopback: a 1:1 NAT. */
    readonly external?: string
  } = {},
) {
  const { transport = 'tcp', external = loopback } = options
  const port = await claimTcpPort([loopback], 0, transport)
  const { min, max } = { min: 41_200, max: 41_299 }
  const ports = new RelayPorts({
    min,
    max,
    words: new Int32Array(RelayPorts.wordsFor(min, max)),
    tokenKey: randomBytes(32),
    randomBytes,
  })
  const server = new TurnServer({
    realm: 'test',
    relayAddresses: { 4: external, 6: undefined },
    passwords: timeLimitedPasswords([secret]),
    quota: { acquire: () => true, release: () => {} },
    peers: { check: () => 'allow' } as never,
    ports,
    nonceKey: randomBytes(32),
    ...options.core,
  })
  const relay = [{ family: 4, external, local: loopback, source: 'configured', why: '' }] as const
  const own = new OwnAddresses(relay, ports)
  const drops = new Drops()
  const streams = new StreamListeners({
    bindings: [{ transport, address: loopback, port }],
    firstId: 0,
    now: steadyNow,
    ...options,
  })
  const dataPath = new DgramDataPath({ allocations: server.allocations, clients: [], own, now: steadyNow })
  const errors: Error[] = []
  const tcpRelay =
    options.core?.tcpRelay &&
    new TcpRelay({
      server,
      streams,
      relay,
      own,
      now: steadyNow,
      onError: (error) => errors.push(error),
      handOver: options.handOver,
    })
  const driver = new Driver({
    server,
    tcpRelay,
    dataPath,
    clients: [],
    streams,
    relay,
    drops,
    now: steadyNow,
    onError: (error) => errors.push(error),
  })
  await driver.listen()
  return {
    port,
    server,
    streams,
    tcpRelay,
    errors,
    dropped: () => new Map(drops.entries()),
    close: () => driver.close(),
  }
}

export function credentialOf(user = 'ada'): { username: string; credential: string } {
  return mintCredential({ secret, app: 'shop', user, expiry: Math.floor(Date.now() / 1000) + 600 })
}
