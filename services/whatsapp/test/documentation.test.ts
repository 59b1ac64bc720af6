import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const sources = join(root, 'services/whatsapp/src')

it('every code of this service is in docs/ERRORS.md', () => {
  const documented = readFileSync(join(root, 'docs/ERRORS.md'), 'utf8')
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const text = files.map((file) => readFileSync(join(sources, file), 'utf8')).join('\n')
  const codes = new Set([...text.matchAll(/'((?:WHATSAPP|SDP|MEDIA)_[A-Z_]+)'/g)].map(([, code = '']) => code))
  expect(codes.size).toBeGreaterThan(8)
  expect([...codes].filter((code) => !documented.includes(`\`${code}\``))).toEqual([])
})
