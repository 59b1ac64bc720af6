import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { ConfigError, type Environment, EnvReader } from './env.ts'
import { type IdentityConfig, identity } from './identity.ts'
import {
  type AllocationLimits,
  type ApiRates,
  allocationLimits,
  apiRates,
  type BandwidthLimits,
  bandwidthLimits,
  type CredentialExpiry,
  credentialExpiry,
  type DrainConfig,
  drainConfig,
  type UnauthenticatedLimits,
  unauthenticatedLimits,
} from './limits.ts'
import { addressPairs, type ExternalAddress, type PortRange, portRange } from './network.ts'
import { type PushConfig, pushConfig } from './push.ts'
import type { ApiKey } from './secrets.ts'
import { type SignalingLimits, signalingLimits } from './signaling-limits.ts'
import { type DeskConfig, deskConfig, type WhatsappConfig, whatsappConfig } from './whatsapp.ts'

/** Everything a service may be told; `.env.example` is the reference of the variables. */
export interface Config {
  readonly http: { readonly host: string; readonly port: number; readonly socket?: string }
  readonly admin: { readonly host: string; readonly port: number; readonly socket?: string }
  /** Who may set X-Forwarded-For: CIDR ranges. Requests on the HTTP Unix socket are always the proxy's. */
  readonly trustedProxies: readonly string[]
  readonly logLevel: string
  readonly dataDir: string
  /** What relayed bytes cost: an entry of infra/prices.json or an own price; undefined: the table's default. */
  readonly prices?: string
  /** What apps may use, in the words of HAIRPIN_BUDGETS. */
  readonly budgets?: string
  /** Told of reached marks, for apps without a webhook of their own. */
  readonly budgetWebhook?: { readonly url: string; readonly secret: string }
  /** Guests may join the demo without a token. */
  readonly demo: boolean
  readonly turn: {
    readonly engine: 'hairpin' | 'node-turn'
    readonly dataPath: 'dgram'
    readonly workers: number
    readonly port: number
    /** TURN over TLS, when a certificate is given: PEM files. */
    readonly tls?: { readonly port: number; readonly cert: string; readonly key: string }
    /** Proxies whose connections begin with a PROXY protocol header: CIDR ranges. */
    readonly proxyProtocolFrom: readonly string[]
    /** Undefined: every address of every interface. */
    readonly listenIps?: readonly string[]
    /** Undefined: detected. */
    readonly externalIps?: readonly ExternalAddress[]
    readonly relayPorts: PortRange
    /** TCP allocations (RFC 6062), when they are given: peer connections of one at a time. */
    readonly tcpRelay?: { readonly connections: number }
    /** Host name for `turn:` URLs; the external address when undefined. */
    readonly host?: string
    readonly realm: string
    /** Seconds between two looks at detected addresses; 0 = none. */
    readonly addressCheck: number
    /** NAT behaviour discovery (RFC 5780): two addresses of one family, and the second port. */
    readonly discovery?: { readonly ips: readonly ExternalAddress[]; readonly port: number }
    /** Server used to learn the public address, `host:port`; undefined turns that detector off. */
    readonly stunServer?: string
    readonly peerDeny: readonly string[]
    readonly peerAllow: readonly string[]
    /** Allocations per user and in all; 0 = no limit. */
    readonly userQuota: number
    readonly totalQuota: number
    readonly unauthenticated: UnauthenticatedLimits
    readonly limits: AllocationLimits
    readonly bandwidth: BandwidthLimits
    /** Payload, both directions; 0 = no limit. */
    readonly bytesPerCredential: number
    readonly credentialExpiry: CredentialExpiry
    readonly drain: DrainConfig
  }
  readonly credentials: {
    /** Seconds. */
    readonly ttl: { readonly min: number; readonly default: number; readonly max: number }
    /** Undefined: the generated ones (`loadSecrets`). Newest first. */
    readonly turnSecrets?: readonly string[]
    readonly apiKeys?: readonly ApiKey[]
    readonly rates: ApiRates
  }
  /** What verifies signaling tokens. */
  readonly identity: IdentityConfig
  /** What wakes devices that have no connection. */
  readonly push: PushConfig
  readonly signaling: {
    /** Where credentials come from when the relay is another process: `unix:/path` or `http://host:port`. */
    readonly turnApi?: string
    /** Origins that may open the WebSocket besides the page's own host. */
    readonly origins: readonly string[]
    /** Seconds that a session outlives its socket, for clients that can resume; 0 = none can. */
    readonly resumeGrace: number
    readonly limits: SignalingLimits
  }
  /** The bridge for WhatsApp calls, when there is one. */
  readonly whatsapp?: WhatsappConfig
  readonly desk: DeskConfig
}

/**
 * Reads the configuration from environment variables.
 * @throws ConfigError naming the variable when a value is wrong.
 */
export function loadConfig(source: Environment): Config {
  return readConfig(new EnvReader(source))
}

