import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openRecords } from '../../../services/whatsapp/src/records/database.ts'
import { usage } from '../src/usage.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hairpin-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('shows the WhatsApp calls of a month, with names that no terminal acts on', () => {
  const db = openRecords(join(folder, 'whatsapp.db'))
  const add = db.prepare(
    "INSERT INTO call VALUES (?, 'user', '…4567', 'h', ?, ?, ?, ?, ?, NULL, 1, 1000000, 1, 500000)",
  )
  const noon = Date.parse('2026-03-02T12:00:00Z')
  add.run('1', 'ben', noon, noon + 5000, noon + 95_000, 'completed')
  add.run('2', 'ben', noon, noon + 5000, noon + 65_000, 'completed')
  add.run('3', null, noon, null, noon + 30_000, 'no-answer')
  add.run('4', 'an\u001b[31mna', noon, noon, noon, 'completed')
  add.run('5', 'ben', noon + 40 * 86_400_000, noon, noon, 'completed')
  db.close()
  const environment = { HAIRPIN_DATA_DIR: folder }
  expect(usage(['--whatsapp', '--month', '2026-03'], environment)).toBe(
    [
      '2026-03, WhatsApp calls',
      '',
      'agent      direction  outcome    calls  minutes     MB',
      '(nobody)   user       no-answer      1      0.0  1.500',
      'an?[31mna  user       completed      1      0.0  1.500',
      'ben        user       completed      2      2.5  3.000',
      '-'.repeat(54),
      'total                                4      2.5  6.000',
    ].join('\n'),
  )
  const report = JSON.parse(usage(['--whatsapp', '--month', '2026-03', '--json'], environment))
  expect([report.calls.length, report.totals.length]).toEqual([4, 3])
})

it('says where it looked for records', () => {
  expect(() => usage(['--whatsapp'], { HAIRPIN_DATA_DIR: folder })).toThrow(/no records of calls at .*whatsapp\.db/)
})
