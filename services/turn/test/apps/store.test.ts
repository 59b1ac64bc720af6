import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { APPS_FILE, openAppsDatabase } from '../../src/apps/schema.ts'
import { AppStore, keyDigest } from '../../src/apps/store.ts'
import type { AppSettings } from '../../src/apps/types.ts'

let folder: string
let path: string
let now: number
let store: AppStore

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hairpin-apps-'))
  path = join(folder, APPS_FILE)
  now = Date.UTC(2026, 2, 1)
  store = new AppStore(openAppsDatabase(path), () => now)
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const codeOf = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return (error as { code?: string }).code
  }
  return undefined
}

describe('the apps in their file', () => {
  it('gives a new app a key and a secret, shown this once', () => {
    const { app, key, turnSecret } = store.add('shop', { name: 'The shop' })
    expect(key.key).toMatch(/^hk_[\w-]{43}$/)
    expect(turnSecret.secret).toMatch(/^[\w-]{43}$/)
    expect(app).toMatchObject({ id: 'shop', name: 'The shop', createdAt: '2026-03-01T00:00:00.000Z' })
    expect(app.keys).toEqual([
      { id: key.id, last4: key.key.slice(-4), createdAt: '2026-03-01T00:00:00.000Z', lastUsedAt: null },
    ])
    const shown = JSON.stringify(store.list())
    for (const secret of [key.key, turnSecret.secret, keyDigest(key.key)]) expect(shown).not.toContain(secret)
  })

  it('keeps no key, only its digest, in a file for its owner alone', () => {
    const { key } = store.add('shop')
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
    expect(store.keys()).toEqual([{ digest: keyDigest(key.key), id: key.id, app: 'shop' }])
    store.close()
    const files = [APPS_FILE].map((name) => readFileSync(join(folder, name), 'latin1')).join()
    expect(files).toContain(keyDigest(key.key))
    expect(files).not.toContain(key.key)
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
    store = new AppStore(openAppsDatabase(path), () => now)
    expect(store.list()).toHaveLength(1)
  })

  it('has several keys at a time, each revoked alone', () => {
    const first = store.add('shop').key
    const second = store.addKey('shop')
    expect(store.keys()).toHaveLength(2)
    store.revokeKey('shop', first.id)
    expect(store.keys().map(({ id }) => id)).toEqual([second.id])
    expect(codeOf(() => store.revokeKey('shop', first.id))).toBe('APP_KEY_UNKNOWN')
  })

  it("does not revoke one app's key in the name of another", () => {
    const { key } = store.add('shop')
    store.add('game')
    expect(codeOf(() => store.revokeKey('game', key.id))).toBe('APP_KEY_UNKNOWN')
    expect(store.keys()).toHaveLength(2)
  })

  it('notes the use of a key to the minute', () => {
    const { key } = store.add('shop')
    const lastUsed = () => store.get('shop').keys[0]!.lastUsedAt
    store.keyUsed(key.id)
    now += 59_000
    store.keyUsed(key.id)
    expect(lastUsed()).toBe('2026-03-01T00:00:00.000Z')
    now += 2000
    store.keyUsed(key.id)
    expect(lastUsed()).toBe('2026-03-01T00:01:01.000Z')
  })

  it('rotates secrets: the newest mints, the former count for a while', () => {
    const first = store.add('shop').turnSecret
    const second = store.rotateSecret('shop', 3600)
    const secrets = () => store.apps()[0]!.turnSecrets
    expect(secrets()).toEqual([second.secret, first.secret])
    expect(store.nextRetirement()).toBe(now + 3_600_000)
    now += 1000
    const third = store.rotateSecret('shop', 7200)
    // The second rotation does not lengthen the life of the first secret.
    expect(store.get('shop').turnSecrets.map(({ retiresAt }) => retiresAt)).toEqual([
      null,
      '2026-03-01T02:00:01.000Z',
      '2026-03-01T01:00:00.000Z',
    ])
    now += 3_600_000
    expect(secrets()).toEqual([third.secret, second.secret])
    now += 7_200_000
    expect(secrets()).toEqual([third.secret])
    expect(store.nextRetirement()).toBeUndefined()
  })

  it('removes a secret at once, but never the last', () => {
    const first = store.add('shop').turnSecret
    const second = store.rotateSecret('shop', 3600)
    store.removeSecret('shop', second.id)
    expect(store.apps()[0]!.turnSecrets).toEqual([first.secret])
    expect(store.get('shop').turnSecrets[0]!.retiresAt).toBeNull()
    expect(codeOf(() => store.removeSecret('shop', first.id))).toBe('APP_SECRET_LAST')
    expect(codeOf(() => store.removeSecret('shop', 99))).toBe('APP_SECRET_UNKNOWN')
  })

  it('takes a secret that clients mint with already', () => {
    store.add('shop', {}, 'the-secret-of-a-coturn')
    expect(store.apps()[0]!.turnSecrets).toEqual(['the-secret-of-a-coturn'])
    expect(codeOf(() => store.rotateSecret('shop', 1, 'short'))).toBe('APP_SETTINGS_INVALID')
    expect(codeOf(() => store.add('game', {}, 'short'))).toBe('APP_SETTINGS_INVALID')
    expect(store.list()).toHaveLength(1)
  })

  it('replaces the settings that are named and keeps the others', () => {
    store.add('shop', { quotas: { allocations: 10 }, origins: ['https://Shop.example.com/'] })
    store.set('shop', { ttl: { min: 60, max: 600 } })
    expect(store.get('shop')).toMatchObject({
      quotas: { allocations: 10 },
      ttl: { min: 60, max: 600 },
      origins: ['https://shop.example.com'],
    })
  })

  it('keeps budgets as the ledger has them, and the secret of webhooks', () => {
    const marks = [{ percent: 80, actions: [{ type: 'webhook' as const }] }]
    const budgets: AppSettings['budgets'] = [
      { period: 'monthly', limit: { money: '50', currency: 'EUR' }, marks },
      { period: 'daily', limit: { bytes: 1e9 }, marks: [{ percent: 100, actions: [{ type: 'close' }] }] },
    ]
    const { webhookSecret } = store.add('shop', { budgets, webhook: 'https://shop.example.com/budget' })
    const webhook = { url: 'https://shop.example.com/budget', secret: webhookSecret }
    expect(store.apps()[0]).toMatchObject({ id: 'shop', budgets, webhook })
    const next = store.rotateWebhookSecret('shop')
    expect(next).not.toBe(webhookSecret)
    expect(store.apps()[0]!.webhook!.secret).toBe(next)
    store.set('shop', { webhook: null })
    expect(store.apps()[0]!.webhook).toBeUndefined()
  })

  it.each<[string, object]>([
    ['ttl', { ttl: { min: 600, max: 60 } }],
    ['ttl', { ttl: { default: 60, max: 30 } }],
    ['ttl.min', { ttl: { min: 0 } }],
    ['quotas.allocations', { quotas: { allocations: -1 } }],
    ['quotas', { quotas: { users: 1 } }],
    ['origins', { origins: ['shop.example.com'] }],
    ['webhook', { webhook: 'ftp://shop.example.com' }],
    ['budgets.0.marks', { budgets: [{ period: 'daily', limit: { bytes: 1 }, marks: [] }] }],
    ['colour is none of the settings', { colour: 'red' }],
  ])('says that %s is wrong in %j', (what, changes) => {
    store.add('shop')
    expect(codeOf(() => store.set('shop', changes))).toBe('APP_SETTINGS_INVALID')
    expect(() => store.set('shop', changes)).toThrow(new RegExp(`^${what}`))
  })

  it('knows no app twice, none of an impossible name, and none that was removed', () => {
    store.add('shop')
    expect(codeOf(() => store.add('shop'))).toBe('APP_EXISTS')
    for (const id of ['', 'a/b', 'a b', 'x'.repeat(65)]) expect(codeOf(() => store.add(id))).toBe('APP_ID_INVALID')
    store.remove('shop')
    expect([store.list(), store.keys(), store.apps()]).toEqual([[], [], []])
    for (const work of [
      () => store.remove('shop'),
      () => store.get('shop'),
      () => store.addKey('shop'),
      () => store.rotateSecret('shop', 1),
      () => store.set('shop', {}),
      () => store.rotateWebhookSecret('shop'),
    ])
      expect(codeOf(work)).toBe('APP_UNKNOWN')
  })

  it('sees what another process changes', () => {
    const version = store.version()
    expect(store.version()).toBe(version)
    const other = new AppStore(openAppsDatabase(path))
    other.add('shop')
    other.close()
    expect(store.version()).not.toBe(version)
    expect(store.list()).toHaveLength(1)
  })

  it('does not touch the file of a newer Hairpin', () => {
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 99')
    db.close()
    expect(() => openAppsDatabase(path)).toThrow(/format 99/)
  })
})
