import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { type RemoteKeysOptions, remoteKeys } from './remote-keys.ts'

/** Where public keys come from: a JWKS document, or the URL of one. */
export interface KeySource {
  /** Its tokens are for this app only, and need not name it. Undefined: they name their app, which may be any. */
  readonly app?: string
  readonly keys: { readonly url: string } | { readonly document: object }
}

export interface KeySettings {
  /** Shared secrets for HS256; an app may have several, for rotation. */
  readonly secrets: readonly { readonly app: string; readonly secret: string }[]
  /** Public keys for EdDSA, ES256 and RS256. */
  readonly sources: readonly KeySource[]
  /** What tokens of `sources` must name as `iss` and `aud`, when given. */
  readonly issuer?: string
  readonly audience?: string
}

export interface OpenSource {
  readonly app: string | undefined
  readonly keys: JWTVerifyGetKey
}

/** The keys that verify tokens. Keep one: fetched keys live in it. */
export class TokenKeys {
  readonly issuer: string | undefined
  readonly audience: string | undefined
  readonly #secrets = new Map<string, Uint8Array[]>()
  readonly #sources: OpenSource[]

  /** @throws when a document is no JWKS */
  constructor(settings: KeySettings, options: RemoteKeysOptions = {}) {
    this.issuer = settings.issuer
    this.audience = settings.audience
    for (const { app, secret } of settings.secrets)
      this.#secrets.set(app, [...(this.#secrets.get(app) ?? []), new TextEncoder().encode(secret)])
    this.#sources = settings.sources.map(({ app, keys }) => ({
      app,
      keys: 'url' in keys ? remoteKeys(keys.url, options) : createLocalJWKSet(keys.document as JSONWebKeySet),
    }))
  }

  /** Whether any token can be verified at all. */
  get any(): boolean {
    return this.#secrets.size > 0 || this.#sources.length > 0
  }

  secretsOf(app: string): readonly Uint8Array[] {
    return this.#secrets.get(app) ?? []
  }

  /** The sources that may speak for an app; for a token that names none, those that are bound to one. */
  sourcesFor(app: string | undefined): readonly OpenSource[] {
    if (app === undefined) return this.#sources.filter((source) => source.app !== undefined)
    return this.#sources.filter((source) => source.app === undefined || source.app === app)
  }
}
