/** Writes infra/grafana/dashboards/*.json: `node infra/grafana/src/generate.ts`. Change the sources, not the JSON. */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { capacity } from './capacity.ts'
import { errors } from './errors.ts'
import { build } from './panels.ts'
import { relay } from './relay.ts'
import { signaling } from './signaling.ts'

const folder = fileURLToPath(new URL('../dashboards', import.meta.url))

/** Text of each file by its name. */
export function dashboards(): Map<string, string> {
  const all = { relay, capacity, errors, signaling }
  return new Map(
    Object.entries(all).map(([name, spec]) => [`${name}.json`, `${JSON.stringify(build(spec), null, 2)}\n`]),
  )
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  for (const [name, text] of dashboards()) writeFileSync(join(folder, name), text)
