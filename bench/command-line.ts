/** What the command lines of all benches share. */
import { parseArgs } from 'node:util'

export class UsageError extends Error {}

/**
 * `--name value` for each of `texts`, `--name` for each of `flags`, and `--help`.
 * @throws UsageError
 */
export function valuesOf<const T extends string, const F extends string = never>(
  argv: readonly string[],
  texts: readonly T[],
  flags: readonly F[] = [],
): { readonly [N in T]?: string } & { readonly [N in F | 'help']?: boolean } {
  const options = Object.fromEntries([
    ...texts.map((name) => [name, { type: 'string' }] as const),
    ...flags.map((name) => [name, { type: 'boolean' }] as const),
    ['help', { type: 'boolean', short: 'h' }] as const,
  ])
  try {
    return parseArgs({ args: [...argv], options }).values as ReturnType<typeof valuesOf<T, F>>
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** A list of names, each of which must be known. @throws UsageError */
export function names<const N extends string>(
  option: string,
  text: string | undefined,
  known: readonly N[],
): N[] | undefined {
  return text?.split(',').map((name) => {
    const found = known.find((candidate) => candidate === name)
    if (!found) throw new UsageError(`--${option}: "${name}" is none of ${known.join(', ')}`)
    return found
  })
}

/** @throws UsageError */
export function number(option: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!(value >= min && value <= max))
    throw new UsageError(`--${option}: "${text}" is not a number from ${min} to ${max}`)
  return value
}

/** @throws UsageError */
export function numbers(option: string, text: string | undefined, min: number, max: number): number[] | undefined {
  return text?.split(',').map((part) => number(option, part, min, max))
}