/** @throws ConfigError naming the variable when a value is wrong. */
export function readConfig(env: EnvReader): Config {
  const relayPorts = portRange(env, 'HAIRPIN_RELAY_PORTS', { min: 49152, max: 65535 })
  return {
    http: listener(env, 'HTTP', '0.0.0.0', 8080),
    admin: listener(env, 'ADMIN', '127.0.0.1', 9464),
    trustedProxies: env.cidrs('HAIRPIN_TRUSTED_PROXIES'),
    logLevel: env.choice('HAIRPIN_LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info'),
    dataDir: resolve(env.string('HAIRPIN_DATA_DIR') ?? './data'),
    ...optional('prices', env.string('HAIRPIN_PRICES')),
    ...optional('budgets', env.string('HAIRPIN_BUDGETS')),
    ...optional('budgetWebhook', budgetWebhook(env)),
    demo: env.flag('HAIRPIN_DEMO', true),
    turn: {
      engine: env.choice('HAIRPIN_TURN_ENGINE', ['hairpin', 'node-turn'], 'hairpin'),
      dataPath: dataPath(env),
      workers: env.integer('HAIRPIN_WORKERS', availableParallelism(), 1, 256),
      port: env.port('HAIRPIN_TURN_PORT', 3478),
      ...optional('tls', tlsListener(env)),
      proxyProtocolFrom: env.cidrs('HAIRPIN_PROXY_PROTOCOL_FROM'),
      ...optional('listenIps', listenIps(env)),
      ...optional('externalIps', externalIps(env)),
      relayPorts,
      ...optional('tcpRelay', tcpRelay(env)),
      ...optional('host', env.string('HAIRPIN_TURN_HOST')),
      realm: env.string('HAIRPIN_REALM') ?? 'hairpin',
      ...optional('discovery', discovery(env)),
      addressCheck: env.integer('HAIRPIN_ADDRESS_CHECK', 300, 0, 86_400),
      ...optional('stunServer', stunServer(env)),
      peerDeny: env.cidrs('HAIRPIN_PEER_DENY'),
      peerAllow: env.cidrs('HAIRPIN_PEER_ALLOW'),
      userQuota: env.integer('HAIRPIN_USER_QUOTA', 12, 0, 1_000_000),
      totalQuota: env.integer('HAIRPIN_TOTAL_QUOTA', 0, 0, 10_000_000),
      unauthenticated: unauthenticatedLimits(env),
      limits: allocationLimits(env),
      bandwidth: bandwidthLimits(env),
      bytesPerCredential: env.integer('HAIRPIN_BYTES_PER_CREDENTIAL', 0, 0, 1_000_000_000_000_000),
      credentialExpiry: credentialExpiry(env),
      drain: drainConfig(env),
    },
    credentials: {
      ttl: ttlBounds(env),
      ...optional('turnSecrets', turnSecrets(env)),
      ...optional('apiKeys', apiKeys(env)),
      rates: apiRates(env),
    },
    identity: identity(env),
    push: pushConfig(env),
    signaling: {
      ...optional('turnApi', turnApi(env)),
      origins: env.list('HAIRPIN_ORIGINS').map((origin) => checkedOrigin(origin)),
      resumeGrace: env.integer('HAIRPIN_RESUME_GRACE', 30, 0, 600),
      limits: signalingLimits(env),
    },
    ...optional('whatsapp', whatsappConfig(env, relayPorts)),
    desk: deskConfig(env),
  }
}

/** `exactOptionalPropertyTypes` keeps "absent" and "undefined" apart; this gives the absent form. */
function optional<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: T })
}

function listener(env: EnvReader, name: 'HTTP' | 'ADMIN', host: string, port: number) {
  return {
    host: env.ip(`HAIRPIN_${name}_HOST`, env.string(`HAIRPIN_${name}_HOST`) ?? host),
    port: env.port(`HAIRPIN_${name}_PORT`, port),
    ...optional('socket', env.string(`HAIRPIN_${name}_SOCKET`)),
  }
}

function tlsListener(env: EnvReader): Config['turn']['tls'] {
  const port = env.port('HAIRPIN_TURNS_PORT', 5349)
  const [cert, key] = [env.string('HAIRPIN_TLS_CERT'), env.string('HAIRPIN_TLS_KEY')]
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined) throw new ConfigError('HAIRPIN_TLS_CERT', 'is missing; HAIRPIN_TLS_KEY is set')
  if (key === undefined) throw new ConfigError('HAIRPIN_TLS_KEY', 'is missing; HAIRPIN_TLS_CERT is set')
  if (port !== 0 && port === env.port('HAIRPIN_TURN_PORT', 3478))
    throw new ConfigError('HAIRPIN_TURNS_PORT', 'TLS needs a port of its own, another than HAIRPIN_TURN_PORT')
  return { port, cert: resolve(cert), key: resolve(key) }
}

