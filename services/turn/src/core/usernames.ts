/**
 * USERHASH (RFC 8489 sections 9.2.2 and 14.4): a hash of the username, which a server can only honour for names it knows.
 *
 * Names of time-limited credentials may be minted anywhere by whoever holds the secret, so in general they are not known
 * here, and a server that announced username anonymity would turn such clients away. Therefore it is announced only where
 * a directory is given, and that should be given only where it knows every name: a fixed list of users, or credentials that
 * are all minted in this process. On an existing allocation USERHASH is honoured in any case: its name is known.
 */
import { userhash } from '@hairpin/stun'

export interface UsernameDirectory {
  /** The username whose hash in this server's realm this is. @param hash 32 bytes. */
  find(hash: Uint8Array): string | undefined
}

/** Usernames by their hashes. Bounded: the name that was added longest ago goes first. */
export class KnownUsernames implements UsernameDirectory {
  readonly #realm: string
  readonly #capacity: number
  readonly #names = new Map<string, string>()

  /** @param capacity names kept; about 200 bytes each. */
  constructor(realm: string, capacity = 100_000) {
    this.#realm = realm
    this.#capacity = capacity
  }

  get size(): number {
    return this.#names.size
  }

  add(username: string): void {
    const key = keyOf(userhash(username, this.#realm))
    this.#names.delete(key)
    this.#names.set(key, username)
    if (this.#names.size > this.#capacity) this.#names.delete(this.#names.keys().next().value!)
  }

  delete(username: string): void {
    this.#names.delete(keyOf(userhash(username, this.#realm)))
  }

  find(hash: Uint8Array): string | undefined {
    return this.#names.get(keyOf(hash))
  }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.length).toString('latin1')
}
