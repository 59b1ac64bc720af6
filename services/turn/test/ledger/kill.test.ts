import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { slot } from '../../src/ledger/counters.ts'
import { openLedgerDatabase } from '../../src/ledger/schema.ts'
import { LedgerStore } from '../../src/ledger/store.ts'
import { appDays } from '../../src/ledger/totals.ts'

const ALLOCATIONS = 500
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hairpin-ledger-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Lets a writer run until it has flushed `enough` times, kills it in the middle, and says the last flush it told of. */
function killedAfter(path: string, epoch: string, enough: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const script = new URL('./killed-writer.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [script, path, epoch, String(ALLOCATIONS)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
      if (text.split('\n').length > enough) child.kill('SIGKILL')
    })
    child.on('close', (_code, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(`the writer ended by itself: ${text}`))
      resolve(Number(text.split('\n').at(-2)))
    })
  })
}

it('loses at most the last flush and counts nothing twice when it is killed under load', async () => {
  const path = join(folder, 'ledger.db')
  let before = 0
  // The second and third lives run into what the one before left unsettled; 70 reports cross a minute.
  for (const [life, flushes] of [70, 3, 130].entries()) {
    const told = await killedAfter(path, `life-${life}`, flushes)
    const db = openLedgerDatabase(path)
    const counted = appDays(db, 0).reduce((sum, { totals }) => sum + totals[slot.to_client_payload]!, 0) - before
    const each = counted / ALLOCATIONS / 1000
    // A flush may be on disk that the child did not come to tell of; never a part of one, never more than it reported.
    expect(Number.isInteger(each)).toBe(true)
    expect(each).toBeGreaterThanOrEqual(told)
    expect(each).toBeLessThanOrEqual(told + 1)

    // All ways to add it up agree: calls, buckets with what is unsettled, and buckets once it is settled.
    const sum = (sql: string) => Number(Object.values(db.prepare(sql).get()!)[0])
    expect(sum('SELECT sum(to_client_payload) FROM call')).toBe(before + counted)
    new LedgerStore(db).settle(0)
    expect(
      sum(
        'SELECT (SELECT sum(to_client_payload) FROM minute) + coalesce((SELECT sum(to_client_payload) FROM hour), 0)',
      ),
    ).toBe(before + counted)
    expect(sum('SELECT sum(to_client_payload) FROM app_day')).toBe(before + counted)
    expect(sum('SELECT sum(allocations) FROM app_day')).toBe(ALLOCATIONS * (life + 1))
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    db.close()
    before += counted
  }
}, 60_000)
