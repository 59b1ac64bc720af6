/** Whose is this key? The stack's own keys from its settings, and those of the apps. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Secrets } from '@hairpin/config'
import type { LiveApps } from '../apps/live.ts'

export interface KeyHolder {
  /** Undefined: the internal key, which may speak for any app. */
  readonly app: string | undefined
  /** What tells keys apart without telling them. */
  readonly key: string
}

export interface KeyRingOptions {
  readonly secrets: Pick<Secrets, 'apiKeys' | 'internalKey'>
  readonly apps?: Pick<LiveApps, 'holderOf' | 'noteUse'> | undefined
}

interface Known extends KeyHolder {
  readonly digest: Buffer
}

export class KeyRing {
  readonly #options: KeyRingOptions
  #known: readonly Known[] = []
  #keys: KeyRingOptions['secrets']['apiKeys'] | undefined
  #internalKey: string | undefined

  constructor(options: KeyRingOptions) {
    this.#options = options
  }

  find(key: string): KeyHolder | undefined {
    const digest = sha256(key)
    let found: KeyHolder | undefined
    // All are compared, digest with digest: the time tells neither whether nor how much of one matched.
    for (const { digest: known, ...holder } of this.#stackKeys()) if (timingSafeEqual(known, digest)) found = holder
    if (found) return found
    const holder = this.#options.apps?.holderOf(key)
    if (holder) this.#options.apps?.noteUse(holder.key)
    return holder
  }

  /** The secrets may change while the service runs; the digests are made when they do. */
  #stackKeys(): readonly Known[] {
    const { apiKeys, internalKey } = this.#options.secrets
    if (this.#keys === apiKeys && this.#internalKey === internalKey) return this.#known
    this.#keys = apiKeys
    this.#internalKey = internalKey
    const known = (app: string | undefined, key: string) => {
      const digest = sha256(key)
      return { app, key: digest.toString('hex', 0, 8), digest }
    }
    this.#known = [...apiKeys.map(({ app, key }) => known(app, key)), known(undefined, internalKey)]
    return this.#known
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
