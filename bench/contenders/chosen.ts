import { names as knownNames } from '../command-line.ts'
import type { Results } from '../scenarios/measurement.ts'

interface Choice {
  readonly name: string
  /** Why it cannot run here; undefined: it can. */
  unavailable(): string | undefined
}

/** Those of `known` that were asked for, or `usual`; what cannot run here is said. @throws UsageError for a name that is none */
export function chosen<C extends Choice>(
  asked: readonly string[] | undefined,
  known: readonly C[],
  usual: readonly C[],
  results: Results,
): C[] {
  knownNames(
    'contender',
    asked?.join(','),
    known.map(({ name }) => name),
  )
  const candidates = asked ? known.filter(({ name }) => asked.includes(name)) : usual
  return candidates.filter((contender) => {
    const reason = contender.unavailable()
    if (reason !== undefined) results.failed('all', contender.name, reason)
    return reason === undefined
  })
}
