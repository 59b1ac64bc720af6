/** The relay engines under test, each started in this process on loopback with real sockets. */
import { networkInterfaces } from 'node:os'
import { loadConfig } from '@hairpin/config'
import { createLogger } from '@hairpin/http'
import { mintCredential } from '../../services/turn/src/credentials/mint.ts'
import type { RelayEngine } from '../../services/turn/src/engine.ts'
import { createEngine } from '../../services/turn/src/engines/index.ts'
import type { RelayAddress, ServerAddresses } from '../../services/turn/src/net/addresses.ts'
import { claimPorts } from '../../services/turn/src/net/listen-port.ts'
import type { TestCertificate } from '../../services/turn/test/support/certificates.ts'
import type { ClientTransport, Credentials } from './client.ts'

export const ENGINES = ['hairpin', 'node-turn'] as const
export type EngineName = (typeof ENGINES)[number]

export const SERVER = '127.0.0.1'
/** Of this host, and opened by the allow list. */
export const PEERS = ['127.0.0.2', '127.0.0.3'] as const
export const RELAY_PORTS = { min: 43_000, max: 43_399 }
const secret = 'a-secret-of-the-compliance-suite'

export type Settings = Readonly<Record<string, string>>

export interface Relay {
  readonly engine: RelayEngine
  readonly port: (transport: ClientTransport) => number
  readonly credentials: (user: string) => Credentials
}

/** A peer on it is opened by the allow list where the relay has an IPv6 address. */
export const SERVER_V6 = '::1'
export const RELAY_V4: RelayAddress = { family: 4, external: SERVER, local: SERVER, source: 'configured', why: '' }
export const RELAY_V6: RelayAddress = {
  family: 6,
  external: SERVER_V6,
  local: SERVER_V6,
  source: 'configured',
  why: '',
}
export const IPV6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === SERVER_V6),
)

/**
 * @param settings beside the usual ones, or in their place.
 * @param host where it relays from, and all addresses of this host that it knows of.
 */
export async function startRelay(
  name: EngineName,
  certificate: TestCertificate,
  settings: Settings,
  host: Pick<ServerAddresses, 'relay' | 'own'> = { relay: [RELAY_V4], own: [SERVER] },
): Promise<Relay> {
  const config = loadConfig({
    HAIRPIN_TURN_ENGINE: name,
    HAIRPIN_WORKERS: '2',
    HAIRPIN_TURN_PORT: '0',
    HAIRPIN_TURNS_PORT: '0',
    HAIRPIN_TLS_CERT: certificate.cert,
    HAIRPIN_TLS_KEY: certificate.key,
    HAIRPIN_RELAY_PORTS: `${RELAY_PORTS.min}-${RELAY_PORTS.max}`,
    HAIRPIN_PEER_ALLOW: PEERS.join(),
    HAIRPIN_USER_QUOTA: '0',
    HAIRPIN_CHALLENGE_RATE: '0',
    HAIRPIN_BINDING_RATE: '0',
    ...settings,
  })
  const ports = await claimPorts(config.turn, [SERVER])
  const engine = await createEngine({
    config,
    addresses: { listen: [SERVER], ...host, ...ports },
    secrets: { turnSecrets: [secret] },
    logger: createLogger('silent'),
  })
  await engine.start()
  return {
    engine,
    port: (transport) => (transport === 'udp' ? ports.port : transport === 'tcp' ? ports.tcpPort : ports.tlsPort) ?? 1,
    credentials: (user) => {
      const expiry = Math.floor(Date.now() / 1000) + 600
      const { username, credential } = mintCredential({ secret, app: 'shop', user, expiry })
      return { username, password: credential }
    },
  }
}
