import type { DeskBody } from '@hairpin/desk'

export interface RosterOptions {
  readonly mode: 'bridge' | 'direct'
  /** Whether an agent who is here is in no call. */
  readonly isFree: (agent: string) => boolean
  readonly send: (agent: string, body: DeskBody) => void
}

/** ms in which changes are gathered: every agent is told of every other. */
const GATHERED = 50

/** Who is here to take calls. Agents are told when that changes. */
export class Roster {
  readonly #options: RosterOptions
  /** With what each was told last. */
  readonly #here = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: RosterOptions) {
    this.#options = options
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.#here.keys()
  }

  has(agent: string): boolean {
    return this.#here.has(agent)
  }

  /** Tells the one who came at once, the others soon. */
  add(agent: string): void {
    this.#here.set(agent, '')
    this.#tell(agent, this.body())
    this.changed()
  }

  remove(agent: string): void {
    this.#here.delete(agent)
    this.changed()
  }

  count(): { here: number; free: number } {
    const here = [...this.#here.keys()]
    return { here: here.length, free: here.filter(this.#options.isFree).length }
  }

  /** Somebody may have become free, or be free no more. */
  changed(): void {
    this.#timer ??= setTimeout(() => this.#announce(), GATHERED).unref()
  }

  body(): DeskBody {
    const { mode, isFree } = this.#options
    const agents = [...this.#here.keys()].sort().map((name) => ({ name, free: isFree(name) }))
    return { type: 'agent', available: true, mode, agents }
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #announce(): void {
    this.#timer = undefined
    const body = this.body()
    for (const agent of this.#here.keys()) this.#tell(agent, body)
  }

  #tell(agent: string, body: DeskBody): void {
    const text = JSON.stringify(body)
    if (this.#here.get(agent) === text) return
    this.#here.set(agent, text)
    this.#options.send(agent, body)
  }
}
