/** What relay workers know of the apps. */
import type { App, Quotas } from './types.ts'

export type AppRules = Pick<App, 'id' | 'quotas' | 'turnSecrets'>

export class AppTable {
  #rules: ReadonlyMap<string, AppRules> = new Map()

  constructor(rules: readonly AppRules[] = []) {
    this.replace(rules)
  }

  /** Gives the apps that are no more. */
  replace(rules: readonly AppRules[]): Set<string> {
    const gone = new Set(this.#rules.keys())
    this.#rules = new Map(rules.map((app) => [app.id, app]))
    for (const { id } of rules) gone.delete(id)
    return gone
  }

  /** Secrets that an app has to itself, newest first; undefined for an app that shares the stack's. */
  secretsOf(app: string): readonly string[] | undefined {
    return this.#rules.get(app)?.turnSecrets
  }

  quotasOf(app: string): Quotas | undefined {
    return this.#rules.get(app)?.quotas
  }
}

/** Without what only the relay's main thread needs. */
export function rulesOf(apps: readonly App[]): AppRules[] {
  return apps.map(({ id, quotas, turnSecrets }) => ({ id, quotas, turnSecrets }))
}
