/** Builds blaster.c with the machine's C compiler, once per source and kept in the cache folder. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'

const source = join(import.meta.dirname, 'blaster.c')
const cache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'hairpin-bench')

/** Path of the program, or undefined where no compiler can build it. */
export function nativeBlaster(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16)
  const program = join(cache, `blaster-${process.arch}-${digest}`)
  if (existsSync(program)) return program
  mkdirSync(cache, { recursive: true })
  const partial = `${program}.${process.pid}`
  const built = spawnSync('cc', ['-O2', '-o', partial, source], { stdio: ['ignore', 'ignore', 'inherit'] })
  if (built.status !== 0) return undefined
  renameSync(partial, program)
  return program
}
