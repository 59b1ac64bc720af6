import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { columns } from './counters.ts'

/**
 * The ledger's tables. Times are seconds since 1970 in buckets (`start`), milliseconds in `call`.
 * - `call`: one row per allocation with all it has counted. It is also the record of what was last seen: a report is
 *   applied by replacing the row, so applying it again changes nothing.
 * - `settled`: for allocations still counting, the part of `call` that buckets already hold.
 *   Bytes not yet in a bucket are always `call - settled`; they belong to the minute `meta.minute`.
 * - `minute`, `hour`, `day`: buckets. A row moves from one to the next, so every byte is in exactly one of them.
 * - `app_day`: the same bytes again, by app and day only: what bills, budgets and forecasts read.
 */
export const SCHEMA_VERSION = 1

/** Name of the ledger in the data folder. */
export const LEDGER_FILE = 'ledger.db'

const counts = columns.map((name) => `${name} INTEGER NOT NULL DEFAULT 0`).join(', ')

const bucket = (name: string) =>
  `CREATE TABLE ${name} (start INTEGER NOT NULL, series INTEGER NOT NULL, ${counts}, PRIMARY KEY (start, series)) WITHOUT ROWID;`

const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE epoch (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE series (id INTEGER PRIMARY KEY, app TEXT NOT NULL, user TEXT NOT NULL, transport TEXT NOT NULL,
    family INTEGER NOT NULL, relay TEXT NOT NULL, UNIQUE (app, user, transport, family, relay));
  CREATE TABLE call (id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, allocation INTEGER NOT NULL,
    series INTEGER NOT NULL, opened INTEGER NOT NULL, closed INTEGER, ${counts}, UNIQUE (epoch, allocation));
  CREATE INDEX call_opened ON call (opened);
  CREATE TABLE settled (id INTEGER PRIMARY KEY, ${counts});
  ${bucket('minute')}
  ${bucket('hour')}
  ${bucket('day')}
  CREATE TABLE app_day (start INTEGER NOT NULL, app TEXT NOT NULL, ${counts}, PRIMARY KEY (start, app)) WITHOUT ROWID;
  CREATE TABLE budget_mark (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/** Milliseconds a statement waits for another connection's lock. Short: the flush tries again a second later. */
const LOCK_WAIT_MS = 100

/**
 * Opens the ledger for writing and makes its tables. One writer per file.
 * @throws when the file cannot be opened or written, or was made by a newer Hairpin.
 */
export function openLedgerDatabase(path: string): DatabaseSync {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
  const db = new DatabaseSync(path, { timeout: LOCK_WAIT_MS })
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536')
    // Checkpoints copy pages and sync; with 10,000 allocations a second's flush is about 500 pages.
    db.exec('PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 67108864')
    migrate(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens an existing ledger for queries beside its writer; it sees each flush as a whole. */
export function openLedgerReader(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true, timeout: 1000 })
}

function migrate(db: DatabaseSync): void {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > SCHEMA_VERSION)
    throw new Error(`the ledger has format ${version}, this Hairpin knows ${SCHEMA_VERSION}: start the newer one`)
  if (version === SCHEMA_VERSION) return
  transaction(db, () => db.exec(schema))
}

/** Runs `work` in one transaction: all of it is kept or, when it throws, none. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
