/** How long an allocation lives: RFC 8656 sections 7.2 and 8.2. */
import { Attribute, decodeLifetime, type Message } from '@hairpin/stun'
import type { Limits } from './options.ts'

/** The LIFETIME asked for, in seconds: `absent`, or undefined when its size is wrong. */
export function requestedLifetime(message: Message): number | 'absent' | undefined {
  const value = message.get(Attribute.Lifetime)
  return value ? decodeLifetime(value) : 'absent'
}

/** Seconds given: what is asked for, but no less than the default and no more than the maximum; undefined for 400. */
export function grantedLifetime(message: Message, limits: Limits): number | undefined {
  const asked = requestedLifetime(message)
  if (asked === undefined) return undefined
  if (asked === 'absent') return limits.defaultLifetime
  return Math.max(limits.defaultLifetime, Math.min(asked, limits.maxLifetime))
}
