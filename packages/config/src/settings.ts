/**
 * The configuration of a process: its environment, and laid over it a file of `NAME=value` lines, because a file can
 * change while the process runs and an environment cannot. What the file names counts; an empty value means the default.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { type Config, readConfig } from './config.ts'
import { ConfigError, type Environment, EnvReader } from './env.ts'

export interface Settings {
  readonly config: Config
  /** What the configuration was read from: both together. */
  readonly environment: Environment
  /** Of the file, which need not be there. */
  readonly path: string
}

/** Of docker-compose.yml alone, whose .env may serve as the file. */
const COMPOSE_ONLY = 'HAIRPIN_DOMAIN'

/** @throws ConfigError naming the variable when a value is wrong, or the file names a variable that there is not. */
export function loadSettings(source: Environment): Settings {
  const file = readSettingsFile(source)
  const environment = { ...source, ...file.values }
  const env = new EnvReader(environment)
  const config = readConfig(env)
  const unknown = Object.keys(file.values).find((name) => name.startsWith('HAIRPIN_') && !env.names.has(name))
  if (unknown !== undefined && unknown !== COMPOSE_ONLY)
    throw new ConfigError(unknown, `there is no such setting; ${file.path} names it`)
  return { config, environment, path: file.path }
}

/** The file that HAIRPIN_CONFIG_FILE names must be there; `hairpin.env` of the data folder may. */
function readSettingsFile(source: Environment): { path: string; values: Environment } {
  const env = new EnvReader(source)
  const named = env.string('HAIRPIN_CONFIG_FILE')
  const path = resolve(named ?? join(env.string('HAIRPIN_DATA_DIR') ?? './data', 'hairpin.env'))
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (named !== undefined || code !== 'ENOENT')
      throw new ConfigError('HAIRPIN_CONFIG_FILE', `cannot read ${path}: ${message}`)
  }
  // The parser passes over what it does not understand.
  const odd = text.split('\n').find((line) => !/^\s*(#.*|(export\s+)?[A-Za-z_]\w*\s*=.*)?\s*$/.test(line))
  if (odd !== undefined)
    throw new ConfigError('HAIRPIN_CONFIG_FILE', `"${odd.trim()}" in ${path} is not like NAME=value`)
  return { path, values: parseEnv(text) }
}
