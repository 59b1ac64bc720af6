import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')

/** What a file imports when it is loaded: neither types, which are stripped, nor what `import()` brings later. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/^(?:import|export) (?!type )[^;'"`()]*?['"]([^'"]+)['"]/gms)].map(([, from = '']) => from)
}

/** The file of this repository that an import means; undefined for packages of others. */
function fileOf(from: string, file: string): string | undefined {
  if (from.startsWith('.')) return join(dirname(file), from)
  const [, name, path = ''] = /^@hairpin\/([\w-]+)(\/.*)?$/.exec(from) ?? []
  if (name === undefined) return undefined
  const folder = ['packages', 'services', '.'].map((base) => join(root, base, name)).find(hasManifest)!
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, exports[`.${path}`] ?? exports)
}

function hasManifest(folder: string): boolean {
  try {
    readFileSync(join(folder, 'package.json'))
    return true
  } catch {
    return false
  }
}

/** Packages of others that are loaded with a file, and by which of ours. */
function loadedBy(entry: string): Map<string, string> {
  const packages = new Map<string, string>()
  const seen = new Set<string>()
  const visit = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    for (const from of importsOf(file)) {
      const own = fileOf(from, file)
      if (own === undefined) packages.set(from, file)
      else visit(own)
    }
  }
  visit(join(root, entry))
  return packages
}

test('the native module for media is loaded by those alone who have WhatsApp calls over this host', () => {
  for (const entry of [
    'services/standalone.ts',
    'services/turn/src/main.ts',
    'services/signaling/src/main.ts',
    'services/whatsapp/src/main.ts',
    'packages/cli/src/main.ts',
  ])
    expect(loadedBy(entry).get('node-datachannel'), entry).toBeUndefined()
  // The reader of imports is not blind.
  expect(loadedBy('services/standalone.ts').has('prom-client')).toBe(true)
  expect(loadedBy('services/whatsapp/src/media/native-leg.ts').has('node-datachannel')).toBe(true)
})
