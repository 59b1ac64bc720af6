import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../../..')

it('every code of the API and of the apps is in docs/ERRORS.md', () => {
  const documented = readFileSync(join(root, 'docs/ERRORS.md'), 'utf8')
  const codes = ['http', 'apps'].flatMap((folder) => {
    const path = join(root, 'services/turn/src', folder)
    const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    const text = files.map((file) => readFileSync(join(path, file), 'utf8')).join('\n')
    return [...text.matchAll(/'((?:ADMIN|APPS?|TURN)_[A-Z_]+)'/g)].map(([, code = '']) => code)
  })
  expect(codes.length).toBeGreaterThan(15)
  expect([...new Set(codes)].filter((code) => !documented.includes(`\`${code}\``))).toEqual([])
})
