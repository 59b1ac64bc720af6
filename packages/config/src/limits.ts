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
