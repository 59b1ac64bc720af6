import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Name of the file in the data folder. */
export const RECORDS_FILE = 'whatsapp.db'

const SCHEMA_VERSION = 1

/**
 * - `call`: one row for each call that is over. Times are milliseconds since 1970.
 * - `open_call`: ids of calls that Meta holds. What is in it at a start was left behind by a process that was killed.
 */
const schema = `
  CREATE TABLE call (id TEXT PRIMARY KEY, direction TEXT NOT NULL, number TEXT, customer TEXT, agent TEXT,
    started INTEGER NOT NULL, answered INTEGER, ended INTEGER NOT NULL, outcome TEXT NOT NULL, cause TEXT,
    to_agent_packets INTEGER NOT NULL, to_agent_bytes INTEGER NOT NULL,
    to_whatsapp_packets INTEGER NOT NULL, to_whatsapp_bytes INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX call_started ON call (started);
  CREATE TABLE open_call (id TEXT PRIMARY KEY) WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/**
 * Opens the records for writing, and makes their tables.
 * @throws when the file cannot be opened or written, or was made by a newer Hairpin
 */
export function openRecords(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const db = new DatabaseSync(path, { timeout: 100 })
  try {
    // What a killed process has written is there: only a machine that loses its power may lose the last second.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
    if (version > SCHEMA_VERSION) throw new Error(`${path} was made by a newer Hairpin`)
    if (version === 0) db.exec(`BEGIN; ${schema} COMMIT`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** For reading beside the service, or without one. */
export function openRecordsReader(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true, timeout: 1000 })
}
