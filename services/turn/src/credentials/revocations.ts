/** Usernames that count no more although they have not expired. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { ConfigError } from '@hairpin/config'
import type { PasswordPolicy } from '../core/index.ts'
import { parseUsername } from './username.ts'

/** Kept until each expires: then the password policy refuses it by itself. */
export class RevokedUsernames {
  /** By username, milliseconds since the epoch. */
  readonly #expiry = new Map<string, number>()

  has(username: string): boolean {
    return this.#expiry.has(username)
  }

  /** False for a username that is malformed or expired anyway. */
  add(username: string, now: number): boolean {
    for (const [old, expiry] of this.#expiry) if (expiry <= now) this.#expiry.delete(old)
    const parsed = parseUsername(username)
    if (!parsed || parsed.expiry * 1000 <= now) return false
    this.#expiry.set(username, parsed.expiry * 1000)
    return true
  }

  list(): string[] {
    return [...this.#expiry.keys()]
  }
}

export function unlessRevoked(passwords: PasswordPolicy, revoked: RevokedUsernames): PasswordPolicy {
  return (username, now) => {
    const credentials = passwords(username, now)
    return credentials.ok && revoked.has(username) ? { ok: false, reason: 'revoked' } : credentials
  }
}

/** The list in a file, so that a restart keeps it. */
export class RevocationFile {
  readonly revoked = new RevokedUsernames()
  readonly #path: string

  /** @throws ConfigError when there is a file that cannot be read: to go on would let revoked usernames in. */
  constructor(path: string, now: number) {
    this.#path = path
    try {
      for (const username of this.#read()) this.revoked.add(String(username), now)
    } catch (error) {
      throw new ConfigError('HAIRPIN_DATA_DIR', `cannot read the revoked usernames: ${(error as Error).message}`)
    }
  }

  save(): void {
    const temporary = `${this.#path}.${process.pid}`
    writeFileSync(temporary, `${JSON.stringify(this.revoked.list())}\n`, { mode: 0o600 })
    renameSync(temporary, this.#path)
  }

  #read(): unknown[] {
    let text = '[]'
    try {
      text = readFileSync(this.#path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    const list: unknown = JSON.parse(text)
    if (!Array.isArray(list)) throw new Error(`${this.#path} is not a list`)
    return list
  }
}
