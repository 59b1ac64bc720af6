import { ConfigError, type EnvReader } from './env.ts'
import { addressPairs, type ExternalAddress, type PortRange, portRange } from './network.ts'

/** What the bridge for WhatsApp calls needs; there is none without it. */
export interface WhatsappConfig {
  /** The text that the operator gave Meta with the webhook's address. */
  readonly verifyToken: string
  /** Signs Meta's events. */
  readonly appSecret: string
  readonly accessToken: string
  readonly phoneNumberId: string
  /** Of the Graph API, with the version, without a slash at the end. */
  readonly graphUrl: string
  /** `direct`: the agents' browsers connect to the customers' phones themselves. */
  readonly mode: 'bridge' | 'direct'
  readonly media: {
    readonly ports: PortRange
    /** Bound to `local`, or to `public` where there is no `local`; undefined: to every address of every interface. */
    readonly address?: ExternalAddress
  }
  /** Calls at once. */
  readonly calls: number
  /** Seconds that a customer's call rings at the agents. */
  readonly ring: number
  /** What a customer reads who is asked for the permission to be called. */
  readonly permissionText: string
  readonly records: {
    /** Days that records of calls are kept. */
    readonly days: number
    /** Whole numbers of customers are kept, not only their last digits and a keyed hash. */
    readonly fullNumbers: boolean
  }
}

/** Who may be an agent, and where their calls come from. */
export interface DeskConfig {
  /** Where the service is reached when it is another process: `unix:/path` or `ws://host:port`. */
  readonly api?: string
  /** The app whose users may be agents; it pays for what is relayed. */
  readonly app: string
  /** Guests may be agents, and nobody else. */
  readonly guests: boolean
}

/** The newest version that the bridge was written for; calls need v17 or later. */
const GRAPH_URL = 'https://graph.facebook.com/v23.0'

/** All of them, or there is no bridge. */
const required = {
  verifyToken: 'HAIRPIN_WHATSAPP_VERIFY_TOKEN',
  appSecret: 'HAIRPIN_WHATSAPP_APP_SECRET',
  accessToken: 'HAIRPIN_WHATSAPP_ACCESS_TOKEN',
  phoneNumberId: 'HAIRPIN_WHATSAPP_PHONE_NUMBER_ID',
} as const

/** Undefined: the four variables are not set. @throws ConfigError for some of them, naming those that are missing */
export function whatsappConfig(env: EnvReader, relayPorts: PortRange): WhatsappConfig | undefined {
  const read = settings(env)
  const { verifyToken, appSecret, accessToken, phoneNumberId } = read
  if (verifyToken === undefined && appSecret === undefined && accessToken === undefined && phoneNumberId === undefined)
    return undefined
  if (verifyToken === undefined || appSecret === undefined || accessToken === undefined || phoneNumberId === undefined)
    throw missing(read)
  if (!/^\d{1,32}$/.test(phoneNumberId))
    throw new ConfigError(required.phoneNumberId, 'is the number’s id in digits, which Meta’s app dashboard shows')
  if (/\s/.test(accessToken)) throw new ConfigError(required.accessToken, 'has white space in it')
  if (read.mode === 'bridge') checkPorts(read.media.ports, relayPorts, read.calls)
  return { ...read, verifyToken, appSecret, accessToken, phoneNumberId }
}

export function deskConfig(env: EnvReader): DeskConfig {
  const name = 'HAIRPIN_WHATSAPP_DESK'
  const text = env.string(name)
  if (text !== undefined && !text.startsWith('unix:/') && !/^ws:\/\/[^/]+$/.test(text))
    throw new ConfigError(name, `"${text}" is neither unix:/path nor ws://host:port`)
  const app = env.string('HAIRPIN_WHATSAPP_APP') ?? 'demo'
  if (!/^[\w.-]{1,64}$/.test(app))
    throw new ConfigError('HAIRPIN_WHATSAPP_APP', `"${app}" is not an app: letters, digits, "_", "." or "-"`)
  const guests = env.flag('HAIRPIN_WHATSAPP_GUEST_AGENTS', false)
  if (guests && !env.flag('HAIRPIN_DEMO', true))
    throw new ConfigError('HAIRPIN_WHATSAPP_GUEST_AGENTS', 'nobody could be an agent: HAIRPIN_DEMO=0 lets no guests in')
  return { ...(text === undefined ? {} : { api: text }), app, guests }
}

function settings(env: EnvReader) {
  const address = mediaAddress(env)
  return {
    verifyToken: env.string(required.verifyToken),
    appSecret: env.string(required.appSecret),
    accessToken: env.string(required.accessToken),
    phoneNumberId: env.string(required.phoneNumberId),
    graphUrl: graphUrl(env),
    mode: env.choice('HAIRPIN_WHATSAPP_MODE', ['bridge', 'direct'], 'bridge'),
    media: {
      ports: portRange(env, 'HAIRPIN_WHATSAPP_MEDIA_PORTS', { min: 48000, max: 48999 }),
      ...(address ? { address } : {}),
    },
    calls: env.integer('HAIRPIN_WHATSAPP_CALLS', 200, 1, 1000),
    ring: env.integer('HAIRPIN_WHATSAPP_RING', 45, 5, 60),
    permissionText: permissionText(env),
    records: {
      days: env.integer('HAIRPIN_WHATSAPP_RECORD_DAYS', 365, 1, 36_500),
      fullNumbers: env.choice('HAIRPIN_WHATSAPP_NUMBERS', ['hashed', 'full'], 'hashed') === 'full',
    },
  }
}

function missing(read: Partial<Record<keyof typeof required, unknown>>): ConfigError {
  const names = Object.entries(required)
    .filter(([key]) => read[key as keyof typeof required] === undefined)
    .map(([, name]) => name)
  return new ConfigError(names.join(', '), 'missing, while others of these four are set: all of them or none')
}

function graphUrl(env: EnvReader): string {
  const name = 'HAIRPIN_WHATSAPP_GRAPH_URL'
  const text = env.string(name) ?? GRAPH_URL
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || !/^\/v\d+\.\d+\/?$/.test(url.pathname) || url.search !== '')
    throw new ConfigError(name, `"${text}" is not a URL with a version like ${GRAPH_URL}`)
  return text.replace(/\/$/, '')
}

function permissionText(env: EnvReader): string {
  const name = 'HAIRPIN_WHATSAPP_PERMISSION_TEXT'
  const text = env.string(name) ?? 'May we call you on WhatsApp?'
  // The limit of a message's body.
  if (text.length > 1024) throw new ConfigError(name, 'is longer than 1024 characters')
  return text
}

function mediaAddress(env: EnvReader): ExternalAddress | undefined {
  const name = 'HAIRPIN_WHATSAPP_MEDIA_IP'
  const list = addressPairs(env, name)
  if (list.length > 1) throw new ConfigError(name, 'names one address, or one pair')
  return list[0]
}

function checkPorts({ min, max }: PortRange, relay: PortRange, calls: number): void {
  const name = 'HAIRPIN_WHATSAPP_MEDIA_PORTS'
  if (min <= relay.max && relay.min <= max)
    throw new ConfigError(name, `${min}-${max} shares ports with HAIRPIN_RELAY_PORTS, ${relay.min}-${relay.max}`)
  // A call takes two ports, and one more while it goes from one agent's device to another.
  if (max - min + 1 < 3 * calls)
    throw new ConfigError(name, `${min}-${max} is too few for HAIRPIN_WHATSAPP_CALLS=${calls}: three for each call`)
}
