/** The secrets in force, read again when their file changes or somebody asks. */
import { unwatchFile, watchFile } from 'node:fs'
import type { ApiKey, Secrets } from '@hairpin/config'

/** Milliseconds between two looks at the file. */
const LOOK_EVERY = 1000

export interface LiveSecretsEvents {
  changed(secrets: Secrets): void
  /** What is there now cannot be used; the former secrets stay in force. */
  failed(error: Error): void
}

export class LiveSecrets implements Secrets {
  #current: Secrets
  readonly #path: string
  readonly #read: () => Secrets
  readonly #events: LiveSecretsEvents
  readonly #look = () => this.reload()

  constructor(first: Secrets, path: string, read: () => Secrets, events: LiveSecretsEvents) {
    this.#current = first
    this.#path = path
    this.#read = read
    this.#events = events
  }

  get turnSecrets(): readonly string[] {
    return this.#current.turnSecrets
  }

  get apiKeys(): readonly ApiKey[] {
    return this.#current.apiKeys
  }

  get internalKey(): string {
    return this.#current.internalKey
  }

  watch(): void {
    watchFile(this.#path, { interval: LOOK_EVERY, persistent: false }, this.#look)
  }

  close(): void {
    unwatchFile(this.#path, this.#look)
  }

  reload(): void {
    try {
      const next = this.#read()
      if (JSON.stringify(next) === JSON.stringify(this.#current)) return
      this.#current = next
      this.#events.changed(next)
    } catch (error) {
      this.#events.failed(error as Error)
    }
  }
}
