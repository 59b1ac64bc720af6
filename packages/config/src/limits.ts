import { isIP } from 'node:net'
import { ConfigError, type EnvReader } from './env.ts'

/** What senders whom nobody has authenticated may draw from the relay. */
export interface UnauthenticatedLimits {
  /** Answers a second, of all workers together, for each source prefix; four times as many at once. 0 = no limit. */
  readonly challengeRate: number
  readonly bindingRate: number
  /** Bits of a source prefix. */
  readonly prefix4: number
  readonly prefix6: number
}

export function unauthenticatedLimits(env: EnvReader): UnauthenticatedLimits {
  return {
    challengeRate: env.integer('HAIRPIN_CHALLENGE_RATE', 100, 0, 10_000_000),
    bindingRate: env.integer('HAIRPIN_BINDING_RATE', 200, 0, 10_000_000),
    ...sourcePrefix(env),
  }
}

function sourcePrefix(env: EnvReader): { prefix4: number; prefix6: number } {
  const name = 'HAIRPIN_SOURCE_PREFIX'
  const text = env.string(name) ?? '24,48'
  const match = /^(\d{1,2}) *, *(\d{1,3})$/.exec(text)
  const [prefix4, prefix6] = [Number(match?.[1]), Number(match?.[2])]
  if (!match || prefix4 < 8 || prefix4 > 32 || prefix6 < 16 || prefix6 > 64)
    throw new ConfigError(name, `"${text}" is not bits of IPv4 (8-32) and IPv6 (16-64) like 24,48`)
  return { prefix4, prefix6 }
}

/** Of one allocation, in seconds and counts. */
export interface AllocationLimits {
  /** Lifetime given when none is asked for, and the least given. */
  readonly defaultLifetime: number
  readonly maxLifetime: number
  /** How long a nonce may be used. */
  readonly nonceLifetime: number
  /** Beyond these 508. */
  readonly maxPermissions: number
  readonly maxChannels: number
}

export function allocationLimits(env: EnvReader): AllocationLimits {
  // RFC 8656 section 7.2: what is asked for is raised to the default lifetime, so nothing can be shorter.
  const defaultLifetime = env.integer('HAIRPIN_LIFETIME', 600, 60, 86_400)
  return {
    defaultLifetime,
    maxLifetime: env.integer('HAIRPIN_MAX_LIFETIME', Math.max(3600, defaultLifetime), defaultLifetime, 86_400),
    nonceLifetime: env.integer('HAIRPIN_NONCE_LIFETIME', 3600, 60, 86_400),
    maxPermissions: env.integer('HAIRPIN_MAX_PERMISSIONS', 256, 1, 65_536),
    maxChannels: env.integer('HAIRPIN_MAX_CHANNELS', 256, 1, 16_384),
  }
}

/** Bytes of payload a second, both directions together; 0 = no limit. */
export interface BandwidthLimits {
  readonly perAllocation: number
  /** All allocations of this host together. */
  readonly total: number
}

export function bandwidthLimits(env: EnvReader): BandwidthLimits {
  return {
    perAllocation: env.integer('HAIRPIN_MAX_BPS', 0, 0, 1_000_000_000_000),
    total: env.integer('HAIRPIN_TOTAL_BPS', 0, 0, 1_000_000_000_000),
  }
}

/** What becomes of an allocation whose credential expires while it lives: nothing, its end so many seconds later, or its end. */
export type CredentialExpiry = 'allow' | { readonly grace: number } | 'disconnect'

export function credentialExpiry(env: EnvReader): CredentialExpiry {
  const policy = env.choice('HAIRPIN_CREDENTIAL_EXPIRY', ['allow', 'grace', 'disconnect'], 'allow')
  const grace = env.integer('HAIRPIN_CREDENTIAL_GRACE', 300, 1, 31_536_000)
  return policy === 'grace' ? { grace } : policy
}

/** Calls of the HTTP API a minute; 0 = no limit. */
export interface ApiRates {
  /** Of each API key. */
  readonly key: number
  /** Of each address (IPv6: its /64) that comes with a signaling token or without a valid key. */
  readonly address: number
}

export function apiRates(env: EnvReader): ApiRates {
  return {
    key: env.integer('HAIRPIN_API_KEY_RATE', 6000, 0, 10_000_000),
    address: env.integer('HAIRPIN_API_ADDRESS_RATE', 120, 0, 10_000_000),
  }
}

export interface DrainConfig {
  /** How long a stop waits for live allocations; 0 = not at all. */
  readonly seconds: number
  /** Where clients are sent that ask for a new allocation meanwhile, at most one of each family. */
  readonly alternates: readonly { readonly address: string; readonly port: number; readonly family: 4 | 6 }[]
}

export function drainConfig(env: EnvReader): DrainConfig {
  const name = 'HAIRPIN_ALTERNATE_SERVER'
  const alternates = env.list(name).map((text) => {
    const [, six, four, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
    const address = six ?? four ?? ''
    const family = isIP(address) as 0 | 4 | 6
    if (family !== (six === undefined ? 4 : 6) || Number(port) < 1 || Number(port) > 65535)
      throw new ConfigError(name, `"${text}" is not an address and a port like 192.0.2.1:3478 or [2001:db8::1]:3478`)
    return { address, port: Number(port), family }
  })
  if (new Set(alternates.map(({ family }) => family)).size < alternates.length)
    throw new ConfigError(name, 'names more than one server of a family')
  return { seconds: env.integer('HAIRPIN_DRAIN_SECONDS', 0, 0, 86_400), alternates }
}
