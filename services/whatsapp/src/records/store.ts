import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { FinishedCall } from '../service.ts'
import type { Customers } from './customers.ts'
import { outcomeOf } from './outcome.ts'

export interface StoreOptions {
  readonly db: DatabaseSync
  readonly customers: Customers
  /** Of records. */
  readonly days: number
  readonly log: { error(fields: object, message: string): void }
  /** ms since 1970. */
  readonly now?: () => number
}

const DAY = 86_400_000
/** ms between two attempts to write what could not be written. */
const RETRY = 5000
/** Records that wait for that. */
const WAITING = 10_000

/**
 * Records of calls, and the ids of those that Meta holds. Writing takes well under a millisecond, some times a minute. A disk
 * that is full must not end calls: records wait for it, ids are given up.
 */
export class RecordStore {
  readonly #options: StoreOptions
  readonly #now: () => number
  readonly #sql: Readonly<Record<'add' | 'drop' | 'open' | 'close' | 'left', StatementSync>>
  #waiting: FinishedCall[] = []
  #retry: NodeJS.Timeout | undefined
  readonly #daily: NodeJS.Timeout

  constructor(options: StoreOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    const { db } = options
    this.#sql = {
      add: db.prepare(`INSERT OR IGNORE INTO call VALUES (${Array(14).fill('?').join(', ')})`),
      drop: db.prepare('DELETE FROM call WHERE started < ?'),
      open: db.prepare('INSERT OR IGNORE INTO open_call VALUES (?)'),
      close: db.prepare('DELETE FROM open_call WHERE id = ?'),
      left: db.prepare('SELECT id FROM open_call'),
    }
    this.#dropOld()
    this.#daily = setInterval(() => this.#dropOld(), DAY).unref()
  }

  add(record: FinishedCall): void {
    this.#waiting.push(record)
    if (this.#waiting.length > WAITING) this.#waiting.shift()
    if (!this.#retry) this.#write()
  }

  /** Meta holds a call of this id from now on. */
  opened(id: string): void {
    this.#attempt(() => this.#sql.open.run(id))
  }

  closed(id: string): void {
    this.#attempt(() => this.#sql.close.run(id))
  }

  /** Ids that a process named `opened` and not `closed`. */
  leftovers(): readonly string[] {
    return this.#sql.left.all().map(({ id }) => String(id))
  }

  close(): void {
    clearInterval(this.#daily)
    clearTimeout(this.#retry)
    this.#write()
    this.#options.db.close()
  }

  #write(): void {
    this.#retry = undefined
    const written = this.#attempt(() => {
      for (let record = this.#waiting[0]; record; record = this.#waiting[0]) {
        this.#insert(record)
        this.#waiting.shift()
      }
    })
    if (!written) this.#retry = setTimeout(() => this.#write(), RETRY).unref()
  }

  #insert(record: FinishedCall): void {
    const { key, direction, number, agent, startedAt, answeredAt, endedAt, ending, toAgent, toWhatsapp } = record
    const { customers } = this.#options
    this.#sql.add.run(
      customers.callId(record.id ?? key),
      direction,
      customers.shown(number),
      customers.hash(number),
      agent ?? null,
      Math.trunc(startedAt),
      answeredAt === undefined ? null : Math.trunc(answeredAt),
      Math.trunc(endedAt),
      outcomeOf(record),
      ending.cause ?? null,
      toAgent.packets,
      toAgent.bytes,
      toWhatsapp.packets,
      toWhatsapp.bytes,
    )
  }

  #dropOld(): void {
    this.#attempt(() => this.#sql.drop.run(this.#now() - this.#options.days * DAY))
  }

  #attempt(act: () => unknown): boolean {
    try {
      act()
      return true
    } catch (error) {
      this.#options.log.error({ code: 'WHATSAPP_RECORDS_FAILING', err: error }, 'records of calls cannot be written')
      return false
    }
  }
}
