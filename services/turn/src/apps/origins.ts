import type { Origins } from '../http/cross-origin.ts'
import type { LiveApps } from './live.ts'

/** @param others of apps that are only in the settings, and "*" for any */
export function appOrigins(apps: Pick<LiveApps, 'get' | 'list'>, others: readonly string[]): Origins {
  const includes = (list: readonly string[], origin: string) => list.includes('*') || list.includes(origin)
  return {
    allowed(origin, app) {
      if (app !== undefined) return includes(apps.get(app)?.origins ?? others, origin)
      return includes(others, origin) || apps.list().some(({ origins }) => includes(origins, origin))
    },
  }
}
