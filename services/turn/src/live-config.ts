/** The configuration in force: what can change of it is read again when its file changes or somebody asks. */
import { unwatchFile, watchFile } from 'node:fs'
import { type Config, changedVariables, type Environment, type Settings, withLive } from '@hairpin/config'

/** Milliseconds between two looks at the file. */
const LOOK_EVERY = 1000

/** How a process was configured, and how to look again. */
export interface SettingsSource {
  readonly first: Settings
  /** @throws ConfigError naming the variable */
  readonly read: () => Settings
}

export interface LiveConfigEvents {
  /** Variables that count from now on, and those that need a restart. */
  changed(config: Config, variables: { readonly live: readonly string[]; readonly fixed: readonly string[] }): void
  /** What is there now cannot be used; the former configuration stays in force. */
  failed(error: Error): void
}

export class LiveConfig {
  #current: Config
  #environment: Environment
  readonly #source: SettingsSource | undefined
  readonly #events: LiveConfigEvents
  readonly #look = () => this.reload()

  /** @param source without one nothing ever changes */
  constructor(first: Config, source: SettingsSource | undefined, events: LiveConfigEvents) {
    this.#current = first
    this.#environment = source?.first.environment ?? {}
    this.#source = source
    this.#events = events
  }

  get current(): Config {
    return this.#current
  }

  watch(): void {
    if (this.#source) watchFile(this.#source.first.path, { interval: LOOK_EVERY, persistent: false }, this.#look)
  }

  close(): void {
    if (this.#source) unwatchFile(this.#source.first.path, this.#look)
  }

  reload(): void {
    if (!this.#source) return
    try {
      const { config, environment } = this.#source.read()
      const variables = changedVariables(this.#environment, environment)
      if (variables.live.length + variables.fixed.length === 0) return
      this.#environment = environment
      this.#current = withLive(this.#current, config)
      this.#events.changed(this.#current, variables)
    } catch (error) {
      this.#events.failed(error as Error)
    }
  }
}
