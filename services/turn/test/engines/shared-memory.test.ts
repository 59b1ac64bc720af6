import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { RelayPorts } from '../../src/core/index.ts'
import { OwnedPorts } from '../../src/engines/hairpin/owned-ports.ts'
import { PortOwnership } from '../../src/engines/hairpin/port-ownership.ts'
import { SharedQuota } from '../../src/engines/hairpin/shared-quota.ts'

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
    const mine = [first!.acquire('any', 4, 0)!.port, first!.acquire('any', 4, 0)!.port]
    const kept = second!.acquire('any', 4, 0)!.port
    first!.release(mine[0]!, 1000)
    expect(new PortOwnership(owners, min, 0).reclaim()).toEqual([mine[1]])
    expect(new PortOwnership(owners, min, 0).reclaim()).toEqual([])
    expect(pool.isLive(kept)).toBe(true)
  })
})