function tcpRelay(env: EnvReader): Config['turn']['tcpRelay'] {
  const connections = env.integer('HAIRPIN_TCP_RELAY_CONNECTIONS', 16, 1, 1000)
  return env.flag('HAIRPIN_TCP_RELAY', false) ? { connections } : undefined
}

function dataPath(env: EnvReader): 'dgram' {
  env.choice('HAIRPIN_DATAPATH', ['auto', 'dgram'], 'auto')
  return 'dgram'
}

function listenIps(env: EnvReader): string[] | undefined {
  const list = env.list('HAIRPIN_LISTEN_IPS')
  if (list.length === 0 || (list.length === 1 && list[0] === 'all')) return undefined
  return list.map((text) => env.ip('HAIRPIN_LISTEN_IPS', text))
}

function externalIps(env: EnvReader): ExternalAddress[] | undefined {
  const name = 'HAIRPIN_EXTERNAL_IP'
  const list = env.list(name)
  return list.length === 0 || (list.length === 1 && list[0] === 'auto') ? undefined : addressPairs(env, name)
}

function discovery(env: EnvReader): Config['turn']['discovery'] {
  const name = 'HAIRPIN_DISCOVERY_IPS'
  const ips = addressPairs(env, name)
  const port = env.port('HAIRPIN_DISCOVERY_PORT', 3479)
  if (ips.length === 0) return undefined
  const [first, second] = ips
  if (
    ips.length !== 2 ||
    first?.public.includes(':') !== second?.public.includes(':') ||
    first?.public === second?.public
  )
    throw new ConfigError(name, 'names two addresses of one family, or none')
  if (port !== 0 && port === env.port('HAIRPIN_TURN_PORT', 3478))
    throw new ConfigError('HAIRPIN_DISCOVERY_PORT', 'is another port than HAIRPIN_TURN_PORT')
  return { ips, port }
}

function stunServer(env: EnvReader): string | undefined {
  const text = env.string('HAIRPIN_STUN_SERVER') ?? 'stun.l.google.com:19302'
  if (text === 'off') return undefined
  if (!/^[^\s:]+:\d{1,5}$/.test(text)) throw new ConfigError('HAIRPIN_STUN_SERVER', `"${text}" is not host:port or off`)
  return text
}

function ttlBounds(env: EnvReader) {
  const min = env.integer('HAIRPIN_TTL_MIN', 60, 1, 31_536_000)
  const max = env.integer('HAIRPIN_TTL_MAX', 172_800, min, 31_536_000)
  return { min, default: env.integer('HAIRPIN_TTL_DEFAULT', Math.min(Math.max(86_400, min), max), min, max), max }
}

function turnSecrets(env: EnvReader): string[] | undefined {
  const list = env.list('HAIRPIN_TURN_SECRETS')
  const short = list.find((secret) => secret.length < 16)
  if (short !== undefined)
    throw new ConfigError(
      'HAIRPIN_TURN_SECRETS',
      'every secret needs at least 16 characters (try: openssl rand -hex 32)',
    )
  return list.length === 0 ? undefined : list
}

function apiKeys(env: EnvReader): ApiKey[] | undefined {
  const list = env.list('HAIRPIN_API_KEYS').map((pair) => {
    const at = pair.indexOf(':')
    const [app, key] = [pair.slice(0, at), pair.slice(at + 1)]
    if (at < 1 || !/^[\w.-]{1,64}$/.test(app))
      throw new ConfigError('HAIRPIN_API_KEYS', 'every entry is app:key, the app of letters, digits, "_", "." or "-"')
    if (key.length < 16) throw new ConfigError('HAIRPIN_API_KEYS', `the key of "${app}" needs at least 16 characters`)
    return { app, key }
  })
  return list.length === 0 ? undefined : list
}

function budgetWebhook(env: EnvReader): Config['budgetWebhook'] {
  const name = 'HAIRPIN_BUDGET_WEBHOOK'
  const [url, secret] = [env.string(name), env.string('HAIRPIN_BUDGET_WEBHOOK_SECRET')]
  if (url === undefined) return undefined
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new ConfigError(name, `"${url}" is not a URL like https://example.com/hooks/hairpin`)
  if (secret === undefined || secret.length < 16)
    throw new ConfigError('HAIRPIN_BUDGET_WEBHOOK_SECRET', 'needs at least 16 characters (try: openssl rand -hex 32)')
  return { url, secret }
}

function turnApi(env: EnvReader): string | undefined {
  const text = env.string('HAIRPIN_TURN_API')
  if (text !== undefined && !text.startsWith('unix:/') && !/^https?:\/\/[^/]+$/.test(text))
    throw new ConfigError('HAIRPIN_TURN_API', `"${text}" is neither unix:/path nor http://host:port`)
  return text
}

function checkedOrigin(text: string): string {
  if (text === '*') return text
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || url.origin === 'null')
    throw new ConfigError('HAIRPIN_ORIGINS', `"${text}" is not an origin like https://app.example.com`)
  return url.origin
}
