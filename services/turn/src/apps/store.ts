/** The apps in their file. The relay and the command line may use it at the same time. */
import { createHash, randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { isAppName } from '../credentials/username.ts'
import { transaction } from '../ledger/schema.ts'
import { AppError } from './errors.ts'
import { DEFAULT_SETTINGS, withChanges } from './settings.ts'
import type { App, AppSettings } from './types.ts'

/** Characters of a TURN secret that is given instead of generated, at least. */
const LEAST_SECRET = 16
/** Milliseconds between two notes of a key's use. */
const USE_NOTED_EVERY = 60_000

/** What may be shown of an app. Times are ISO 8601, null for never. */
export interface AppInfo extends AppSettings {
  readonly id: string
  readonly createdAt: string
  readonly keys: readonly KeyInfo[]
  readonly turnSecrets: readonly SecretInfo[]
}

export interface KeyInfo {
  readonly id: string
  /** The key's last four characters. */
  readonly last4: string
  readonly createdAt: string
  /** To the minute. */
  readonly lastUsedAt: string | null
}

export interface SecretInfo {
  readonly id: number
  readonly createdAt: string
  /** After which it counts no more. */
  readonly retiresAt: string | null
}

/** What is shown this once. */
export interface NewKey {
  readonly id: string
  readonly key: string
}
export interface NewSecret {
  readonly id: number
  readonly secret: string
}
export interface NewApp {
  readonly app: AppInfo
  readonly key: NewKey
  readonly turnSecret: NewSecret
  /** What its webhooks are signed with. */
  readonly webhookSecret: string
}

interface AppRow {
  readonly id: string
  readonly settings: string
  readonly webhook_secret: string | null
  readonly created: number
}
interface KeyRow {
  readonly id: string
  readonly last4: string
  readonly created: number
  readonly used: number | null
}
interface SecretRow {
  readonly id: number
  readonly secret: string
  readonly created: number
  readonly retires: number | null
}

export class AppStore {
  readonly #db: DatabaseSync
  readonly #now: () => number

  constructor(db: DatabaseSync, now: () => number = Date.now) {
    this.#db = db
    this.#now = now
  }

  /** Another number whenever another process has changed the file. */
  version(): number {
    return (this.#db.prepare('PRAGMA data_version').get() as { data_version: number }).data_version
  }

  /** All apps by id. */
  list(): AppInfo[] {
    return this.#rows().map((row) => this.#infoOf(row))
  }

  /** @throws AppError APP_UNKNOWN */
  get(id: string): AppInfo {
    return this.#infoOf(this.#row(id))
  }

  /** With their secrets: for the relay itself. */
  apps(): App[] {
    return this.#rows().map(({ id, settings, webhook_secret: secret }) => {
      const { webhook: url, ...rest } = settingsOf(settings)
      const turnSecrets = this.#secretsOf(id).map((row) => row.secret)
      return { ...rest, id, turnSecrets, webhook: url === null || secret === null ? undefined : { url, secret } }
    })
  }

  /** Every key's digest, id and app. */
  keys(): { digest: string; id: string; app: string }[] {
    return this.#db.prepare('SELECT digest, id, app FROM api_key').all() as {
      digest: string
      id: string
      app: string
    }[]
  }

  /** When the next secret retires, milliseconds since 1970; undefined when none does. */
  nextRetirement(): number | undefined {
    const sql = 'SELECT min(retires) AS next FROM turn_secret WHERE retires > ?'
    return (this.#db.prepare(sql).get(this.#now()) as { next: number | null }).next ?? undefined
  }

  /**
   * A new app with its first key and secret.
   * @param secret instead of a generated one: of a coturn that is replaced
   * @throws AppError APP_ID_INVALID, APP_EXISTS, APP_SETTINGS_INVALID
   */
  add(id: string, changes: Partial<AppSettings> = {}, secret?: string): NewApp {
    if (!isAppName(id)) throw new AppError('APP_ID_INVALID', 'an app is 1 to 64 letters, digits, "_", "." or "-"')
    const settings = withChanges(DEFAULT_SETTINGS, changes)
    const webhookSecret = randomSecret()
    return transaction(this.#db, () => {
      const sql = 'INSERT INTO app (id, settings, webhook_secret, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'
      const added = this.#db.prepare(sql).run(id, JSON.stringify(settings), webhookSecret, this.#now())
      if (added.changes === 0) throw new AppError('APP_EXISTS', `there is an app "${id}" already`)
      const [key, turnSecret] = [this.#newKey(id), this.#newSecret(id, secret)]
      return { app: this.get(id), key, turnSecret, webhookSecret }
    })
  }

  /** @throws AppError APP_UNKNOWN, APP_SETTINGS_INVALID */
  set(id: string, changes: Partial<AppSettings>): AppInfo {
    return transaction(this.#db, () => {
      const settings = withChanges(settingsOf(this.#row(id).settings), changes)
      this.#db.prepare('UPDATE app SET settings = ? WHERE id = ?').run(JSON.stringify(settings), id)
      return this.get(id)
    })
  }

  /** @throws AppError APP_UNKNOWN */
  remove(id: string): void {
    if (this.#db.prepare('DELETE FROM app WHERE id = ?').run(id).changes === 0) throw unknown(id)
  }

  /** @throws AppError APP_UNKNOWN */
  addKey(id: string): NewKey {
    return transaction(this.#db, () => {
      this.#row(id)
      return this.#newKey(id)
    })
  }

  /** @throws AppError APP_UNKNOWN, APP_KEY_UNKNOWN */
  revokeKey(id: string, key: string): void {
    this.#row(id)
    if (this.#db.prepare('DELETE FROM api_key WHERE app = ? AND id = ?').run(id, key).changes === 0)
      throw new AppError('APP_KEY_UNKNOWN', `"${id}" has no key "${key}"`)
  }

  /**
   * A new secret, which mints from now on. The older ones count as long as credentials of theirs may be out.
   * @param keep seconds for which the older ones still count
   * @param secret instead of a generated one
   * @throws AppError APP_UNKNOWN, APP_SETTINGS_INVALID
   */
  rotateSecret(id: string, keep: number, secret?: string): NewSecret {
    return transaction(this.#db, () => {
      this.#row(id)
      const until = this.#now() + keep * 1000
      this.#db.prepare('DELETE FROM turn_secret WHERE retires <= ?').run(this.#now())
      const sql = 'UPDATE turn_secret SET retires = min(?, coalesce(retires, ?)) WHERE app = ?'
      this.#db.prepare(sql).run(until, until, id)
      return this.#newSecret(id, secret)
    })
  }

  /** @throws AppError APP_UNKNOWN, APP_SECRET_UNKNOWN, APP_SECRET_LAST */
  removeSecret(id: string, secret: number): void {
    transaction(this.#db, () => {
      this.#row(id)
      const known = this.#secretsOf(id)
      if (!known.some((row) => row.id === secret))
        throw new AppError('APP_SECRET_UNKNOWN', `"${id}" has no TURN secret ${secret}`)
      if (known.length === 1) throw new AppError('APP_SECRET_LAST', 'an app keeps one TURN secret: rotate it first')
      this.#db.prepare('DELETE FROM turn_secret WHERE id = ?').run(secret)
      // What mints must not retire.
      this.#db
        .prepare('UPDATE turn_secret SET retires = NULL WHERE id = (SELECT max(id) FROM turn_secret WHERE app = ?)')
        .run(id)
    })
  }

  /** A new secret that webhooks are signed with; the former counts no more. @throws AppError APP_UNKNOWN */
  rotateWebhookSecret(id: string): string {
    this.#row(id)
    const secret = randomSecret()
    this.#db.prepare('UPDATE app SET webhook_secret = ? WHERE id = ?').run(secret, id)
    return secret
  }

  /** Notes that a key was used, once a minute at most. */
  keyUsed(key: string): void {
    const now = this.#now()
    this.#db
      .prepare('UPDATE api_key SET used = ? WHERE id = ? AND coalesce(used, 0) < ?')
      .run(now, key, now - USE_NOTED_EVERY)
  }

  close(): void {
    this.#db.close()
  }

  #rows(): AppRow[] {
    return this.#db.prepare('SELECT * FROM app ORDER BY id').all() as unknown as AppRow[]
  }

  #row(id: string): AppRow {
    const row = this.#db.prepare('SELECT * FROM app WHERE id = ?').get(id) as AppRow | undefined
    if (!row) throw unknown(id)
    return row
  }

  /** Newest first. */
  #secretsOf(id: string): SecretRow[] {
    const sql = 'SELECT * FROM turn_secret WHERE app = ? AND coalesce(retires, ?) > ? ORDER BY id DESC'
    return this.#db.prepare(sql).all(id, Number.MAX_SAFE_INTEGER, this.#now()) as unknown as SecretRow[]
  }

  #infoOf({ id, settings, created }: AppRow): AppInfo {
    const sql = 'SELECT id, last4, created, used FROM api_key WHERE app = ? ORDER BY created DESC, id'
    const keys = this.#db.prepare(sql).all(id) as unknown as KeyRow[]
    return {
      id,
      ...settingsOf(settings),
      createdAt: iso(created),
      keys: keys.map((key) => ({
        id: key.id,
        last4: key.last4,
        createdAt: iso(key.created),
        lastUsedAt: key.used === null ? null : iso(key.used),
      })),
      turnSecrets: this.#secretsOf(id).map((row) => ({
        id: row.id,
        createdAt: iso(row.created),
        retiresAt: row.retires === null ? null : iso(row.retires),
      })),
    }
  }

  #newKey(app: string): NewKey {
    const [id, key] = [randomBytes(4).toString('hex'), `hk_${randomSecret()}`]
    const sql = 'INSERT INTO api_key (id, app, digest, last4, created) VALUES (?, ?, ?, ?, ?)'
    this.#db.prepare(sql).run(id, app, keyDigest(key), key.slice(-4), this.#now())
    return { id, key }
  }

  #newSecret(app: string, secret = randomSecret()): NewSecret {
    if (secret.length < LEAST_SECRET)
      throw new AppError('APP_SETTINGS_INVALID', `a TURN secret needs at least ${LEAST_SECRET} characters`)
    const sql = 'INSERT INTO turn_secret (app, secret, created) VALUES (?, ?, ?)'
    const { lastInsertRowid } = this.#db.prepare(sql).run(app, secret, this.#now())
    return { id: Number(lastInsertRowid), secret }
  }
}

/** What is kept of an API key: SHA-256, as hex. */
export function keyDigest(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

function randomSecret(): string {
  return randomBytes(32).toString('base64url')
}

function settingsOf(text: string): AppSettings {
  return { ...DEFAULT_SETTINGS, ...(JSON.parse(text) as Partial<AppSettings>) }
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

function unknown(id: string): AppError {
  return new AppError('APP_UNKNOWN', `there is no app "${id}"`)
}
