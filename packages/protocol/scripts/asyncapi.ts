/** Writes docs/asyncapi.json from the schemas and docs/PROTOCOL.md. A test says when it is out of date. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { asyncApi } from '../src/asyncapi.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const target = `${root}docs/asyncapi.json`
const document = readFileSync(`${root}docs/PROTOCOL.md`, 'utf8')
writeFileSync(target, JSON.stringify(asyncApi(document)))
execFileSync(`${root}node_modules/.bin/biome`, ['format', '--write', target], { cwd: root })
