/** Configuration of every Hairpin service, read and validated once at the edge: environment variables and generated secrets. */
export { type Config, type ExternalAddress, loadConfig, type PortRange } from './config.ts'
export { ConfigError, type Environment } from './env.ts'
export type { IdentityConfig } from './identity.ts'
export type { ApiRates } from './limits.ts'
export { changedVariables, type LivePolicies, livePolicies, withLive } from './live.ts'
export type { PushConfig } from './push.ts'
export { type ApiKey, loadSecrets, rereadSecrets, type Secrets, secretsPath } from './secrets.ts'
export { loadSettings, type Settings } from './settings.ts'
