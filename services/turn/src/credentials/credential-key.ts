/**
 * A key that stands for one credential: whoever has it may ask for the credential's ICE servers until it expires, and for
 * nothing else. It proves itself by an HMAC of its username, so none is stored.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { passwordFor, type TurnCredential } from './mint.ts'
import { parseUsername } from './username.ts'

const PREFIX = 'hc_'

export function isCredentialKey(text: string): boolean {
  return text.startsWith(PREFIX)
}

export function credentialKey(secret: string, username: string): string {
  return `${PREFIX}${Buffer.from(username).toString('base64url')}.${signature(secret, username).toString('base64url')}`
}

/**
 * The credential that a key stands for, and its app; undefined for what is no such key, forged or expired.
 * @param secretsOf an app's secrets in force
 * @param now milliseconds since the epoch
 */
export function credentialOfKey(
  key: string,
  secretsOf: (app: string) => readonly string[],
  now: number,
): (TurnCredential & { readonly app: string; readonly expiry: number }) | undefined {
  const [, encoded = '', proof = ''] = /^hc_([\w-]+)\.([\w-]{43})$/.exec(key) ?? []
  const username = Buffer.from(encoded, 'base64url').toString()
  const parsed = parseUsername(username)
  if (!parsed || parsed.expiry * 1000 <= now) return undefined
  const given = Buffer.from(proof, 'base64url')
  const secret = secretsOf(parsed.app).find((candidate) => timingSafeEqual(signature(candidate, username), given))
  if (secret === undefined) return undefined
  return { app: parsed.app, expiry: parsed.expiry, username, credential: passwordFor(secret, username) }
}

function signature(secret: string, username: string): Buffer {
  return createHmac('sha256', secret).update(`credential key of ${username}`).digest()
}
