/** Writes docs/openapi.json from the routes' schemas. A test says when it is out of date. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openApi } from '../src/http/openapi.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const target = `${root}docs/openapi.json`
writeFileSync(target, JSON.stringify(await openApi()))
execFileSync(`${root}node_modules/.bin/biome`, ['format', '--write', target], { cwd: root })
