/** An operator's settings of an app: defaults, and what a schema cannot say. */
import { Value } from 'typebox/value'
import { AppError } from './errors.ts'
import { AppSettings } from './types.ts'

export const DEFAULT_SETTINGS: AppSettings = {
  name: '',
  ttl: {},
  quotas: {},
  budgets: [],
  origins: [],
  webhook: null,
}

/**
 * The settings with what `changes` names replaced, each as a whole.
 * @throws AppError APP_SETTINGS_INVALID naming the setting
 */
export function withChanges(settings: AppSettings, changes: Partial<AppSettings>): AppSettings {
  const next = { ...settings, ...changes }
  const [error] = Value.Errors(AppSettings, next)
  if (error) {
    // No schema allows anything there.
    const wrong = error.keyword === 'boolean' ? 'is none of the settings' : error.message
    throw invalid(`${error.instancePath.slice(1).replaceAll('/', '.')} ${wrong}`)
  }
  const { min, default: usual, max } = next.ttl
  const ascending = [min, usual, max].filter((seconds) => seconds !== undefined)
  if (ascending.some((seconds, i) => i > 0 && seconds < ascending[i - 1]!))
    throw invalid('ttl: min, default and max must not fall')
  if (next.webhook !== null && !isWebUrl(next.webhook)) throw invalid('webhook is not an http: or https: URL')
  return { ...next, origins: [...new Set(next.origins.map(originOf))] }
}

function originOf(text: string): string {
  if (text === '*') return text
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || url.origin === 'null') throw invalid(`origins: "${text}" is not an origin like https://app.example.com`)
  return url.origin
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)
}

function invalid(message: string): AppError {
  return new AppError('APP_SETTINGS_INVALID', message)
}
