export interface LedgerLog {
  warn(details: object, message: string): void
  info(details: object, message: string): void
}

/** Runs work that may fail because of the database: keeps the error from the caller and logs only changes of state. */
export class Trouble {
  readonly #log: LedgerLog
  readonly #what: string
  #since: number | undefined
  #error = ''

  /** @param what the work in words, for the log */
  constructor(log: LedgerLog, what: string) {
    this.#log = log
    this.#what = what
  }

  /** Since when it fails (milliseconds since 1970) and SQLite's message; undefined when it does not. */
  get now(): { readonly since: number; readonly error: string } | undefined {
    return this.#since === undefined ? undefined : { since: this.#since, error: this.#error }
  }

  /** False when the work threw. */
  run(now: number, work: () => void): boolean {
    try {
      work()
    } catch (error) {
      this.#error = (error as Error).message
      if (this.#since === undefined) {
        this.#since = now
        this.#log.warn({ code: 'LEDGER_FAILING', error: this.#error }, `ledger: ${this.#what} fails; trying again`)
      }
      return false
    }
    if (this.#since !== undefined) {
      const seconds = Math.round((now - this.#since) / 1000)
      this.#since = undefined
      this.#log.info({ code: 'LEDGER_RECOVERED', seconds }, `ledger: ${this.#what} works again`)
    }
    return true
  }
}
