/** Issues credentials with the secrets and bounds of the app that asks. */
import type { Config, Secrets } from '@hairpin/config'
import type { LiveApps } from '../apps/live.ts'
import { credentialKey, credentialOfKey } from '../credentials/credential-key.ts'
import { iceServersFor, serversWith } from '../credentials/ice-servers.ts'
import type { RevokedUsernames } from '../credentials/revocations.ts'
import { parseUsername } from '../credentials/username.ts'
import type { ServerAddresses } from '../net/addresses.ts'
import type { Issuer, TtlBounds } from './issuer.ts'

export interface AppIssuerOptions {
  readonly config: Pick<Config, 'turn' | 'credentials'>
  /** Of apps that have none of their own. */
  readonly secrets: Pick<Secrets, 'turnSecrets'>
  readonly apps: Pick<LiveApps, 'get'>
  readonly revoked: Pick<RevokedUsernames, 'has'>
  readonly addresses: () => ServerAddresses
}

export function appIssuer({ config, secrets, apps, revoked, addresses }: AppIssuerOptions): Issuer {
  const secretsOf = (app: string) => apps.get(app)?.turnSecrets ?? secrets.turnSecrets
  const boundsOf = (app: string) => narrowed(config.credentials.ttl, apps.get(app)?.ttl ?? {})
  return {
    boundsOf,
    iceServersFor(request) {
      const options = { config, secrets: { turnSecrets: secretsOf(request.app) }, addresses: addresses() }
      return iceServersFor(options, { ...request, ttl: request.ttl ?? boundsOf(request.app).default })
    },
    keyOf(username) {
      const [secret] = secretsOf(parseUsername(username)!.app)
      return credentialKey(secret!, username)
    },
    byKey(key) {
      const found = credentialOfKey(key, secretsOf, Date.now())
      if (!found || revoked.has(found.username)) return undefined
      return { app: found.app, iceServers: serversWith({ config, addresses: addresses() }, found) }
    },
  }
}

/** The stack's bounds where the app has none of its own; the default is within them. */
function narrowed(stack: TtlBounds, app: Partial<TtlBounds>): TtlBounds {
  const max = app.max ?? Math.max(stack.max, app.min ?? 0, app.default ?? 0)
  const min = app.min ?? Math.min(stack.min, max, app.default ?? max)
  return { min, default: Math.min(Math.max(app.default ?? stack.default, min), max), max }
}
