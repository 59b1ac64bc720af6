import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const example = [...read('.env.example').matchAll(/^#(HAIRPIN_\w+)=/gm)].map(([, name]) => name)

test('.env.example names exactly the variables that the services and the compose file read', () => {
  const sources = readdirSync(join(root, 'packages/config/src'))
    .map((file) => read(`packages/config/src/${file}`))
    .join('\n')
  // Listeners are read by a pattern: HAIRPIN_${name}_PORT.
  const templates = ['HTTP', 'ADMIN'].flatMap((name) =>
    [...sources.matchAll(/HAIRPIN_\$\{name\}_([A-Z]+)/g)].map(([, suffix]) => `HAIRPIN_${name}_${suffix}`),
  )
  const literals = [...sources.matchAll(/'(HAIRPIN_[A-Z_]+)'/g)].map(([, name]) => name)
  expect(new Set(example)).toEqual(new Set([...templates, ...literals, 'HAIRPIN_DOMAIN']))
  expect(example).toHaveLength(new Set(example).size)
})

test('docker-compose.yml hands on every setting that is not its own to decide', () => {
  const [settings = ''] = read('.env.example').split('# --- Set by docker-compose.yml itself')
  const compose = read('docker-compose.yml')
  const missing = [...settings.matchAll(/^#(HAIRPIN_\w+)=/gm)]
    .map(([, name]) => name ?? '')
    .filter((name) => !new RegExp(`^ +${name}:|\\$\\{${name}:`, 'm').test(compose))
  expect(missing).toEqual([])
})
