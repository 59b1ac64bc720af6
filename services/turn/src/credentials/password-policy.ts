import type { PasswordPolicy } from '../core/index.ts'
import { passwordFor } from './mint.ts'
import { parseUsername } from './username.ts'

/**
 * Usernames that carry their expiry, with a password for each shared secret in force (newest first): a secret can be
 * rotated while credentials of the old one are still out.
 * @param secrets of all apps that have none of their own
 * @param secretsOf the app's own: where there are any, no other counts for it, and they count for no other app
 */
export function timeLimitedPasswords(
  secrets: readonly string[],
  secretsOf: (app: string) => readonly string[] | undefined = () => undefined,
): PasswordPolicy {
  return (username, now) => {
    const parsed = parseUsername(username)
    if (!parsed) return { ok: false, reason: 'malformed-username' }
    const expiresAt = parsed.expiry * 1000
    if (expiresAt <= now) return { ok: false, reason: 'expired' }
    const passwords = (secretsOf(parsed.app) ?? secrets).map((secret) => passwordFor(secret, username))
    return { ok: true, passwords, app: parsed.app, user: parsed.user, expiresAt }
  }
}
