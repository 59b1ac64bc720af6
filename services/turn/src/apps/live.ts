/** The apps in force. What another process changes in their file counts within a second, what this one changes at once. */
import { join } from 'node:path'
import { ConfigError } from '@hairpin/config'
import type { FastifyBaseLogger } from 'fastify'
import { APPS_FILE, openAppsDatabase } from './schema.ts'
import { AppStore, keyDigest } from './store.ts'
import type { App } from './types.ts'

/** Milliseconds between two looks at the file. */
const LOOK_EVERY = 1000

type Log = Pick<FastifyBaseLogger, 'error' | 'info'>

/** @throws ConfigError naming HAIRPIN_DATA_DIR */
export function openApps(dataDir: string, log: Log): LiveApps {
  try {
    return new LiveApps(join(dataDir, APPS_FILE), log)
  } catch (error) {
    throw new ConfigError('HAIRPIN_DATA_DIR', `cannot open ${APPS_FILE}: ${(error as Error).message}`)
  }
}

export interface KeyHolder {
  readonly app: string
  /** Of the key; not secret. */
  readonly key: string
}

export class LiveApps {
  readonly #store: AppStore
  readonly #log: Log
  readonly #listeners = new Set<(apps: readonly App[]) => void>()
  readonly #timer: NodeJS.Timeout
  #apps = new Map<string, App>()
  #holders = new Map<string, KeyHolder>()
  #version = -1
  #retirement: number | undefined
  #failing = false

  /** @throws when the file cannot be opened */
  constructor(path: string, log: Log) {
    this.#store = new AppStore(openAppsDatabase(path))
    this.#log = log
    this.#read()
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY).unref()
  }

  list(): readonly App[] {
    return [...this.#apps.values()]
  }

  get(id: string): App | undefined {
    return this.#apps.get(id)
  }

  holderOf(key: string): KeyHolder | undefined {
    return this.#holders.get(keyDigest(key))
  }

  /** Called with all apps after each change. */
  onChange(listener: (apps: readonly App[]) => void): void {
    this.#listeners.add(listener)
  }

  /** Uses or changes what is stored; a change is in force when this returns. @throws AppError */
  manage<T>(work: (store: AppStore) => T): T {
    const result = work(this.#store)
    this.#refresh()
    return result
  }

  noteUse(key: string): void {
    try {
      this.#store.keyUsed(key)
    } catch {
      // A note for people; a disk that is full or locked must not cost a credential.
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#store.close()
  }

  #look(): void {
    try {
      const retired = this.#retirement !== undefined && Date.now() >= this.#retirement
      if (retired || this.#store.version() !== this.#version) this.#refresh()
      this.#failing = false
    } catch (error) {
      if (!this.#failing)
        this.#log.error(
          { code: 'APPS_UNREADABLE' },
          `${(error as Error).message}; apps stay as they were until their file can be read`,
        )
      this.#failing = true
    }
  }

  #refresh(): void {
    const before = JSON.stringify(this.list())
    this.#read()
    const apps = this.list()
    if (JSON.stringify(apps) === before) return
    this.#log.info({ code: 'APPS_CHANGED', apps: apps.length }, 'apps changed')
    for (const listener of this.#listeners) listener(apps)
  }

  #read(): void {
    this.#version = this.#store.version()
    this.#apps = new Map(this.#store.apps().map((app) => [app.id, app]))
    this.#holders = new Map(this.#store.keys().map(({ digest, app, id }) => [digest, { app, key: id }]))
    this.#retirement = this.#store.nextRetirement()
  }
}
