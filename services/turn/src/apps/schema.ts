import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { transaction } from '../ledger/schema.ts'

/** Name of the apps' file in the data folder. */
export const APPS_FILE = 'apps.db'

/** Milliseconds a statement waits for another process that writes: the relay and the command line share the file. */
const LOCK_WAIT_MS = 2000

/**
 * A step from each format to the next. Times are milliseconds since 1970.
 * - `api_key`: only the SHA-256 of a key is kept. Keys are 256 random bits, so a slow hash would protect nothing more.
 * - `turn_secret`: as it is, because passwords are made of it. That is why the file is readable by its owner alone.
 */
const migrations = [
  `CREATE TABLE app (id TEXT PRIMARY KEY, settings TEXT NOT NULL, webhook_secret TEXT, created INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE api_key (id TEXT PRIMARY KEY, app TEXT NOT NULL REFERENCES app ON DELETE CASCADE, digest TEXT NOT NULL UNIQUE,
     last4 TEXT NOT NULL, created INTEGER NOT NULL, used INTEGER) WITHOUT ROWID;
   CREATE TABLE turn_secret (id INTEGER PRIMARY KEY, app TEXT NOT NULL REFERENCES app ON DELETE CASCADE,
     secret TEXT NOT NULL, created INTEGER NOT NULL, retires INTEGER);
   CREATE INDEX api_key_app ON api_key (app);
   CREATE INDEX turn_secret_app ON turn_secret (app);`,
]

/**
 * Opens the apps' file and makes or updates its tables.
 * @throws when it cannot be opened or written, or was made by a newer Hairpin.
 */
export function openAppsDatabase(path: string): DatabaseSync {
  if (path !== ':memory:') {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // SQLite gives its other files the mode of this one.
    writeFileSync(path, '', { flag: 'a', mode: 0o600 })
  }
  const db = new DatabaseSync(path, { timeout: LOCK_WAIT_MS })
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON')
    transaction(db, () => migrate(db))
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens an existing file for looking only. */
export function openAppsReader(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true, timeout: LOCK_WAIT_MS })
}

function migrate(db: DatabaseSync): void {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > migrations.length)
    throw new Error(
      `the apps' file has format ${version}, this Hairpin knows ${migrations.length}: start the newer one`,
    )
  for (const step of migrations.slice(version)) db.exec(step)
  if (version < migrations.length) db.exec(`PRAGMA user_version = ${migrations.length}`)
}
