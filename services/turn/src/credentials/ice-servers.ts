import type { Config, Secrets } from '@hairpin/config'
import type { RelayAddress, ServerAddresses } from '../net/addresses.ts'
import { mintCredential, type TurnCredential } from './mint.ts'

export interface IceServer {
  readonly urls: string[]
  readonly username?: string
  readonly credential?: string
}

export interface IceServersRequest {
  readonly app: string
  readonly user?: string | undefined
  /** Seconds; the configured default when left out. The caller has checked the bounds. */
  readonly ttl?: number | undefined
}

export interface IceServers {
  readonly iceServers: IceServer[]
  /** Seconds. */
  readonly ttl: number
  /** ISO 8601. */
  readonly expiresAt: string
}

export interface IceServersOptions {
  readonly config: Pick<Config, 'turn' | 'credentials'>
  /** Of the app that asks. */
  readonly secrets: Pick<Secrets, 'turnSecrets'>
  readonly addresses: ServerAddresses
}

/** What a client needs to use the relay: where it is and a credential minted now, in RTCConfiguration's own form. */
export function iceServersFor(options: IceServersOptions, request: IceServersRequest, nowMs = Date.now()): IceServers {
  const ttl = request.ttl ?? options.config.credentials.ttl.default
  const expiry = Math.floor(nowMs / 1000) + ttl
  const secret = options.secrets.turnSecrets[0]
  if (secret === undefined) throw new Error('there is no TURN secret to mint with')
  const credential = mintCredential({ secret, app: request.app, user: request.user, expiry })
  return { iceServers: serversWith(options, credential), ttl, expiresAt: new Date(expiry * 1000).toISOString() }
}

/** Where to use a credential. */
export function serversWith(
  options: Omit<IceServersOptions, 'secrets'>,
  { username, credential }: TurnCredential,
): IceServer[] {
  const hosts = hostsOf(options)
  const { port } = options.addresses
  return [
    { urls: hosts.map((host) => `stun:${host}:${port}`) },
    {
      urls: [...hosts.map((host) => `turn:${host}:${port}?transport=udp`), ...streamUrls(options, hosts)],
      username,
      credential,
    },
  ]
}

/**
 * URLs for networks that let no UDP through, one of each transport that is listened to: every URL costs every client a
 * round of gathering. `turns:` only with a configured name, which the certificate is for: browsers check it.
 */
function streamUrls({ config, addresses }: Omit<IceServersOptions, 'secrets'>, hosts: readonly string[]): string[] {
  const { tcpPort, tlsPort } = addresses
  const urls: string[] = []
  if (tcpPort !== undefined) urls.push(`turn:${hosts[0]}:${tcpPort}?transport=tcp`)
  if (tlsPort !== undefined && config.turn.host !== undefined) urls.push(`turns:${hosts[0]}:${tlsPort}?transport=tcp`)
  return urls
}

/**
 * Hosts for URLs: the configured name, else the advertised address. A second URL costs every client a second round of
 * gathering, so an IPv6 address is added only where it is reachable from elsewhere than this network.
 */
function hostsOf({ config, addresses }: Omit<IceServersOptions, 'secrets'>): string[] {
  if (config.turn.host !== undefined) return [bracketed(config.turn.host)]
  const isPublic = ({ source }: RelayAddress) => source !== 'private' && source !== 'loopback'
  const first = addresses.relay[0]
  return addresses.relay
    .filter((address) => address === first || isPublic(address))
    .map((address) => bracketed(address.external))
}

/** RFC 7064, RFC 7065: an IPv6 address stands in brackets. */
function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
