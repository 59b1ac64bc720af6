import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Credit, RelayPorts } from '../../src/core/index.ts'
import { OwnedPorts } from '../../src/engines/hairpin/owned-ports.ts'
import { PortOwnership } from '../../src/engines/hairpin/port-ownership.ts'
import { SharedCredits } from '../../src/engines/hairpin/shared-credits.ts'
import { type AppQuotas, SharedQuota } from '../../src/engines/hairpin/shared-quota.ts'

describe('the quota shared by workers', () => {
  const quotas = (perUser: number, total: number, workers = 2) => {
    const shared = new SharedArrayBuffer(SharedQuota.bytesFor(workers))
    return Array.from({ length: workers }, (_, worker) => new SharedQuota({ shared, workers, worker, perUser, total }))
  }
  const ada = { app: 'shop', user: 'ada' }

  it('bounds a user over all workers, by app', () => {
    const [first, second] = quotas(2, 0) as [SharedQuota, SharedQuota]
    expect([first.acquire(ada), second.acquire(ada), first.acquire(ada)]).toEqual([true, true, false])
    expect(first.acquire({ app: 'game', user: 'ada' })).toBe(true)
    second.release(ada)
    expect(first.acquire(ada)).toBe(true)
  })

  it('bounds all users together', () => {
    const [first, second] = quotas(0, 2) as [SharedQuota, SharedQuota]
    expect(first.acquire(ada)).toBe(true)
    expect(second.acquire({ app: 'shop', user: 'bob' })).toBe(true)
    expect(second.acquire({ app: 'shop', user: 'eve' })).toBe(false)
    first.release(ada)
    expect(second.acquire({ app: 'shop', user: 'eve' })).toBe(true)
  })

  it('bounds an app over all workers, and each of its users, beside the limits of all', () => {
    const shared = new SharedArrayBuffer(SharedQuota.bytesFor(2))
    const limits: Record<string, AppQuotas> = { shop: { allocations: 3, userAllocations: 2 } }
    const limitsOf = (app: string) => limits[app]
    const [first, second] = [0, 1].map(
      (worker) => new SharedQuota({ shared, workers: 2, worker, perUser: 5, total: 0, limitsOf }),
    ) as [SharedQuota, SharedQuota]
    const bob = { app: 'shop', user: 'bob' }
    expect([first.acquire(ada), second.acquire(ada), first.acquire(ada)]).toEqual([true, true, false])
    expect([second.acquire(bob), first.acquire(bob)]).toEqual([true, false])
    for (let i = 0; i < 5; i++) expect(first.acquire({ app: 'game', user: 'ada' })).toBe(true)
    expect(second.acquire({ app: 'game', user: 'ada' })).toBe(false)

    second.release(ada)
    expect([first.acquire(bob), second.acquire(bob)]).toEqual([true, false])
    // What was counted without a limit counts under the next one.
    delete limits.shop
    expect([first.acquire(ada), first.acquire(ada)]).toEqual([true, true])
    limits.shop = { allocations: 5 }
    expect(second.acquire(bob)).toBe(false)
  })

  it('refuses an app nothing for what it was refused', () => {
    const shared = new SharedArrayBuffer(SharedQuota.bytesFor(1))
    const limitsOf = () => ({ allocations: 1 })
    const quota = new SharedQuota({ shared, workers: 1, worker: 0, perUser: 1, total: 0, limitsOf })
    const bob = { app: 'shop', user: 'bob' }
    expect([quota.acquire(ada), quota.acquire(bob), quota.acquire(bob)]).toEqual([true, false, false])
    quota.release(ada)
    expect(quota.acquire(bob)).toBe(true)
  })

  it('forgets a crashed worker and its lock, and no other', () => {
    const [first, second] = quotas(3, 0) as [SharedQuota, SharedQuota]
    first.acquire(ada)
    first.acquire(ada)
    second.acquire(ada)
    first.reclaim()
    expect([second.acquire(ada), second.acquire(ada), second.acquire(ada)]).toEqual([true, true, false])
  })

  it('uses a slot again when its user is gone: many users come and go', () => {
    const [quota] = quotas(1, 0, 1) as [SharedQuota]
    for (let i = 0; i < 20_000; i++) {
      const user = { app: 'shop', user: `user${i}` }
      expect(quota.acquire(user)).toBe(true)
      quota.release(user)
    }
    expect([quota.acquire(ada), quota.acquire(ada)]).toEqual([true, false])
  })
})

