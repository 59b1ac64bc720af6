/**
 * Long fuzzing of codec, client, framer and server core: `node scripts/run.mjs fuzz [inputs] [seed]`, a million inputs by
 * default. Ends with an error when an input throws, unbalances the core's books, or when the memory in use after a forced
 * collection has grown since the first tenth of the run.
 */
import { usedMemory } from '../helpers/memory.ts'
import { createRandom } from './mutate.ts'
import { Readers } from './readers.ts'
import { Target } from './target.ts'

/** Bytes in use that may come and go between collections. */
const TOLERANCE = 1024 * 1024

const inputs = Number(process.argv[2] ?? 1_000_000)
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31)
const random = createRandom(seed)
const target = new Target(random)
const readers = new Readers(random)
const memory: number[] = []
const started = performance.now()
for (let i = 1; i <= inputs; i++) {
  try {
    target.step()
    readers.read(target.input)
  } catch (error) {
    console.error(`seed ${seed}, input ${i}: ${Buffer.from(target.input).toString('hex')}`)
    throw error
  }
  if (i % Math.ceil(inputs / 10) === 0) memory.push(usedMemory())
}
const kib = memory.map((bytes) => Math.round(bytes / 1024))
const seconds = (performance.now() - started) / 1000
console.log(`${inputs} inputs, seed ${seed}, ${Math.round(inputs / seconds)} a second: ${target.behaviours} behaviours`)
console.log(`memory in use after each tenth, KiB: ${kib.join(' ')}`)
if (memory.at(-1)! - memory[0]! > TOLERANCE) {
  console.error('memory has grown')
  process.exitCode = 1
}
