/** Whether the command runs on the server that it checks. */

import { lookup } from 'node:dns/promises'
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { isLoopback } from '@hairpin/checks'
import { type Config, loadSecrets, loadSettings, secretsPath } from '@hairpin/config'

export interface Here {
  readonly config: Config
  /** An API key that the server itself holds. */
  readonly key: string | undefined
}

/** The configuration in force here, when there is a data folder; undefined on any other machine. @throws ConfigError */
export function serverHere(environment: NodeJS.ProcessEnv): Here | undefined {
  const { config } = loadSettings(environment)
  if (!existsSync(secretsPath(config))) return undefined
  return { config, key: loadSecrets(config).apiKeys[0]?.key }
}

/** The public origin as this machine reaches it. */
export function originHere({ http, turn }: Config): string {
  return http.socket ? `https://${turn.host ?? 'localhost'}` : `http://localhost:${http.port}`
}

/** Whether `host` is this machine: by loopback, an address of an interface, or one that the configuration gives it. */
export async function isHere(host: string, { turn }: Config): Promise<boolean> {
  const bare = host.replace(/^\[|\]$/g, '')
  if (isLoopback(bare) || bare === turn.host) return true
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []))
  for (const { public: outside } of turn.externalIps ?? []) own.add(outside)
  const addresses = await lookup(bare, { all: true }).catch(() => [])
  return addresses.some(({ address }) => own.has(address))
}
