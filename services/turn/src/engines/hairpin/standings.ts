import type { Allocation, Principal, QuotaPolicy } from '../../core/index.ts'
import type { Standing } from '../../ledger/budget.ts'
import type { Driver } from '../../net/driver.ts'

/** What budgets demand of apps, in one worker. An app that is not named is free. */
export class Standings {
  #standings: ReadonlyMap<string, Standing>

  constructor(standings: ReadonlyMap<string, Standing>) {
    this.#standings = standings
  }

  /** Bytes per second and allocation. */
  readonly demand = (app: string): number | undefined => this.#standings.get(app)?.throttle

  /** Refuses apps that are used up: 486, for it is their quota and not this server's capacity. */
  quota(next: QuotaPolicy): QuotaPolicy {
    return {
      acquire: (principal, now) => !this.#refuses(principal) && next.acquire(principal, now),
      release: (principal) => next.release(principal),
    }
  }

  /**
   * In force at once: live allocations are shaped anew, those of apps to be closed end.
   * @param throttle the core's, which asks `demand`
   */
  change(
    standings: ReadonlyMap<string, Standing>,
    throttle: (app: string) => number | undefined,
    driver: Pick<Driver, 'act'>,
  ): void {
    this.#standings = standings
    let closing: Allocation[] = []
    driver.act((server, now) => {
      closing = [...server.allocations].filter(({ principal }) => standings.get(principal.app)?.close)
      return server.update({ throttle }, now)
    })
    for (const allocation of closing) driver.act((server, now) => server.close(allocation, 'closed', now))
  }

  #refuses({ app }: Principal): boolean {
    return this.#standings.get(app)?.refuse ?? false
  }
}
