/**
 * Time-limited usernames: `<expiry>:<app>/<user>`, expiry in seconds since the epoch. What coturn's clients use,
 * `<expiry>:<anything>` and a bare `<expiry>`, is accepted too and counted for the app `default`.
 */
import { createHash } from 'node:crypto'

/** The app of credentials that name none. */
export const DEFAULT_APP = 'default'

/** Bytes; with the expiry and the app the whole stays far below the 508 that USERNAME may have (RFC 8489 section 14.3). */
const MAX_USER = 200

const appPattern = /^[\w.-]{1,64}$/
const usernamePattern = /^(\d{1,12})(?::(.*))?$/su

export interface ParsedUsername {
  /** Seconds since the epoch. */
  readonly expiry: number
  readonly app: string
  /** As it stands in the username; `decodeURIComponent` gives what was asked for. Empty when there is none. */
  readonly user: string
}

export function isAppName(text: string): boolean {
  return appPattern.test(text)
}

/** Undefined when it does not begin with an expiry. */
export function parseUsername(username: string): ParsedUsername | undefined {
  const match = usernamePattern.exec(username)
  if (!match) return undefined
  const [, expiry, rest = ''] = match
  const slash = rest.indexOf('/')
  const app = rest.slice(0, Math.max(slash, 0))
  if (!isAppName(app)) return { expiry: Number(expiry), app: DEFAULT_APP, user: rest }
  return { expiry: Number(expiry), app, user: rest.slice(slash + 1) }
}

/**
 * A user as it may stand in a username: letters, digits and `_ . @ : + = ~ -`, everything else percent-encoded as UTF-8.
 * What would be too long is cut and told apart by a digest.
 */
export function encodeUser(user: string): string {
  // A lone surrogate has no UTF-8 form.
  const encoded = encodeURIComponent(user.toWellFormed())
    .replace(/%(40|3A|2B|3D)/g, (escaped) => decodeURIComponent(escaped))
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  if (encoded.length <= MAX_USER) return encoded
  const digest = createHash('sha256').update(encoded).digest('hex').slice(0, 24)
  // Not within an escape.
  return `${encoded.slice(0, MAX_USER - 25).replace(/%.?$/, '')}~${digest}`
}

/** @param expiry seconds since the epoch */
export function formatUsername(expiry: number, app: string, user: string): string {
  return `${expiry}:${app}/${encodeUser(user)}`
}
