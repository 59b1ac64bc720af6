import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { createOnce } from './create-once.ts'
import { ConfigError } from './env.ts'

export interface ApiKey {
  readonly app: string
  readonly key: string
}

export interface Secrets {
  /** Shared TURN secrets, newest first: the first one mints, all of them verify. */
  readonly turnSecrets: readonly string[]
  readonly apiKeys: readonly ApiKey[]
  /** The services' key to one another when they run apart: to the credentials API, and to the desk. */
  readonly internalKey: string
}

/** The app that the generated API key, the demo and the signaling service's own credentials belong to. */
const defaultApp = 'demo'

/**
 * The secrets in force: what the configuration names, else what `<dataDir>/secrets.json` holds, else freshly
 * generated and stored there with mode 0600. Several services may start at once on one folder: one of them wins the
 * creation and the others read its file.
 * @throws ConfigError when the folder is not writable or the file is not readable.
 */
export function loadSecrets(config: Config): Secrets {
  return inForce(config, readOrCreate(config.dataDir))
}

/**
 * The same for a service that runs: a file that is missing at the moment is not made anew.
 * @throws Error when it is missing or not readable
 */
export function rereadSecrets(config: Config): Secrets {
  return inForce(config, parse(readFileSync(secretsPath(config), 'utf8')))
}

export function secretsPath({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'secrets.json')
}

function inForce(config: Config, stored: Secrets): Secrets {
  return {
    turnSecrets: config.credentials.turnSecrets ?? stored.turnSecrets,
    apiKeys: config.credentials.apiKeys ?? stored.apiKeys,
    internalKey: stored.internalKey,
  }
}

function readOrCreate(dataDir: string): Secrets {
  const path = secretsPath({ dataDir })
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    createOnce(path, () => `${JSON.stringify(generate(), null, 2)}\n`)
    return parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError('HAIRPIN_DATA_DIR', `cannot keep the secrets in ${path}: ${reason}`)
  }
}

function generate(): Secrets {
  return {
    turnSecrets: [randomKey(32)],
    apiKeys: [{ app: defaultApp, key: randomKey(24) }],
    internalKey: randomKey(32),
  }
}

function randomKey(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}

function parse(text: string): Secrets {
  const value = JSON.parse(text) as Partial<Secrets>
  const strings = (list: unknown): list is string[] => Array.isArray(list) && list.every((s) => typeof s === 'string')
  if (!strings(value.turnSecrets) || value.turnSecrets.length === 0)
    throw new Error('turnSecrets is not a list of strings')
  if (!Array.isArray(value.apiKeys) || !value.apiKeys.every((k) => strings([k?.app, k?.key])))
    throw new Error('apiKeys is not a list of {app, key}')
  if (typeof value.internalKey !== 'string') throw new Error('internalKey is not a string')
  return { turnSecrets: value.turnSecrets, apiKeys: value.apiKeys, internalKey: value.internalKey }
}