describe('relayed ports of a crashed worker', () => {
  it('are given back, those of others are not', () => {
    const [min, max] = [50_000, 50_009]
    const words = new Int32Array(new SharedArrayBuffer(4 * RelayPorts.wordsFor(min, max)))
    const owners = new SharedArrayBuffer(PortOwnership.bytesFor(min, max))
    const pool = new RelayPorts({ min, max, words, tokenKey: randomBytes(32), randomBytes })
    const [first, second] = [0, 1].map((worker) => new OwnedPorts(pool, new PortOwnership(owners, min, worker)))
    const mine = [first!.acquire('any', 4, 'udp', 0)!.port, first!.acquire('any', 4, 'udp', 0)!.port]
    const kept = second!.acquire('any', 4, 'udp', 0)!.port
    first!.release(mine[0]!, 1000)
    expect(new PortOwnership(owners, min, 0).reclaim()).toEqual([mine[1]])
    expect(new PortOwnership(owners, min, 0).reclaim()).toEqual([])
    expect(pool.isLive(kept, 4, 'udp')).toBe(true)
  })
})

describe('bytes per credential shared by workers', () => {
  const MiB = 1024 * 1024
  const later = 1e6
  const workersOf = (limit: number) => {
    const shared = new SharedArrayBuffer(SharedCredits.bytes)
    return [0, 1].map((worker) => new SharedCredits({ shared, worker, limit })) as [SharedCredits, SharedCredits]
  }
  /** Relays in packets of 1000 until no more goes. */
  const exhaust = (credit: Credit) => {
    let bytes = 0
    for (; credit.left >= 1000 || credit.extend(1000); bytes += 1000) credit.left -= 1000
    return bytes
  }

  const relayedBy = (credits: SharedCredits, username: string, now: number) => {
    const credit = credits.acquire(username, later, now)!
    credit.extend(1000)
    credit.left -= 1000
    credit.release()
  }

  it('never pass the limit, and what one worker has at hand is missing to the other until it gives it back', () => {
    const [first, second] = workersOf(64 * MiB)
    const [a, b] = [first.acquire('ada', later, 0)!, second.acquire('ada', later, 0)!]
    b.extend(1)
    const used = exhaust(a)
    expect(used).toBeGreaterThan(63 * MiB - 1001)
    expect(used).toBeLessThanOrEqual(63 * MiB)
    b.release()
    expect(used + exhaust(a)).toBeGreaterThan(64 * MiB - 1000)
    expect(second.acquire('ada', later, 0)).toBeUndefined()
    expect(exhaust(second.acquire('bob', later, 0)!)).toBeGreaterThan(64 * MiB - 1000)
  })

  it('are refused once used up, in every worker, and count anew when the limit is raised', () => {
    const [first, second] = workersOf(3000)
    expect(exhaust(first.acquire('ada', later, 0)!)).toBe(3000)
    expect(second.acquire('ada', later, 0)).toBeUndefined()
    second.limit(5000)
    expect(exhaust(second.acquire('ada', later, 0)!)).toBe(2000)
  })

  it('outlast a full table as far as they are used, and leave it when they expire', () => {
    const [first] = workersOf(3000)
    exhaust(first.acquire('ada', later, 0)!)
    for (let i = 0; i < 100_000; i++) relayedBy(first, `user ${i}`, 0)
    expect(first.acquire('ada', later, 0)).toBeUndefined()
    const gone = workersOf(3000)[0]
    const old = gone.acquire('old', 1, 0)!
    exhaust(old)
    old.release()
    for (let i = 0; i < 100_000; i++) relayedBy(gone, `user ${i}`, 2)
    expect(exhaust(gone.acquire('old', later, 2)!)).toBe(3000)
  })

  it('let others in when a worker dies inside', () => {
    const shared = new SharedArrayBuffer(SharedCredits.bytes)
    Atomics.store(new Int32Array(shared), 0, 1)
    new SharedCredits({ shared, worker: 0, limit: 0 }).reclaim()
    expect(new SharedCredits({ shared, worker: 1, limit: 5 }).acquire('ada', later, 0)?.extend(5)).toBe(true)
  })
})
