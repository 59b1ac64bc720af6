import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { PushEndpoint } from '@hairpin/protocol'
import { limits } from '@hairpin/protocol'
import type { MissedCall, PushChange, PushRecords } from '../core/push-book.ts'

/** A call that nobody came for within this time is told to nobody. */
const missedMs = 30 * 24 * 3_600_000

const schema = `
  create table if not exists endpoint (
    address text primary key,
    user text not null,
    endpoint text not null,
    since integer not null
  ) strict;
  create table if not exists missed (
    id integer primary key,
    user text not null,
    call text not null,
    date integer not null
  ) strict;
  create index if not exists missed_user on missed (user, id);
`

/** What has to be known of pushes after a restart: `<dataDir>/push.sqlite`. Writes are small and rare: one for each change. */
export class PushStore {
  readonly #db: DatabaseSync
  readonly #now: () => number

  constructor(dataDir: string, now: () => number = Date.now) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    this.#now = now
    this.#db = new DatabaseSync(join(dataDir, 'push.sqlite'))
    this.#db.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 2000;')
    this.#db.exec(schema)
    this.#db.prepare('delete from missed where date < ?').run(now() - missedMs)
  }

  load(): PushRecords {
    const endpoints = this.#db.prepare('select user, endpoint from endpoint order by since, rowid').all()
    const missed = this.#db.prepare('select user, call from missed order by id').all()
    return {
      endpoints: endpoints.map(({ user, endpoint }) => ({
        user: String(user),
        endpoint: JSON.parse(String(endpoint)) as PushEndpoint,
      })),
      missed: missed.map(({ user, call }) => ({ user: String(user), call: JSON.parse(String(call)) as MissedCall })),
    }
  }

  apply(change: PushChange): void {
    switch (change.kind) {
      case 'register': {
        const { user, endpoint } = change
        this.#db
          .prepare('insert or replace into endpoint (address, user, endpoint, since) values (?, ?, ?, ?)')
          .run(endpoint.address, user, JSON.stringify(endpoint), this.#now())
        return
      }
      case 'drop':
        this.#db.prepare('delete from endpoint where address = ?').run(change.address)
        return
      case 'missed': {
        const { user, call } = change
        this.#db
          .prepare('insert into missed (user, call, date) values (?, ?, ?)')
          .run(user, JSON.stringify(call), call.date)
        this.#db
          .prepare(
            'delete from missed where user = ?1 and id not in (select id from missed where user = ?1 order by id desc limit ?2)',
          )
          .run(user, limits.missedCalls)
        return
      }
      case 'told':
        this.#db.prepare('delete from missed where user = ?').run(change.user)
        return
    }
  }

  close(): void {
    this.#db.close()
  }
}
