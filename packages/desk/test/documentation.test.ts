import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

it('every code of the link is in docs/ERRORS.md', () => {
  const sources = join(import.meta.dirname, '../src')
  const text = readdirSync(sources).map((file) => readFileSync(join(sources, file), 'utf8'))
  const codes = new Set([...text.join('\n').matchAll(/'((?:DESK|SIG)_[A-Z_]+)'/g)].map(([, code = '']) => code))
  expect(codes.size).toBeGreaterThan(5)
  const documented = readFileSync(join(import.meta.dirname, '../../../docs/ERRORS.md'), 'utf8')
  expect([...codes].filter((code) => !documented.includes(`\`${code}\``))).toEqual([])
})
