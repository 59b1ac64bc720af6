/**
 * How many bytes an allocation may relay: its own rate, its app's, that of all together, and what its credential has left.
 * Asked for every packet, so it makes nothing and looks nothing up; what has no limit has no `Allowance` at all.
 */
import type { Credit } from './credits.ts'
import type { TokenBucket } from './token-bucket.ts'

export class Allowance {
  /** Each undefined where there is no such limit. */
  own: TokenBucket | undefined
  app: TokenBucket | undefined
  shared: TokenBucket | undefined
  credit: Credit | undefined
  /** Why `take` refused last. */
  refused: 'bandwidth' | 'credit' = 'bandwidth'

  constructor(
    own: TokenBucket | undefined,
    app: TokenBucket | undefined,
    shared: TokenBucket | undefined,
    credit: Credit | undefined,
  ) {
    this.own = own
    this.app = app
    this.shared = shared
    this.credit = credit
  }

  /** Takes all or nothing. @param bytes payload, in either direction. */
  take(bytes: number, now: number): boolean {
    const { own, app, shared, credit } = this
    if (credit !== undefined && credit.left < bytes && !credit.extend(bytes)) {
      this.refused = 'credit'
      return false
    }
    this.refused = 'bandwidth'
    if (own !== undefined && !own.take(bytes, now)) return false
    if (app !== undefined && !app.take(bytes, now)) {
      own?.giveBack(bytes)
      return false
    }
    if (shared !== undefined && !shared.take(bytes, now)) {
      own?.giveBack(bytes)
      app?.giveBack(bytes)
      return false
    }
    if (credit !== undefined) credit.left -= bytes
    return true
  }
}
