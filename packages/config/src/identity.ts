import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ConfigError, type EnvReader } from './env.ts'

/** What verifies signaling tokens; the shape that `TokenKeys` of @hairpin/tokens takes. */
export interface IdentityConfig {
  /** Shared secrets for HS256; an app may have several, for rotation. */
  readonly secrets: readonly { readonly app: string; readonly secret: string }[]
  /** Key sets for EdDSA, ES256 and RS256. Without `app` their tokens name the app, which may be any. */
  readonly sources: readonly {
    readonly app?: string
    readonly keys: { readonly url: string } | { readonly document: object }
  }[]
  /** What tokens of `sources` must name, when given. */
  readonly issuer?: string
  readonly audience?: string
}

const appPrefix = /^([\w.-]{1,64}):(?!\/\/)(.*)$/s

export function identity(env: EnvReader): IdentityConfig {
  const issuer = env.string('HAIRPIN_TOKEN_ISSUER')
  const audience = env.string('HAIRPIN_TOKEN_AUDIENCE')
  return {
    secrets: env.list('HAIRPIN_SIGNALING_SECRETS').map(secretOf),
    sources: env.list('HAIRPIN_JWKS_URL').map(sourceOf),
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  }
}

function secretOf(pair: string): IdentityConfig['secrets'][number] {
  const name = 'HAIRPIN_SIGNALING_SECRETS'
  const [, app, secret = ''] = appPrefix.exec(pair) ?? []
  if (app === undefined)
    throw new ConfigError(name, 'every entry is app:secret, the app of letters, digits, "_", "." or "-"')
  // HS256 wants a key of 256 bits (RFC 7518 section 3.2).
  if (secret.length < 32)
    throw new ConfigError(name, `the secret of "${app}" needs at least 32 characters (try: openssl rand -hex 32)`)
  return { app, secret }
}

function sourceOf(text: string): IdentityConfig['sources'][number] {
  const [, app, rest] = appPrefix.exec(text) ?? []
  const keys = keysAt(rest ?? text)
  return app === undefined ? { keys } : { app, keys }
}

function keysAt(text: string): IdentityConfig['sources'][number]['keys'] {
  const name = 'HAIRPIN_JWKS_URL'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'file:') return { document: document(name, url) }
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isNear(url.hostname))) return { url: url.href }
  throw new ConfigError(
    name,
    `"${text}" is neither an https: nor a file: URL (http: is for localhost and names without a dot)`,
  )
}

/** Who can change the answer on its way can sign for everyone: without TLS only this machine or its containers. */
function isNear(host: string): boolean {
  return !/[.:]/.test(host) || host === '127.0.0.1' || host === '[::1]'
}

function document(name: string, url: URL): object {
  try {
    const value: unknown = JSON.parse(readFileSync(fileURLToPath(url), 'utf8'))
    const keys = (value as { keys?: unknown } | null)?.keys
    if (!Array.isArray(keys) || keys.length === 0) throw new Error('it holds no "keys"')
    // A private or a shared key here is a mistake that would be found too late.
    if (keys.some((key) => key?.d !== undefined || key?.k !== undefined)) throw new Error('it holds private keys')
    return value as object
  } catch (error) {
    throw new ConfigError(name, `cannot read ${url.href}: ${error instanceof Error ? error.message : error}`)
  }
}
