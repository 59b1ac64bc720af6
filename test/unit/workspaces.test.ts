import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const manifests = globSync(['packages/*/package.json', 'services/*/package.json', 'web/package.json'], { cwd: root })

// In this tree every package finds every other; in an image only what its package.json names is installed.
test.each(manifests)('%s declares every workspace that its sources import', (manifest) => {
  const folder = join(root, manifest, '..')
  const { name, dependencies = {} } = JSON.parse(readFileSync(join(root, manifest), 'utf8'))
  const imported = new Set<string>()
  for (const file of globSync(['src/**/*.{ts,tsx}', '*.ts'], { cwd: folder }))
    for (const [, found = ''] of readFileSync(join(folder, file), 'utf8').matchAll(/from '(@hairpin\/[\w-]+)'/g))
      imported.add(found)
  imported.delete(name)
  expect([...imported].filter((dependency) => !(dependency in dependencies))).toEqual([])
})
