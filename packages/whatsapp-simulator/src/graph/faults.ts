import { type Answer, refuse } from './answers.ts'

/**
 * What goes wrong with a request: Meta's answer (status, and the code of the error body); `hang`: none ever; `drop`: the
 * connection breaks before, or `drop-after`: after the request was carried out; `half`: it was carried out, and the answer
 * breaks off in the middle; `garbage`: it was carried out, and the answer is a page of HTML.
 */
export type Fault = readonly [status: number, code?: number] | 'hang' | 'drop' | 'drop-after' | 'half' | 'garbage'

/** Failures that were asked for, by kind of request; `*` is any. */
export class Faults {
  readonly #next = new Map<string, Fault[]>()

  add(kind: string, faults: readonly Fault[]): void {
    this.#next.set(kind, [...(this.#next.get(kind) ?? []), ...faults])
  }

  take(kind: string): Fault | undefined {
    return this.#next.get(kind)?.shift() ?? this.#next.get('*')?.shift()
  }
}

/** The answer of a fault that is one. */
export function answerOf([status, code]: readonly [status: number, code?: number]): Answer {
  return [status, code === undefined ? 'oops' : refuse(code, 'failed')[1]]
}
