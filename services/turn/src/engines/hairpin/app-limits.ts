/** What the apps' own settings demand, in one worker. */
import type { AppRules, AppTable } from '../../apps/table.ts'
import { type Allocation, TokenBucket } from '../../core/index.ts'
import type { Driver } from '../../net/driver.ts'

export class AppLimits {
  readonly #table: AppTable
  readonly #workers: number
  readonly #buckets = new Map<string, { readonly bucket: TokenBucket; readonly rate: number }>()

  /** @param workers share an app's bandwidth evenly */
  constructor(table: AppTable, workers: number) {
    this.#table = table
    this.#workers = workers
  }

  /** The core's throttle: what an app may have, and what else is demanded of it; the smaller one counts. */
  throttle(next: (app: string) => number | undefined): (app: string) => number | undefined {
    return (app) => {
      const [own, other] = [this.#table.quotasOf(app)?.bytesPerSecond, next(app)]
      return own && other ? Math.min(own, other) : own || other
    }
  }

  /** The core's bucket of all allocations of an app. */
  readonly bucketOf = (app: string, now: number): TokenBucket | undefined => {
    const rate = (this.#table.quotasOf(app)?.totalBytesPerSecond ?? 0) / this.#workers
    const known = this.#buckets.get(app)
    if (rate === 0) {
      this.#buckets.delete(app)
      return undefined
    }
    if (known && known.rate !== rate) known.bucket.reshape(rate, rate, now)
    const bucket = known?.bucket ?? new TokenBucket(rate, rate, now)
    this.#buckets.set(app, { bucket, rate })
    return bucket
  }

  /** In force at once: live allocations are shaped anew, those of apps that are no more end. */
  change(rules: readonly AppRules[], throttle: (app: string) => number | undefined, driver: Pick<Driver, 'act'>): void {
    const gone = this.#table.replace(rules)
    let closing: Allocation[] = []
    driver.act((server, now) => {
      closing = [...server.allocations].filter(({ principal }) => gone.has(principal.app))
      return server.update({ throttle }, now)
    })
    for (const allocation of closing) driver.act((server, now) => server.close(allocation, 'closed', now))
    for (const app of gone) this.#buckets.delete(app)
  }
}
